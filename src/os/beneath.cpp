#include "os/beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

namespace geogrid {
namespace {

// What is added to the caller's flags; openat2(2) refuses O_NOCTTY beside O_PATH.
constexpr int with_ours(int flags) {
  return flags | O_CLOEXEC | O_NOFOLLOW | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY);
}
constexpr int kThrough = O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
constexpr int kMaxRaces = 64;  // EAGAIN: something was renamed while the kernel resolved the path

int openat2_once(int folder, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int races = 0;; ++races) {
    const long fd = syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == EINTR || (errno == EAGAIN && races < kMaxRaces)) continue;
    return -1;
  }
}

int openat_once(int folder, const std::string& name, int flags, mode_t mode) {
  int fd = -1;
  do fd = openat(folder, name.c_str(), flags, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

// A folder on the way.
int open_through(int folder, const std::string& name) {
  const int fd = openat_once(folder, name, kThrough, 0);
  if (fd >= 0 || errno != ENOTDIR) return fd;
  // O_DIRECTORY says ENOTDIR of a symlink; openat2 says ELOOP.
  struct stat found {};
  const bool symlink =
      fstatat(folder, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode);
  errno = symlink ? ELOOP : ENOTDIR;
  return -1;
}

// How much of `path` one system call can take: all, or up to a slash.
std::size_t chunk_length(std::string_view path) {
  if (path.size() < PATH_MAX) return path.size();
  const std::size_t slash = path.rfind('/', PATH_MAX - 1);
  return slash == std::string_view::npos ? path.size() : slash;
}

std::string_view without_leading_slashes(std::string_view path) {
  const std::size_t first = path.find_first_not_of('/');
  return first == std::string_view::npos ? std::string_view() : path.substr(first);
}

// Refused by a seccomp filter older than the call (EPERM, for a path that cannot be refused) or unknown to
// the kernel.
bool have_openat2() {
  static const bool have = [] {
    const UniqueFd fd(openat2_once(AT_FDCWD, ".", O_PATH | O_CLOEXEC, 0));
    return static_cast<bool>(fd) || (errno != ENOSYS && errno != EPERM);
  }();
  return have;
}

}  // namespace

result<UniqueFd> open_name_by_name(int folder, std::string_view path, int flags, mode_t mode) {
  UniqueFd at;
  int from = folder;
  for (;;) {
    path = without_leading_slashes(path);
    const std::size_t slash = path.find('/');
    const std::string name(path.empty() ? std::string_view(".") : path.substr(0, slash));
    if (name == "..") return system_error(EXDEV, "open");
    path = slash == std::string_view::npos ? std::string_view() : without_leading_slashes(path.substr(slash));
    const bool last = path.empty();
    UniqueFd next(last ? openat_once(from, name, with_ours(flags), mode) : open_through(from, name));
    if (!next) return system_error(errno, "open");
    if (last) return next;
    at = std::move(next);
    from = at.get();
  }
}

result<UniqueFd> open_beneath(int folder, std::string_view path, int flags, mode_t mode) {
  if (!have_openat2()) return open_name_by_name(folder, path, flags, mode);
  UniqueFd at;
  int from = folder;
  for (;;) {
    const std::size_t length = chunk_length(path);
    const std::string chunk(length == 0 ? std::string_view(".") : path.substr(0, length));
    path = without_leading_slashes(path.substr(length));
    const bool last = path.empty();
    UniqueFd next(openat2_once(from, chunk, last ? with_ours(flags) : kThrough, mode));
    if (!next) return system_error(errno, "open");
    if (last) return next;
    at = std::move(next);
    from = at.get();
  }
}

}  // namespace geogrid
