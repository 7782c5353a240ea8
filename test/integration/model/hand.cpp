#include "hand.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace geogrid::test {
namespace {

constexpr int kAlways = O_CLOEXEC | O_NONBLOCK;  // a fifo must not stop the test

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

Outcome outcome(std::int64_t returned) {
  Outcome done;
  if (returned < 0)
    done.error = errno;
  else
    done.value = returned;
  return done;
}

Outcome write_all(int fd, const std::string& bytes, std::int64_t offset) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto at = static_cast<off_t>(static_cast<std::size_t>(offset < 0 ? 0 : offset) + done);
    const ssize_t n = offset < 0 ? ::write(fd, bytes.data() + done, bytes.size() - done)
                                 : ::pwrite(fd, bytes.data() + done, bytes.size() - done, at);
    if (n < 0) return outcome(n);
    done += static_cast<std::size_t>(n);
  }
  return outcome(static_cast<std::int64_t>(done));
}

Outcome read_at(int fd, std::uint64_t offset, std::uint64_t size) {
  Outcome done;
  done.bytes.resize(size);
  while (static_cast<std::size_t>(done.value) < size) {
    const auto at = static_cast<std::size_t>(done.value);
    const ssize_t n = ::pread(fd, done.bytes.data() + at, size - at, static_cast<off_t>(offset + at));
    if (n < 0) return outcome(n);
    if (n == 0) break;
    done.value += n;
  }
  done.bytes.resize(static_cast<std::size_t>(done.value));
  return done;
}

/// Opened, written and closed: the first thing that failed.
Outcome write_file(const std::string& path, int flags, mode_t mode, const std::string& bytes,
                   std::int64_t offset) {
  const int fd = ::open(path.c_str(), flags | kAlways, mode);
  if (fd < 0) return outcome(fd);
  Outcome done = write_all(fd, bytes, offset);
  const int closed = ::close(fd);
  return done.error != 0 || closed == 0 ? done : outcome(closed);
}

Outcome map_and_write(int fd, std::uint64_t offset, const std::string& bytes) {
  constexpr std::uint64_t kPage = 4096;
  struct stat status {};
  if (::fstat(fd, &status) != 0) return outcome(-1);
  if (offset + bytes.size() > static_cast<std::uint64_t>(status.st_size)) return {};  // it would be a SIGBUS
  const std::uint64_t begin = offset / kPage * kPage;
  const std::size_t length = static_cast<std::size_t>(offset - begin) + bytes.size();
  void* const map =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(begin));
  if (map == MAP_FAILED) return outcome(-1);
  std::memcpy(static_cast<char*>(map) + (offset - begin), bytes.data(), bytes.size());
  // Else the times would change whenever the kernel finds time to write the pages.
  const Outcome done = outcome(::msync(map, length, MS_SYNC));
  ::munmap(map, length);
  return done;
}

Outcome copy_between(int from, int to, std::uint64_t offset, std::uint64_t size) {
  Outcome done;
  auto in = static_cast<off_t>(offset);
  off_t out = 0;
  while (static_cast<std::uint64_t>(done.value) < size) {
    const ssize_t n =
        ::copy_file_range(from, &in, to, &out, size - static_cast<std::uint64_t>(done.value), 0);
    if (n < 0) return outcome(n);
    if (n == 0) break;
    done.value += n;
  }
  return done;
}

timespec time_for(const Operation& op) {
  if (op.flags == 1) return {0, UTIME_NOW};
  if (op.flags == 2) return {0, UTIME_OMIT};
  return {static_cast<time_t>(op.time), static_cast<long>(op.seed % 1'000'000'000)};
}

Outcome extended_attribute(const std::string& path, const Operation& op) {
  Outcome done;
  if (op.kind == OpKind::setxattr) return outcome(::lsetxattr(path.c_str(), op.b.c_str(), "x", 1, 0));
  done.bytes.resize(4096);
  done.value = ::lgetxattr(path.c_str(), op.b.c_str(), done.bytes.data(), done.bytes.size());
  if (done.value < 0) return outcome(-1);
  done.bytes.resize(static_cast<std::size_t>(done.value));
  return done;
}

Outcome sync_folder(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | kAlways));
  return fd ? outcome(::fsync(fd.get())) : outcome(-1);
}

}  // namespace

bool Seen::is_folder() const {
  return S_ISDIR(mode);
}
bool Seen::is_file() const {
  return S_ISREG(mode);
}

std::string Seen::str() const {
  return fmt::format("inode {} mode {:o} owner {}:{} nlink {} size {} mtime {}.{:09} ctime {}.{:09}", inode,
                     mode, uid, gid, nlink, size, mtime / 1'000'000'000, mtime % 1'000'000'000,
                     ctime / 1'000'000'000, ctime % 1'000'000'000);
}

Seen seen_of(const struct stat& status) {
  Seen seen;
  seen.inode = status.st_ino;
  seen.mode = status.st_mode;
  seen.uid = status.st_uid;
  seen.gid = status.st_gid;
  seen.nlink = static_cast<std::uint32_t>(status.st_nlink);
  seen.size = S_ISDIR(status.st_mode) ? 0 : static_cast<std::uint64_t>(status.st_size);
  seen.mtime = nanoseconds(status.st_mtim);
  seen.ctime = nanoseconds(status.st_ctim);
  return seen;
}

std::string Outcome::str() const {
  std::string text = error != 0 ? std::string(::strerror(error)) : fmt::format("ok ({})", value);
  if (!bytes.empty()) text += fmt::format(", {} bytes", bytes.size());
  for (const std::string& name : names) text += " " + name.substr(0, 20);
  if (seen) text += ", " + seen->str();
  return text;
}

