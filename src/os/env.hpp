#pragma once
// The effects on files that durability and safety rest on, behind an interface, so that a test can lose
// whatever was not made power-safe.

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/timestamp.hpp"
#include "base/unique_fd.hpp"

namespace geogrid {

/// An entry of a folder with its lstat(2).
struct FolderEntry {
  std::string name;
  struct stat status {};
};

/// A name of a folder, without its lstat(2).
struct FolderName {
  std::string name;
  bool is_folder = false;
};

/// What rename() does where the new name is taken.
enum class IfTaken {
  fail,      ///< EEXIST, and nothing is changed
  replace,   ///< as rename(2)
  exchange,  ///< the two swap places; where the filesystem cannot: EINVAL
};

/// Blocking, thread-safe. Errors are system codes; their text names the call, callers add the path. A
/// `folder` is a descriptor of an open folder, and a `name` one name within it. No symlink is ever followed,
/// except by open_root().
class Env {
 public:
  virtual ~Env() = default;

  // ---- opening ----
  /// A folder by its path on this machine; symlinks are followed, since the configuration says where it is.
  /// With O_PATH.
  virtual result<UniqueFd> open_root(const std::string& path) = 0;
  /// Opens `path` ("a/b", of any length; "" is the folder itself) beneath `folder`: openat2(2) with
  /// RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS. O_CLOEXEC, O_NOFOLLOW and O_NOCTTY are
  /// added to `flags`. A symlink on the way is ELOOP; at the end too, unless `flags` has O_PATH.
  virtual result<UniqueFd> open(int folder, std::string_view path, int flags, mode_t mode = 0) = 0;

  // ---- looking ----
  virtual result<struct stat> status(int fd) = 0;
  virtual result<struct stat> status_at(int folder, const std::string& name) = 0;
  /// All entries but "." and "..", in no order; one that goes away meanwhile is left out.
  virtual result<std::vector<FolderEntry>> list(int folder) = 0;
  /// The first names of a folder, at most `limit`, in no order. For folders of any size that are being
  /// emptied.
  virtual result<std::vector<FolderName>> list_names(int folder, std::size_t limit) = 0;
  virtual result<std::string> read_link(int folder, const std::string& name) = 0;
  /// Where the open file or folder lies now, as an absolute path of this machine (proc(5), /proc/self/fd):
  /// folders above it may have been renamed since it was opened. ENOENT if its name is gone.
  virtual result<std::string> path_of(int fd) = 0;
  virtual result<struct statvfs> space(int fd) = 0;

  // ---- bytes ----
  /// Fills the buffer from `offset`; less only at the end of the file.
  virtual result<std::size_t> read(int fd, std::uint64_t offset, std::span<std::byte> buffer) = 0;
  /// Writes all of it at `offset`.
  virtual result<void> write(int fd, std::uint64_t offset, std::span<const std::byte> data) = 0;
  /// Sets disk space aside without changing the size, where the filesystem can (fallocate(2)).
  virtual result<void> reserve(int fd, std::uint64_t size) = 0;
  virtual result<void> truncate(int fd, std::uint64_t size) = 0;
  /// fallocate(2) with this mode. EOPNOTSUPP where the filesystem cannot.
  virtual result<void> allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) = 0;
  /// lseek(2) with SEEK_DATA or SEEK_HOLE, whatever the file's position is. ENXIO past the last data; EINVAL
  /// where the filesystem cannot tell.
  virtual result<std::uint64_t> seek(int fd, std::uint64_t offset, int whence) = 0;
  /// Makes `to` share all bytes of `from` (FICLONE). EOPNOTSUPP where the filesystems cannot.
  virtual result<void> clone(int from, int to) = 0;
  /// Copies bytes to the same offset of another file, in the kernel where it can; returns how many: less only
  /// at the end of `from`. Holes become zeros.
  virtual result<std::uint64_t> copy(int from, int to, std::uint64_t offset, std::uint64_t length) = 0;
  /// fsync(2): the bytes and attributes of a file, or the names in a folder, survive a power loss from here
  /// on.
  virtual result<void> sync(int fd) = 0;
  /// fdatasync(2): the same of bytes and size only.
  virtual result<void> sync_bytes(int fd) = 0;

  // ---- attributes ----
  virtual result<void> set_mode(int fd, mode_t mode) = 0;
  /// EOPNOTSUPP of a symlink.
  virtual result<void> set_mode_at(int folder, const std::string& name, mode_t mode) = 0;
  virtual result<void> set_owner(int fd, uid_t uid, gid_t gid) = 0;
  virtual result<void> set_owner_at(int folder, const std::string& name, uid_t uid, gid_t gid) = 0;
  virtual result<void> set_mtime(int fd, Timestamp mtime) = 0;
  virtual result<void> set_mtime_at(int folder, const std::string& name, Timestamp mtime) = 0;

  // ---- names ----
  virtual result<void> make_folder(int folder, const std::string& name, mode_t mode) = 0;
  virtual result<void> make_symlink(int folder, const std::string& name, const std::string& target) = 0;
  /// renameat2(2). Where the filesystem does not know RENAME_NOREPLACE, a file is linked and unlinked; where
  /// it knows no links either, the name is checked first (the one case in which two processes could race).
  virtual result<void> rename(int from_folder, const std::string& from, int to_folder, const std::string& to,
                              IfTaken if_taken) = 0;
  virtual result<void> remove_file(int folder, const std::string& name) = 0;
  virtual result<void> remove_folder(int folder, const std::string& name) = 0;

  // ---- locks ----
  /// flock(2), exclusive, until the descriptor is closed; false if another has it.
  virtual result<bool> try_lock(int fd) = 0;
  /// Shows other processes, until the descriptor is closed, that somebody has this file (a lock of its open
  /// file description, fcntl(2)); false if another has it. Needs a descriptor for writing. Independent of
  /// try_lock().
  virtual result<bool> hold(int fd) = 0;
  /// Whether another open file description holds it. Takes no lock, not even for a moment.
  virtual result<bool> is_held(int fd) = 0;
};

/// The machine's own files.
std::shared_ptr<Env> make_posix_env();

}  // namespace geogrid
