#pragma once
// Which nodes hold which bytes: what walks, replication and proofs record. Part of MetadataStore.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "meta/records.hpp"

namespace geogrid {

/// An entry that a walk found on a disk and metadata does not know.
struct FoundEntry {
  std::string name;
  FileType type = FileType::file;  ///< folder, file or symlink
  Attributes attributes;  ///< from the disk: the only time that metadata takes owner and mode from there
  std::uint64_t size = 0;
  Digest digest;  ///< of a file: never pending here
  std::string link_target;
};
enum class RegisterOutcome {
  registered,  ///< it is in the tree now, held by the node
  known,       ///< somebody else registered the name meanwhile: look again
  removed,  ///< the name was removed or moved since the walk listed the folder, or its removal is owed by the
            ///< node
};
struct Registration {
  RegisterOutcome outcome = RegisterOutcome::registered;
  InodeId id;  ///< of registered and known
};

/// "This node now holds that version": counts only while the row is at that version and `path` still leads to
/// it.
struct CopyClaim {
  InodeId id;
  Version version;
  Path path;  ///< where the copy lies on the node
  std::uint64_t size = 0;
  Digest digest;  ///< of the bytes on the node, just calculated; never pending
};
enum class ClaimOutcome {
  counted,  ///< (also when it was counted before)
  stale,  ///< another version or path by now, the file is gone, or the node still owes an intent on the path:
          ///< drop the copy
  mismatch,  ///< the row's digest or size is another: this is no copy
};

struct Withdrawal {
  InodeId id;
  Version version;
  Path path;
  FindingKind reason = FindingKind::missing;
  std::string detail;
};

/// A file that needs a copy on the node that asked.
struct WorkItem {
  Inode inode;
  Path path;
  int urgency = 0;   ///< see policy/replication.hpp
  int attempts = 0;  ///< that failed so far
};

/// One line of `geogridd queue`.
struct QueueEntry {
  Inode inode;
  Path path;
  int urgency = 0;
  NodeSet helpers;  ///< nodes that could make the missing copy; empty: nobody can
  int attempts = 0;
  std::optional<Timestamp> retry_at;
};
struct QueueSummary {
  std::uint64_t files = 0;  ///< under their replica target
  std::uint64_t bytes = 0;
  std::uint64_t without_copy = 0;        ///< no good replica is left
  std::uint64_t last_copy = 0;           ///< one good replica is left, and more are asked for
  std::uint64_t stuck = 0;               ///< no eligible node
  std::vector<std::uint64_t> helped_by;  ///< [node index]: files that this node could help
};

struct ProvedTime {
  NodeIndex node;
  Timestamp when;
};

/// Errors common to all: errc::unavailable. Batches are applied in one transaction each (at most kMaxBatch
/// entries); the answer has an outcome for each entry, in order.
class CopyStore {
 public:
  static constexpr std::size_t kMaxBatch = 512;
  virtual ~CopyStore() = default;

  /// Registers what a walk of `node` found directly in `folder`. `seen` is the newest change the walker knew
  /// *before* it listed the folder on disk (latest_change()): names that were removed or moved since are not
  /// brought back (on MariaDB, whose changes become visible out of order, nor are those of the 10 s before).
  /// Errors: errc::stale if the log no longer reaches back to `seen`, or the folder or one above it was moved
  /// since (list again); errc::not_found if the folder or the node is gone.
  virtual task<result<std::vector<Registration>>> register_found(NodeIndex node, InodeId folder,
                                                                 ChangeId seen,
                                                                 std::vector<FoundEntry> entries) = 0;
  /// Counts copies. A pending digest is filled by the first claim of the right size, of a node whose copy
  /// counts (or of any where none does). While a writer may be replacing the node's copy
  /// (begin_publication()), the claim is stale.
  virtual task<result<std::vector<ClaimOutcome>>> claim_copies(NodeIndex node, std::vector<CopyClaim> claims,
                                                               bool durable) = 0;
  /// Stops counting copies that were seen to be missing or wrong, and reports each as a finding. REQUIRES:
  /// the proof that the reason asks for (metadata rules: absence needs proof). Entries whose version or path
  /// is no longer current, or on whose path the node owes an intent, or that have a writer (a lease), are
  /// left alone: false.
  virtual task<result<std::vector<bool>>> withdraw_copies(NodeIndex node,
                                                          std::vector<Withdrawal> withdrawals) = 0;

  /// Takes up to `limit` files, most endangered first, that need a copy and that `node` can help; each is
  /// claimed for `hold`, so that never more nodes work on a file than copies are missing. What `owner`
  /// holds already is not given out again; claims of another owner for this node are taken over, since one
  /// process at a time replicates for a node.
  virtual task<result<std::vector<WorkItem>>> take_work(NodeIndex node, std::uint64_t owner,
                                                        std::size_t limit, std::chrono::seconds hold) = 0;
  /// Gives items back: those that failed sink in the queue and come up again after `retry_after`; a zero
  /// gives them back as they were. (claim_copies releases by itself.)
  virtual task<result<void>> return_work(NodeIndex node, std::vector<InodeId> ids, bool failed,
                                         std::chrono::seconds retry_after) = 0;
  /// Files with id > after, by id, whose digest is pending and of which `node` counts a copy: claim_copies()
  /// fills it. From an index: costs nothing where there are none.
  virtual task<result<std::vector<WorkItem>>> unhashed(NodeIndex node, InodeId after, std::size_t limit) = 0;
  virtual task<result<QueueSummary>> queue_summary() = 0;
  /// A page of the queue, most endangered first, from `offset`.
  virtual task<result<std::vector<QueueEntry>>> queue_page(std::size_t offset, std::size_t limit) = 0;

  /// All copies of `node` of files directly in `folder` were checked at `when`.
  virtual task<result<void>> proved_folder(NodeIndex node, InodeId folder, Timestamp when) = 0;
  virtual task<result<void>> proved_files(NodeIndex node, std::vector<InodeId> files, Timestamp when) = 0;
  /// When each counted copy of the file was last proved; nodes without a proof are left out.
  virtual task<result<std::vector<ProvedTime>>> proved_times(InodeId file) = 0;

  virtual task<result<void>> report(std::vector<Finding> findings) = 0;
  /// The finding is settled.
  virtual task<result<void>> settle(FindingKind kind, NodeIndex node, Path path) = 0;
  virtual task<result<std::vector<Finding>>> findings(std::size_t limit) = 0;
};

}  // namespace geogrid
