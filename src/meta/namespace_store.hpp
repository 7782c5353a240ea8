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
  LeaseOwner by;  ///< of a symlink, which all nodes then owe: who carries that out first (see take_owed())
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

/// Where new content of a file is to go: what a writer asks before it touches what lies there.
struct PublicationPlace {
  Inode inode;  ///< as it is now: without the copies that were withdrawn
  Path path;
  NodeSet owing;  ///< of the nodes asked about, those that owe something on the path or above it: to be
                  ///< carried out first, then ask again
};

/// New content of a file, which lies at `path` on `replicas` already.
struct Publication {
  InodeId id;
  LeaseOwner owner;
  Version base;  ///< the version the writer started from (0 for a new file)
  Path path;
  std::uint64_t size = 0;
  Digest digest;  ///< may be pending
  Timestamp mtime;
  Timestamp ctime;
  NodeSet replicas;
};
struct Published {
  /// False: nothing was recorded, since the path no longer leads to the file, or a replica owes something on
  /// it, or another writer recorded a version there since begin_publication(), so that its bytes may lie over
  /// these. Take the bytes back, ask begin_publication() and do it again; the lease is kept.
  bool recorded = false;
  Inode inode;                  ///< as it is now
  bool base_was_stale = false;  ///< another writer closed in between: its bytes are displaced
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
  exchange = 5,      ///< what lies at path and at new_path changes places; a node may have only one of them
  salvage = 6,       ///< a writer died: what lies at the path was never recorded, and belongs to lost+found
  make_symlink = 7,  ///< its target is in the row
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
  NodeSet owed;                    ///< who held it
};
struct Renamed {
  Inode inode;                    ///< as it is now
  std::optional<Inode> replaced;  ///< what was at the target (or is now at the source, after an exchange)
  std::vector<Intent> intents;    ///< in the order in which each node carries them out
  NodeSet at_once;  ///< nodes that owe nothing else that touches these names: the intents may be carried out
                    ///< there before what else they owe
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
  /// Says that the owner lives, for `lease` from now on, and renews all that it holds.
  virtual task<result<void>> renew_leases(LeaseOwner owner, std::chrono::seconds lease) = 0;
  /// Whether the owner said so lately. A draft whose owner does not live is nobody's.
  virtual task<result<bool>> is_alive(LeaseOwner owner) = 0;
  /// The owner ends in good order: it holds nothing any more. Pending files of its own stay until
  /// expire_leases().
  virtual task<result<void>> end_owner(LeaseOwner owner) = 0;
  /// Gives up the lease of one file that was not changed; a file that was never published goes away with it.
  virtual task<result<void>> abandon(InodeId id, LeaseOwner owner) = 0;
  /// Owners and files whose lease has run out: published files lose the lease, pending rows go, and every
  /// node then owes IntentKind::salvage on their path. Returns the rows that went, at most `limit`. Not
  /// logged under origin(): the client of the same process hears of it as of another's change.
  virtual task<result<std::vector<Inode>>> expire_leases(std::size_t limit) = 0;

  /// Before what lies on `nodes` at the file's path is replaced: takes (or renews) the lease, and counts
  /// these nodes' copies of the present version as older from now on, so that nobody takes the new bytes for
  /// it; those that are `owing` are left as they are. Until the lease ends, copies on these nodes are not
  /// counted, and those of the file not withdrawn, by others. A file that was never published only gets its
  /// lease renewed. Errors: errc::refused if a node is not in use.
  virtual task<result<PublicationPlace>> begin_publication(InodeId id, LeaseOwner owner, NodeSet nodes,
                                                           std::chrono::seconds lease) = 0;
  /// Takes the next version under the row's lock, and ends the owner's lease. Last close wins. Errors:
  /// errc::stale if the lease is gone; errc::not_found if the file was removed; errc::refused if a node is
  /// not in use.
  virtual task<result<Published>> publish(Publication publication, bool durable) = 0;
  /// Ends a publication that came to nothing: copies of `version` that this owner's begin_publication()
  /// withdrew from `nodes`, where they lie as they did, count again (but for those that another writer is
  /// about to replace: they do when that one cancels too); the lease ends, and a file that was never
  /// published goes away with it.
  virtual task<result<void>> cancel_publication(InodeId id, LeaseOwner owner, NodeSet nodes,
                                                Version version) = 0;
  virtual task<result<Inode>> set_attributes(InodeId id, AttributeChange change) = 0;
  /// Removes a file or special file; a folder gives errc::is_a_folder.
  /// `by`: who carries out on disks what follows from it; taken for kIntentHold as if by take_owed(). 0:
  /// whoever comes first.
  virtual task<result<Removed>> unlink(InodeId parent, std::string name, Timestamp now, LeaseOwner by) = 0;
  virtual task<result<Removed>> remove_folder(InodeId parent, std::string name, Timestamp now,
                                              LeaseOwner by) = 0;
  /// `durable_if_replaced`: power-safe before it returns if bytes are replaced, whose way to trash then need
  /// not wait.
  virtual task<result<Renamed>> rename(InodeId parent, std::string name, InodeId new_parent,
                                       std::string new_name, RenameMode mode, Timestamp now, LeaseOwner by,
                                       bool durable_if_replaced) = 0;
  static constexpr std::chrono::seconds kIntentHold{30};

  // ---- what disks owe ----
  virtual task<result<std::vector<Intent>>> owed_by(NodeIndex node, IntentId after, std::size_t limit) = 0;
  /// What the node owes, in order, as far as nobody else is about to do it: without what other workers have
  /// taken and not finished, and without what comes after that and touches the same names (is one of them,
  /// above or below). Taken for `hold`.
  virtual task<result<std::vector<Intent>>> take_owed(NodeIndex node, LeaseOwner by, std::size_t limit,
                                                      std::chrono::seconds hold) = 0;
  /// Strikes the node off; the row goes with the last. Answers for each whether the node still owed it: if
  /// not, somebody else finished it meanwhile, and what was done for it now must be undone (it may have
  /// hit what came to the path later).
  virtual task<result<std::vector<bool>>> finish_intents(NodeIndex node, std::vector<IntentId> ids) = 0;

  /// What was changed before is power-safe when it returns (MariaDB: as its server is set).
  virtual task<result<void>> sync() = 0;
};

}  // namespace geogrid
