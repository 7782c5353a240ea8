#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <utility>

#include "base/path.hpp"
#include "os/beneath.hpp"
#include "os/copying.hpp"
#include "os/env.hpp"

namespace geogrid {
namespace {

// Repeats a call that a signal interrupted.
template <typename Call>
auto uninterrupted(Call call) {
  decltype(call()) value;
  do value = call();
  while (value < 0 && errno == EINTR);
  return value;
}

result<void> checked(int outcome, const char* call) {
  if (outcome < 0) return system_error(errno, call);
  return {};
}

std::array<timespec, 2> only_mtime(Timestamp mtime) {
  return {timespec{0, UTIME_OMIT}, mtime.to_timespec()};
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

class PosixEnv final : public Env {
 public:
  result<UniqueFd> open_root(const std::string& path) override {
    UniqueFd fd(uninterrupted([&] { return ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd) return system_error(errno, "open");
    return fd;
  }

  result<UniqueFd> open(int folder, std::string_view path, int flags, mode_t mode) override {
    return open_beneath(folder, path, flags, mode);
  }

  result<struct stat> status(int fd) override {
    struct stat found {};
    GG_CHECK(checked(fstat(fd, &found), "fstat"));
    return found;
  }

  result<struct stat> status_at(int folder, const std::string& name) override {
    struct stat found {};
    GG_CHECK(checked(fstatat(folder, name.c_str(), &found, AT_SYMLINK_NOFOLLOW), "lstat"));
    return found;
  }

  result<std::vector<FolderEntry>> list(int folder) override;
  result<std::vector<FolderName>> list_names(int folder, std::size_t limit) override;
  result<std::string> read_link(int folder, const std::string& name) override;
  result<std::string> path_of(int fd) override;

  result<struct statvfs> space(int fd) override {
    struct statvfs found {};
    GG_CHECK(checked(fstatvfs(fd, &found), "statvfs"));
    return found;
  }

  result<std::size_t> read(int fd, std::uint64_t offset, std::span<std::byte> buffer) override;
  result<void> write(int fd, std::uint64_t offset, std::span<const std::byte> data) override;

  result<void> reserve(int fd, std::uint64_t size) override {
    if (size == 0) return {};
    const int outcome =
        uninterrupted([&] { return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)); });
    if (outcome < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) return {};
    return checked(outcome, "fallocate");
  }

  result<void> truncate(int fd, std::uint64_t size) override {
    return checked(uninterrupted([&] { return ftruncate(fd, static_cast<off_t>(size)); }), "ftruncate");
  }

  result<void> allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) override {
    return checked(uninterrupted([&] {
                     return fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(length));
                   }),
                   "fallocate");
  }

  result<std::uint64_t> seek(int fd, std::uint64_t offset, int whence) override {
    const off_t found = lseek(fd, static_cast<off_t>(offset), whence);
    GG_CHECK(checked(found < 0 ? -1 : 0, "lseek"));
    return static_cast<std::uint64_t>(found);
  }

  result<void> clone(int from, int to) override { return clone_bytes(from, to); }

  result<std::uint64_t> copy(int from, int to, std::uint64_t offset, std::uint64_t length) override {
    return copy_range(*this, from, to, offset, length);
  }

  result<void> sync(int fd) override {
    return checked(uninterrupted([&] { return fsync(fd); }), "fsync");
  }

  result<void> sync_bytes(int fd) override {
    return checked(uninterrupted([&] { return fdatasync(fd); }), "fdatasync");
  }

  result<void> set_mode(int fd, mode_t mode) override { return checked(fchmod(fd, mode), "fchmod"); }

  result<void> set_mode_at(int folder, const std::string& name, mode_t mode) override {
    return checked(fchmodat(folder, name.c_str(), mode, AT_SYMLINK_NOFOLLOW), "chmod");
  }

  result<void> set_owner(int fd, uid_t uid, gid_t gid) override {
    return checked(fchown(fd, uid, gid), "fchown");
  }

  result<void> set_owner_at(int folder, const std::string& name, uid_t uid, gid_t gid) override {
    return checked(fchownat(folder, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW), "chown");
  }

  result<void> set_mtime(int fd, Timestamp mtime) override {
    return checked(futimens(fd, only_mtime(mtime).data()), "futimens");
  }

  result<void> set_mtime_at(int folder, const std::string& name, Timestamp mtime) override {
    return checked(utimensat(folder, name.c_str(), only_mtime(mtime).data(), AT_SYMLINK_NOFOLLOW),
                   "utimensat");
  }

  result<void> make_folder(int folder, const std::string& name, mode_t mode) override {
    return checked(mkdirat(folder, name.c_str(), mode), "mkdir");
  }

  result<void> make_symlink(int folder, const std::string& name, const std::string& target) override {
    return checked(symlinkat(target.c_str(), folder, name.c_str()), "symlink");
  }

  result<void> rename(int from_folder, const std::string& from, int to_folder, const std::string& to,
                      IfTaken if_taken) override;

  result<void> remove_file(int folder, const std::string& name) override {
    return checked(unlinkat(folder, name.c_str(), 0), "unlink");
  }

  result<void> remove_folder(int folder, const std::string& name) override {
    return checked(unlinkat(folder, name.c_str(), AT_REMOVEDIR), "rmdir");
  }

