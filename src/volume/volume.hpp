#pragma once
// A volume: the folder tree of one storage node, where the archive is ordinary files at their real paths. The
// folder .geogrid at its top holds what is ours: volume (the marker), tmp, trash, conflicts, locks.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/attributes.hpp"
#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/path.hpp"
#include "volume/disk_change.hpp"
#include "volume/draft.hpp"
#include "volume/trash.hpp"

namespace geogrid {

class Env;

/// What the marker `.geogrid/volume` says.
struct VolumeMarker {
  std::string cluster_uuid;
  std::string cluster_name;
  std::string node;
  std::string uuid;
};

/// An entry as it lies on the disk.
struct DiskEntry {
  std::string name;
  FileType type = FileType::file;
  Attributes attributes;
  std::uint64_t size = 0;
  std::string link_target;       ///< of a symlink
  std::uint64_t disk_inode = 0;  ///< st_ino: reading files in this order spares a disk's head
  std::uint64_t disk_device = 0;
};

struct VolumeSpace {
  std::uint64_t free_bytes = 0;  ///< to this process (f_bavail)
  std::uint64_t total_bytes = 0;
};

/// A file opened for reading. Keeps its bytes readable after the name is gone. Used from the loop.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  /// As of the open.
  virtual const DiskEntry& entry() const = 0;
  /// Reads up to `size` bytes at `offset` and calls `done` **on a thread of the volume** with what it got
  /// (short only at the end of the file); the bytes are valid during the call. This is the path of FUSE
  /// reads: one hop, no copy between threads. `done` is always called, once; errc::busy if the volume's queue
  /// is full.
  virtual void read(std::uint64_t offset, std::size_t size,
                    std::function<void(result<std::span<const std::byte>>)> done) = 0;
};

/// A copy being made: bytes in `.geogrid/tmp`, invisible until published. Dropped (and its file removed)
/// unless published.
class IncomingFile {
 public:
  virtual ~IncomingFile() = default;
  /// Appends. Errors: ENOSPC and others as system codes.
  virtual task<result<void>> append(std::shared_ptr<const std::vector<std::byte>> data) = 0;
  /// Which file it is, for take_back(): once publish() has answered, its device and inode number; nothing
  /// else is set.
  virtual DiskEntry identity() const = 0;
};

/// What an incoming file becomes.
struct PublishRequest {
  std::shared_ptr<IncomingFile> file;
  Path path;
  Attributes attributes;  ///< mtime and mode are set (never set-id bits); owner as far as the process may
};
enum class PublishOutcome {
  published,
  occupied,  ///< something lies at the path: nothing was changed
};

/// How read_whole and digest treat a file that grows or shrinks meanwhile: errc::stale.
struct WholeFile {
  DiskEntry entry;
  Digest digest;
  std::shared_ptr<const std::vector<std::byte>> bytes;  ///< read_whole only
};

/// Where a file was put aside.
enum class AsideReason { conflict, stale_version, damaged, lost };

/// Used from one event loop; whatever blocks runs on the volume's own threads. Every path is opened step by
/// step beneath the volume's root, without following symlinks (openat2(2)). Every call but probe() and
/// read_marker() first makes sure that the marker is the one this volume was opened with: errc::volume_absent
/// if it is not there (nothing may then be concluded from what is missing), errc::foreign if it is another's.
/// A missing file is ENOENT (a system code), which therefore *is* proof of absence on this volume.
class Volume {
 public:
  virtual ~Volume() = default;
  virtual const std::string& node() const = 0;

  /// Checks the marker and answers the free space.
  virtual task<result<VolumeSpace>> probe() = 0;

  // ---- reading ----
  virtual task<result<DiskEntry>> stat(Path path) = 0;
  /// All entries of a folder but `.geogrid` at the top, by name. The listing is whole or an error.
  virtual task<result<std::vector<DiskEntry>>> list(Path folder) = 0;
  virtual task<result<std::shared_ptr<OpenFile>>> open(Path path) = 0;
  /// Reads and digests a file of at most `limit` bytes in one go; larger: EFBIG.
  virtual task<result<WholeFile>> read_whole(Path path, std::size_t limit, DigestAlgorithm algorithm) = 0;
  /// Digests files of any size, several in one hop; an answer for each, in order. Drops what it read from the
  /// page cache where `keep_cached` is false.
  virtual task<std::vector<result<WholeFile>>> digest(std::vector<Path> paths, DigestAlgorithm algorithm,
                                                      bool keep_cached) = 0;

