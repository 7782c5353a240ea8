#include "os/copying.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace geogrid {
namespace {

constexpr std::uint64_t kMostAtOnce =
    64 * 1024 * 1024;  // one call of copy_file_range(2), which nothing interrupts
constexpr std::size_t kBufferBytes = 1024 * 1024;

// What filesystems answer that cannot: other devices, another filesystem, an old kernel, a sandbox.
bool means_unable(int error) {
  switch (error) {
    case EOPNOTSUPP:
    case ENOTTY:
    case ENOSYS:
    case EXDEV:
    case EINVAL:
    case EPERM:
    case EBADF:
    case ETXTBSY:
      return true;
    default:
      return false;
  }
}

result<std::uint64_t> copy_through_memory(Env& env, int from, int to, std::uint64_t offset,
                                          std::uint64_t length) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length, kBufferBytes)));
  std::uint64_t done = 0;
  while (done < length) {
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(length - done, buffer.size())));
    GG_TRY(const std::size_t got, env.read(from, offset + done, part));
    GG_CHECK(env.write(to, offset + done, part.first(got)));
    done += got;
    if (got < part.size()) break;
  }
  return done;
}

}  // namespace

result<void> clone_bytes(int from, int to) {
  if (ioctl(to, FICLONE, from) == 0) return {};
  return system_error(means_unable(errno) ? EOPNOTSUPP : errno, "clone");
}

result<std::uint64_t> copy_range(Env& env, int from, int to, std::uint64_t offset, std::uint64_t length) {
  std::uint64_t done = 0;
  while (done < length) {
    off_t in = static_cast<off_t>(offset + done);
    off_t out = in;
    const ssize_t got = copy_file_range(from, &in, to, &out,
                                        static_cast<std::size_t>(std::min(length - done, kMostAtOnce)), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && !means_unable(errno)) return system_error(errno, "copy");
    if (got <= 0) {
      // At the end, or unable: reading tells which.
      GG_TRY(const std::uint64_t rest, copy_through_memory(env, from, to, offset + done, length - done));
      return done + rest;
    }
    done += static_cast<std::uint64_t>(got);
  }
  return done;
}

}  // namespace geogrid