  result<bool> try_lock(int fd) override {
    if (uninterrupted([&] { return flock(fd, LOCK_EX | LOCK_NB); }) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    return system_error(errno, "flock");
  }

  result<bool> hold(int fd) override {
    struct flock whole = whole_file();
    if (uninterrupted([&] { return fcntl(fd, F_OFD_SETLK, &whole); }) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    return system_error(errno, "fcntl");
  }

  result<bool> is_held(int fd) override {
    struct flock whole = whole_file();
    GG_CHECK(checked(uninterrupted([&] { return fcntl(fd, F_OFD_GETLK, &whole); }), "fcntl"));
    return whole.l_type != F_UNLCK;
  }

 private:
  static result<void> rename_without_flags(int from_folder, const std::string& from, int to_folder,
                                           const std::string& to);
};

using FolderStream = std::unique_ptr<DIR, CloseFolder>;

result<FolderStream> open_stream(int folder) {
  UniqueFd own(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return system_error(errno, "open");
  FolderStream stream(fdopendir(own.get()));
  if (!stream) return system_error(errno, "fdopendir");
  own.release();
  return stream;
}

result<std::vector<FolderName>> PosixEnv::list_names(int folder, std::size_t limit) {
  GG_TRY(const FolderStream stream, open_stream(folder));
  std::vector<FolderName> names;
  while (names.size() < limit) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr && errno != 0) return system_error(errno, "readdir");
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat found {};
    const bool is_folder = entry->d_type == DT_DIR ||
                           (entry->d_type == DT_UNKNOWN &&
                            fstatat(dirfd(stream.get()), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
                            S_ISDIR(found.st_mode));
    names.push_back({std::string(name), is_folder});
  }
  return names;
}

result<std::vector<FolderEntry>> PosixEnv::list(int folder) {
  GG_TRY(const FolderStream stream, open_stream(folder));
  std::vector<std::pair<ino_t, std::string>> found;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") found.emplace_back(entry->d_ino, name);
  }
  if (errno != 0) return system_error(errno, "readdir");

  // Inodes lie on the disk in the order of their numbers: reading them in that order spares its head.
  std::sort(found.begin(), found.end());
  std::vector<FolderEntry> entries;
  entries.reserve(found.size());
  for (auto& [inode, name] : found) {
    FolderEntry& entry = entries.emplace_back();
    if (fstatat(dirfd(stream.get()), name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno != ENOENT) return system_error(errno, "lstat").within(printable(name));
      entries.pop_back();
      continue;
    }
    entry.name = std::move(name);
  }
  return entries;
}

result<std::string> PosixEnv::path_of(int fd) {
  struct stat there {};
  if (::fstat(fd, &there) != 0) return system_error(errno, "fstat");
  if (there.st_nlink == 0) return system_error(ENOENT, "readlink of an open file");
  return read_link(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd));
}

result<std::string> PosixEnv::read_link(int folder, const std::string& name) {
  std::string target(PATH_MAX, '\0');  // symlink(2) takes no longer one
  const ssize_t length = readlinkat(folder, name.c_str(), target.data(), target.size());
  if (length < 0) return system_error(errno, "readlink");
  target.resize(static_cast<std::size_t>(length));
  return target;
}

result<std::size_t> PosixEnv::read(int fd, std::uint64_t offset, std::span<std::byte> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = uninterrupted([&] {
      return pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    });
    if (got < 0) return system_error(errno, "read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

result<void> PosixEnv::write(int fd, std::uint64_t offset, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t put =
        uninterrupted([&] { return pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset)); });
    if (put < 0) return system_error(errno, "write");
    data = data.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

result<void> PosixEnv::rename(int from_folder, const std::string& from, int to_folder, const std::string& to,
                              IfTaken if_taken) {
  const unsigned flags = if_taken == IfTaken::fail       ? RENAME_NOREPLACE
                         : if_taken == IfTaken::exchange ? RENAME_EXCHANGE
                                                         : 0;
  const int outcome = renameat2(from_folder, from.c_str(), to_folder, to.c_str(), flags);
  if (outcome < 0 && if_taken == IfTaken::fail && (errno == EINVAL || errno == ENOSYS))
    return rename_without_flags(from_folder, from, to_folder, to);
  return checked(outcome, "rename");
}

// NFS, older FUSE filesystems: no RENAME_NOREPLACE.
result<void> PosixEnv::rename_without_flags(int from_folder, const std::string& from, int to_folder,
                                            const std::string& to) {
  if (linkat(from_folder, from.c_str(), to_folder, to.c_str(), 0) == 0)
    return checked(unlinkat(from_folder, from.c_str(), 0), "unlink");
  const bool unknown =
      errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;  // also: a folder, or no links here
  if (!unknown) return system_error(errno, "link");
  struct stat found {};
  if (fstatat(to_folder, to.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) return system_error(EEXIST, "rename");
  if (errno != ENOENT) return system_error(errno, "lstat");
  return checked(renameat(from_folder, from.c_str(), to_folder, to.c_str()), "rename");
}

}  // namespace

std::shared_ptr<Env> make_posix_env() {
  return std::make_shared<PosixEnv>();
}

}  // namespace geogrid