  // ---- changing ----
  /// Starts a copy in `.geogrid/tmp`. `expected_size` is reserved where the disk can (ENOSPC comes early).
  virtual task<result<std::shared_ptr<IncomingFile>>> receive(std::uint64_t expected_size) = 0;
  /// The same with all bytes at hand: one hop.
  virtual task<result<std::shared_ptr<IncomingFile>>> receive_whole(
      std::shared_ptr<const std::vector<std::byte>> data) = 0;
  /// Makes the bytes and then the names power-safe: fsync of each file, missing parent folders made (mode
  /// 0755, owned as the folder above; make_folder() first for others), rename without replacing, fsync of
  /// each folder touched. An answer for each, in order. A file that found its path occupied can be published
  /// again, elsewhere. A crash in between leaves a file in tmp or an uncounted file at its path, both
  /// harmless.
  virtual task<std::vector<result<PublishOutcome>>> publish(std::vector<PublishRequest> requests) = 0;
  /// Moves what lies at `path` out of the tree, never over anything and never removing it: to
  /// `.geogrid/conflicts/DATE/path`, `.geogrid/trash/DATE/path` (stale_version) or
  /// `.geogrid/lost+found/DATE/path` (lost); `when` names DATE. Returns
  /// where to, relative to the volume's root.
  virtual task<result<std::string>> put_aside(Path path, AsideReason reason, Timestamp when) = 0;
  /// Removes a published file again, but only if it still is the very file (device and inode number) that was
  /// published: else errc::stale.
  virtual task<result<void>> take_back(Path path, const DiskEntry& published) = 0;
  /// Makes a folder and those above it that are missing. One that is there already stays as it is, and is
  /// fine; anything else there: errc::already_exists. The same for a symlink with this target. Power-safe.
  virtual task<result<void>> make_folder(Path path, Attributes attributes) = 0;
  virtual task<result<void>> make_symlink(Path path, std::string target, Attributes attributes) = 0;
  virtual task<result<void>> set_mtime(Path path, Timestamp mtime) = 0;
  /// Removes what earlier processes left in `.geogrid/tmp` (files that no living process holds a lock on).
  virtual task<result<std::size_t>> clean_temporary() = 0;

  // ---- clients' writes ----
  /// Starts a draft. One that starts empty costs nothing until its first use, which then tells of a volume
  /// that is absent.
  virtual task<result<std::shared_ptr<Draft>>> start_draft(DraftRequest request) = 0;
  /// The drafts that lie in `.geogrid/tmp`. clean_temporary() leaves them alone.
  virtual task<result<std::vector<DraftFound>>> drafts() = 0;
  /// Moves a draft's file to `.geogrid/lost+found/DATE/path`, never over anything. Returns where to, relative
  /// to the volume's root. ENOENT if it is gone.
  virtual task<result<std::string>> salvage(DraftName draft, Path path, Timestamp when) = 0;
  /// The file that has the draft's name and the one at `path` change places; where nothing is at the path, it
  /// moves there. Power-safe. ENOENT if the draft is gone, errc::is_a_folder.
  virtual task<result<void>> exchange_draft(DraftName draft, Path path) = 0;
  /// The size and digest of the file that has the draft's name.
  virtual task<result<WholeFile>> digest_draft(DraftName draft, DigestAlgorithm algorithm) = 0;
  /// Mode (never set-id bits), owner and modification time of what lies at `path`, as far as the process may;
  /// nothing but ENOENT and the volume's own troubles is an error.
  virtual task<result<void>> set_attributes(Path path, Attributes attributes) = 0;

  // ---- what the node owes ----
  /// Carries out changes in order, in one hop, up to the first that fails, whose error is the last answer.
  /// Nothing is made power-safe here.
  virtual task<std::vector<result<DiskChanged>>> carry_out(std::vector<DiskChange> changes) = 0;
  /// Makes the names that these changes touched power-safe.
  virtual task<result<void>> make_power_safe(std::vector<DiskChanged> changes) = 0;
  /// Puts back what a change moved, never over anything.
  virtual task<result<void>> undo(DiskChanged change) = 0;

  // ---- trash ----
  virtual task<result<std::vector<TrashDate>>> trash_dates() = 0;
  /// As list(), of a folder of the trash.
  virtual task<result<std::vector<DiskEntry>>> list_trash(std::string date, Path folder) = 0;
  /// Moves a file or symlink from the trash back into the tree, never over anything (EEXIST), making missing
  /// folders; power-safe.
  virtual task<result<void>> restore_from_trash(std::string date, Path path, Path to) = 0;
  /// Removes what lies in the trash of that date at `below` and below it, `limit` entries at most.
  virtual task<result<TrashPurge>> purge_trash(std::string date, Path below, std::size_t limit) = 0;

  /// Takes `.geogrid/locks/<name>` (flock(2)) until the returned object dies; errc::busy if another process
  /// has it.
  virtual task<result<std::shared_ptr<void>>> lock(std::string name) = 0;
};

struct LocalVolumeOptions {
  std::string root;      ///< absolute
  std::string node;      ///< the name it must carry
  unsigned threads = 4;  ///< for what somebody waits for, and as many again for digests and changes
  std::shared_ptr<Env> env = nullptr;  ///< null: the machine's own files; for tests
};

/// Opens a local folder (a disk or a network mount) as a volume of this cluster and node. The marker is
/// checked against `expected` on each use; the volume need not be there yet: calls then answer
/// errc::volume_absent until it is.
std::shared_ptr<Volume> open_local_volume(LocalVolumeOptions options, VolumeMarker expected);

/// Reads the marker of the tree at `root`, blocking. Errors: ENOENT (no marker), errc::corrupt.
result<VolumeMarker> read_volume_marker(const std::string& root);
/// Makes `.geogrid` and the marker in the tree at `root`, blocking, power-safe. `empty` tells whether the
/// tree held anything else. Errors: errc::already_exists if there is a marker.
struct NewVolume {
  VolumeMarker marker;
  bool empty = false;
};
result<NewVolume> initialise_volume(const std::string& root, VolumeMarker marker);

/// The volumes this machine can reach, by node.
struct NodeVolume {
  NodeIndex index;
  std::shared_ptr<Volume> volume;
};

}  // namespace geogrid
