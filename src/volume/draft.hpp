#pragma once
// A file that a client writes: private bytes in `.geogrid/tmp` of one node, which take their path at close.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/attributes.hpp"
#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/path.hpp"

namespace geogrid {

/// Whose a draft is; also its name in `.geogrid/tmp`: "draft.INODE.OWNER.NUMBER", in decimal.
struct DraftName {
  InodeId file;
  std::uint64_t owner = 0;   ///< the LeaseOwner of the process that writes it
  std::uint64_t number = 0;  ///< the owner's own count

  std::string str() const;
  /// nullopt: the name of something else.
  static std::optional<DraftName> parse(std::string_view name);
};

struct DraftRequest {
  DraftName name;
  /// Starts with the bytes of this file of the tree (shared with it where the filesystem can, else copied).
  /// errc::stale if it has not `base_size` bytes, or changes meanwhile.
  std::optional<Path> base;
  std::uint64_t base_size = 0;
};

struct DraftPlace {
  Path path;
  Attributes attributes;    ///< mtime and mode are set (never set-id bits); owner as far as the process may
  bool power_safe = false;  ///< fsync of the bytes before, of the folder after
  /// An older version of the very file lies at the path: it will go to trash. Else whatever lies there is
  /// foreign, and will go to `.geogrid/conflicts`.
  bool replaces = false;
};

/// Used from the loop, one call of the awaitable ones at a time; write() and read() may overlap each other.
/// Dies without having been placed: its file is removed, unless keep() was called. Between place() and
/// settle() what lay at the path has the draft's name in `.geogrid/tmp`, so that a crash there can be put
/// right: metadata tells which of the two is the current version. A draft that dies there leaves it there.
/// What changes the bytes is refused after place(): errc::invalid_argument.
class Draft {
 public:
  using Written = std::function<void(result<void>)>;
  using Read = std::function<void(result<std::span<const std::byte>>)>;
  virtual ~Draft() = default;

  /// Writes all of `data` at `offset` and calls `done` **on a thread of the volume**; `data` must live until
  /// then. `done` is always called, once; errc::busy if the volume's queue is full; ENOSPC and others as
  /// system codes.
  virtual void write(std::uint64_t offset, std::span<const std::byte> data, Written done) = 0;
  /// As OpenFile::read(). Works after place() too, and after the name is gone.
  virtual void read(std::uint64_t offset, std::size_t size, Read done) = 0;
  virtual task<result<void>> truncate(std::uint64_t size) = 0;
  /// fallocate(2). EOPNOTSUPP where the filesystem cannot.
  virtual task<result<void>> allocate(int mode, std::uint64_t offset, std::uint64_t length) = 0;
  /// lseek(2) with SEEK_DATA or SEEK_HOLE; ENXIO past the last data.
  virtual task<result<std::uint64_t>> seek(std::uint64_t offset, int whence) = 0;
  /// Of all its bytes, read again.
  virtual task<result<Digest>> digest(DigestAlgorithm algorithm) = 0;
  /// The bytes, and the name that they have now, are power-safe when it returns.
  virtual task<result<void>> sync() = 0;

  /// Gives the bytes their path, in one step for who looks: missing folders are made (mode 0755, owned as the
  /// folder above), what lies at the path changes places with the draft. errc::is_a_folder if a folder lies
  /// there; errc::stale if the draft was salvaged meanwhile. After an error it is what it was before.
  virtual task<result<void>> place(DraftPlace where) = 0;
  /// Undoes place(), so that it can be placed again: nothing was recorded. errc::stale if by now another file
  /// lies at the path, or none: then the bytes are copied to a new draft of the same name, and what lies
  /// there is left alone.
  virtual task<result<void>> take_back() = 0;
  /// Its bytes must not be lost with it: whatever of it lies in `.geogrid/tmp` when it dies stays there, for
  /// salvage.
  virtual void keep() = 0;
  /// It was recorded: what lay at the path before goes where place() was told. `when` names the folder in
  /// trash.
  virtual task<result<void>> settle(Timestamp when) = 0;
};

/// A draft as it lies in `.geogrid/tmp`, perhaps left by a process that died.
struct DraftFound {
  DraftName name;
  std::uint64_t size = 0;
  std::chrono::seconds age{0};  ///< since its last change, by this volume's own clock
  bool in_use = false;          ///< a process of this machine holds it
};

}  // namespace geogrid
