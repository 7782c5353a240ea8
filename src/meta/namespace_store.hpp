#pragma once
// The tree of names: reading and changing it. Part of MetadataStore.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "meta/records.hpp"

namespace geogrid {

/// A process's hold on files it writes. Random, never 0.
using LeaseOwner = StrongId<struct LeaseOwnerTag, std::uint64_t>;

struct NewNode {
  InodeId parent;
  std::string name;
  FileType type = FileType::folder;  ///< anything but file
  Attributes attributes;
  std::string link_target;
  std::uint64_t rdev = 0;
};

struct NewFile {
  InodeId parent;
  std::string name;
  Attributes attributes;
  LeaseOwner owner;
  std::chrono::seconds lease{60};
  bool exclusive = false;  ///< O_EXCL: errc::already_exists if the name is taken
};
struct CreatedFile {
  Inode inode;
  bool existed = false;  ///< the name was there (not exclusive): nothing was changed, no lease was given
};

/// New content of a file, which lies under its path on `replicas` already or is renamed there right after.
struct Publication {
  InodeId id;
  LeaseOwner owner;
  Version base;  ///< the version the writer started from (0 for a new file)
  std::uint64_t size = 0;
  Digest digest;  ///< may be pending
  Timestamp mtime;
  NodeSet replicas;
};
struct Published {
  Inode inode;                  ///< as it is now
  bool base_was_stale = false;  ///< another writer closed in between: its bytes, on `displaced`, go to trash
  NodeSet displaced;            ///< nodes that held the version before this one
};

struct AttributeChange {
  std::optional<std::uint32_t> mode, uid, gid;
  std::optional<Timestamp> atime, mtime;
  std::optional<std::string> storage_class;
  Timestamp ctime;  ///< what the change sets ctime to
};

enum class RenameMode { replace, no_replace, exchange };

/// What is owed on disks for a change of names that is already true in metadata.
enum class IntentKind : std::uint8_t {
  remove = 1,
  rename = 2,
  remove_folder = 3,
  make_folder = 4,
  exchange = 5,  ///< what lies at path and at new_path changes places; a node may have only one of them
};
using IntentId = StrongId<struct IntentTag, std::uint64_t>;
struct Intent {
  IntentId id;  ///< intents of one node are carried out in rising order
  IntentKind kind = IntentKind::remove;
  InodeId inode;
  Path path;       ///< where it was when the change was made
  Path new_path;   ///< rename and exchange only
  Timestamp when;  ///< names the trash folder: the same on every node
  NodeSet owed;
};

struct Removed {
  Inode inode;
  std::optional<IntentId> intent;  ///< none if no node held it
};
struct Renamed {
  Inode inode;                    ///< as it is now
  std::optional<Inode> replaced;  ///< what was at the target (or is now at the source, after an exchange)
  std::vector<IntentId> intents;
};

/// Errors common to all: errc::not_found, already_exists, not_a_folder, is_a_folder, not_empty, unavailable
/// (the database cannot be reached), and what check_name() says. Every change appends to the change log in
/// its own transaction. Permissions are the caller's business (the kernel's default_permissions).
class NamespaceStore {
 public:
  virtual ~NamespaceStore() = default;

  // ---- reading; one indexed read each ----
  virtual task<result<Inode>> get(InodeId id) = 0;
  virtual task<result<std::optional<Inode>>> lookup(InodeId parent, std::string name) = 0;
  /// Entries of a folder with id > after, by id, at most `limit`. Pending files are listed too (their name is
  /// taken).
  virtual task<result<std::vector<Inode>>> list(InodeId parent, InodeId after, std::size_t limit) = 0;
  virtual task<result<Inode>> resolve(Path path) = 0;
  /// Errors: errc::not_found if the id, or a folder above it, is gone.
  virtual task<result<Path>> path_of(InodeId id) = 0;

  // ---- changing ----
  virtual task<result<Inode>> make_node(NewNode node) = 0;
  virtual task<result<CreatedFile>> create_file(NewFile file) = 0;
  /// Takes (or renews) a lease on an existing file.
  virtual task<result<Inode>> open_for_write(InodeId id, LeaseOwner owner, std::chrono::seconds lease) = 0;
  virtual task<result<void>> renew_leases(LeaseOwner owner, std::chrono::seconds lease) = 0;
  /// Gives up the lease of one file that was not changed; a file that was never published goes away with it.
  virtual task<result<void>> abandon(InodeId id, LeaseOwner owner) = 0;
  /// Files whose lease has run out: published ones lose the lease, pending rows go. Returns what went, at
  /// most `limit`.
  virtual task<result<std::vector<Inode>>> expire_leases(std::size_t limit) = 0;
  /// Takes the next version under the row's lock. Last close wins. Errors: errc::stale if the lease is gone.
  virtual task<result<Published>> publish(Publication publication, bool durable) = 0;
  virtual task<result<Inode>> set_attributes(InodeId id, AttributeChange change) = 0;
  /// Removes a file or special file; a folder gives errc::is_a_folder.
  virtual task<result<Removed>> unlink(InodeId parent, std::string name, Timestamp now) = 0;
  virtual task<result<Removed>> remove_folder(InodeId parent, std::string name, Timestamp now) = 0;
  virtual task<result<Renamed>> rename(InodeId parent, std::string name, InodeId new_parent,
                                       std::string new_name, RenameMode mode, Timestamp now) = 0;

  // ---- what disks owe ----
  virtual task<result<std::vector<Intent>>> owed_by(NodeIndex node, IntentId after, std::size_t limit) = 0;
  /// Strikes the node off; the row goes with the last.
  virtual task<result<void>> finish_intents(NodeIndex node, std::vector<IntentId> ids) = 0;
};

}  // namespace geogrid
