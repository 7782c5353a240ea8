#include "config/small_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/path.hpp"
#include "base/unique_fd.hpp"
#include "base/units.hpp"

namespace geogrid {

result<SmallFile> read_small_file(const std::string& path, std::size_t limit) {
  const std::string shown = printable(path);
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return system_error(errno, fmt::format("cannot read {}", shown));
  SmallFile file;
  if (::fstat(fd.get(), &file.status) != 0) return system_error(errno, fmt::format("cannot read {}", shown));
  if (S_ISDIR(file.status.st_mode)) return fail(errc::is_a_folder, "{} is a folder, not a file", shown);
  if (!S_ISREG(file.status.st_mode)) return fail(errc::invalid_argument, "{} is not a regular file", shown);

  // One byte more than allowed, to see whether there is more; the size in the inode may be out of date.
  file.content.resize(limit + 1);
  std::size_t have = 0;
  while (have < file.content.size()) {
    const ssize_t n = ::read(fd.get(), file.content.data() + have, file.content.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, fmt::format("cannot read {}", shown));
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (have > limit) return fail(errc::invalid_argument, "{} is larger than {}", shown, format_size(limit));
  file.content.resize(have);
  return file;
}

}  // namespace geogrid