std::optional<Seen> Hand::look(const std::string& path, bool follow) const {
  struct stat status {};
  if ((follow ? ::stat : ::lstat)(full(path).c_str(), &status) != 0) return std::nullopt;
  return seen_of(status);
}

Outcome Hand::list(const std::string& path) const {
  DIR* const folder = ::opendir(full(path).c_str());
  if (!folder) return outcome(-1);
  Outcome done;
  errno = 0;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    const char type = entry->d_type == DT_DIR   ? 'd'
                      : entry->d_type == DT_REG ? '-'
                      : entry->d_type == DT_LNK ? 'l'
                                                : 'p';
    if (name != "." && name != "..") done.names.push_back(type + name);
    errno = 0;
  }
  done.error = errno;
  ::closedir(folder);
  std::sort(done.names.begin(), done.names.end());
  return done;
}

Outcome Hand::read_whole(const std::string& path) const {
  const UniqueFd fd(::open(full(path).c_str(), O_RDONLY | kAlways));
  if (!fd) return outcome(-1);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return outcome(-1);
  return read_at(fd.get(), 0,
                 static_cast<std::uint64_t>(status.st_size) + 1);  // one more: it may be longer than it says
}

Outcome Hand::perform(const Operation& op) {
  return op.on_slot() ? on_slot(op) : on_path(op);
}

Outcome Hand::on_path(const Operation& op) const {
  const std::string path = full(op.a);
  const char* const name = path.c_str();
  switch (op.kind) {
    case OpKind::put:
      return write_file(path, O_WRONLY | O_CREAT | O_TRUNC, op.mode, bytes_of(op.seed, op.size), -1);
    case OpKind::append:
      return write_file(path, O_WRONLY | O_APPEND, 0, bytes_of(op.seed, op.size), -1);
    case OpKind::patch:
      return write_file(path, O_WRONLY, 0, bytes_of(op.seed, op.size), static_cast<std::int64_t>(op.offset));
    case OpKind::create:
      return write_file(path, O_WRONLY | O_CREAT | O_EXCL, op.mode, bytes_of(op.seed, op.size), -1);
    case OpKind::truncate:
      return outcome(::truncate(name, static_cast<off_t>(op.size)));
    case OpKind::get:
      return read_whole(op.a);
    case OpKind::rename:
      return outcome(::renameat2(AT_FDCWD, name, AT_FDCWD, full(op.b).c_str(), op.flags));
    case OpKind::unlink:
      return outcome(::unlink(name));
    case OpKind::mkdir:
      return outcome(::mkdir(name, op.mode));
    case OpKind::rmdir:
      return outcome(::rmdir(name));
    case OpKind::symlink:
      return outcome(::symlink(op.b.c_str(), name));
    case OpKind::link:
      return outcome(::link(name, full(op.b).c_str()));
    case OpKind::mkfifo:
      return outcome(::mkfifo(name, op.mode));
    case OpKind::readlink: {
      Outcome done;
      done.bytes.resize(4096);
      done.value = ::readlink(name, done.bytes.data(), done.bytes.size());
      if (done.value < 0) return outcome(-1);
      done.bytes.resize(static_cast<std::size_t>(done.value));
      return done;
    }
    case OpKind::chmod:
      return outcome(::chmod(name, op.mode));
    case OpKind::chown:
      return outcome(::lchown(name, static_cast<uid_t>(op.offset), static_cast<gid_t>(op.size)));
    case OpKind::utimens: {
      const timespec times[2] = {time_for(op), time_for(op)};
      return outcome(::utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW));
    }
    case OpKind::stat: {
      Outcome done;
      done.seen = look(op.a);
      return done.seen ? done : outcome(-1);
    }
    case OpKind::list:
      return list(op.a);
    case OpKind::getxattr:
    case OpKind::setxattr:
      return extended_attribute(path, op);
    case OpKind::sync_folder:
      return sync_folder(path);
    default:
      return {};
  }
}

Outcome Hand::open_one(const Operation& op) {
  const int fd = ::open(full(op.a).c_str(), static_cast<int>(op.flags) | kAlways, op.mode);
  if (fd < 0) return outcome(fd);
  open_[op.slot] = UniqueFd(fd);
  return {};
}

Outcome Hand::on_slot(const Operation& op) {
  if (op.kind == OpKind::open) return open_one(op);
  const int fd = open_.at(op.slot).get();
  switch (op.kind) {
    case OpKind::write:
      return write_all(fd, bytes_of(op.seed, op.size), static_cast<std::int64_t>(op.offset));
    case OpKind::read:
      return read_at(fd, op.offset, op.size);
    case OpKind::resize:
      return outcome(::ftruncate(fd, static_cast<off_t>(op.size)));
    case OpKind::allocate:
      return outcome(::fallocate(fd, static_cast<int>(op.flags), static_cast<off_t>(op.offset),
                                 static_cast<off_t>(op.size)));
    case OpKind::map_write:
      return map_and_write(fd, op.offset, bytes_of(op.seed, op.size));
    case OpKind::copy_range:
      return copy_between(fd, open_.at(static_cast<int>(op.flags)).get(), op.offset, op.size);
    case OpKind::fsync:
      return outcome(op.flags != 0 ? ::fdatasync(fd) : ::fsync(fd));
    case OpKind::fstat: {
      struct stat status {};
      if (::fstat(fd, &status) != 0) return outcome(-1);
      Outcome done;
      done.seen = seen_of(status);
      return done;
    }
    case OpKind::dup_close: {
      const int other = ::dup(fd);
      return outcome(other < 0 ? other : ::close(other));
    }
    case OpKind::close:
      return outcome(::close(open_.extract(op.slot).mapped().release()));
    default:
      return {};
  }
}

}  // namespace geogrid::test
