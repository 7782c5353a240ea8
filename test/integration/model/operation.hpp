#pragma once
// What the model test does to a tree: operations as values, which can be printed, read again, left out and
// repeated.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace geogrid::test {

enum class OpKind : std::uint8_t {
  // ---- on paths ----
  put,       ///< a whole content: created, or truncated and written
  append,    ///< opened with O_APPEND, written, closed
  patch,     ///< opened, written at an offset, closed
  create,    ///< open(2) with O_CREAT|O_EXCL, closed
  truncate,  ///< truncate(2)
  get,       ///< read whole
  rename,    ///< renameat2(2); `flags`: 0, RENAME_NOREPLACE, RENAME_EXCHANGE
  unlink,
  mkdir,
  rmdir,
  symlink,  ///< at `a`, with the text `b`
  link,     ///< link(2) of `a` as `b`
  mkfifo,
  readlink,
  chmod,
  chown,  ///< lchown(2) to `offset` (user) and `size` (group); kKeep leaves one as it is
  utimens,
  stat,  ///< lstat(2)
  list,
  getxattr,     ///< of the name `b`
  setxattr,     ///< likewise
  sync_folder,  ///< fsync of a folder
  // ---- on open files: `slot` names the descriptor ----
  open,  ///< `flags` of open(2)
  write,
  read,
  resize,      ///< ftruncate(2)
  allocate,    ///< fallocate(2) with mode `flags`
  map_write,   ///< through a shared mapping
  copy_range,  ///< copy_file_range(2) to the slot `flags`
  fsync,
  fstat,
  dup_close,  ///< a duplicate of the descriptor is made and closed
  close,
  // ---- on the archive ----
  close_all,
  rest,   ///< wait until all is quiet, and compare everything
  fault,  ///< `a` names it
};

struct Operation {
  static constexpr std::uint64_t kKeep = 0xffffffff;

  OpKind kind = OpKind::stat;
  int mount = 0;
  std::string a, b;  ///< paths below the mount, without a slash in front
  int slot = 0;
  unsigned flags = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t seed = 0;  ///< what is written
  std::uint32_t mode = 0;
  std::int64_t time = 0;  ///< seconds
  bool eager = false;     ///< does not wait until this mount has heard of what the other one did

  bool on_slot() const { return kind >= OpKind::open && kind <= OpKind::close; }
  /// Changes nothing: may be asked again.
  bool only_looks() const;
  /// Sets to nothing what does not matter for this kind.
  void leave_out_unused();
  /// One line: "rename m=1 a=x/y b=z flags=2".
  std::string str() const;
  friend bool operator==(const Operation&, const Operation&) = default;
};
using Operations = std::vector<Operation>;

/// Throws std::invalid_argument, naming the line. Empty lines and those that start with # are left out.
Operations parse_operations(std::string_view text);
std::string text_of(const Operations& operations);

/// Bytes that differ from seed to seed and from place to place.
std::string bytes_of(std::uint64_t seed, std::size_t size);

}  // namespace geogrid::test
