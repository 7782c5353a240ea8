#pragma once
// Nodes, cluster, change log, checkpoints, background jobs, totals. Parts of MetadataStore.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "meta/records.hpp"

namespace geogrid {

struct NewStorageNode {
  std::string name;
  std::string zone;
  double weight = 1.0;
  std::string volume_uuid;
  bool empty_volume = false;  ///< active at once; else joining until its first walk is done
};
struct NodeChange {
  std::optional<NodeState> state;
  std::optional<std::string> zone;
  std::optional<double> weight;
};

class NodeRegistry {
 public:
  virtual ~NodeRegistry() = default;
  virtual task<result<std::vector<NodeRecord>>> nodes(NodeKind kind) = 0;
  /// Takes the lowest free bit. Errors: errc::already_exists (name or UUID); errc::refused for a 65th node.
  virtual task<result<NodeRecord>> add_node(NewStorageNode node) = 0;
  /// Changes a node; a change of state leaves a background job that puts the work queue right, page by page.
  /// Errors: errc::not_found; errc::refused for a change of state that would abandon copies.
  virtual task<result<NodeRecord>> change_node(std::string name, NodeChange change) = 0;
  virtual task<result<void>> heartbeat(NodeIndex node, std::uint64_t free_bytes,
                                       std::uint64_t total_bytes) = 0;
  /// The first complete walk is done: joining becomes active.
  virtual task<result<void>> finish_first_walk(NodeIndex node) = 0;
};

class ChangeLog {
 public:
  virtual ~ChangeLog() = default;
  virtual task<result<ChangeId>> latest_change() = 0;
  /// Rows with id > after, by id, at most `limit`. Ids may commit out of order on MariaDB: ChangeFeed
  /// re-reads a window.
  virtual task<result<std::vector<Change>>> changes_after(ChangeId after, std::size_t limit) = 0;
  /// See SqlDriver::change_hint().
  virtual task<result<std::uint64_t>> change_hint() = 0;
  /// The id up to which (inclusive) rows were pruned: a reader that stands below it has lost changes.
  virtual task<result<ChangeId>> pruned_up_to() = 0;
  /// Drops rows older than `keep`, at most a page; true if there is more to drop.
  virtual task<result<bool>> prune_changes(std::chrono::seconds keep) = 0;
};

/// Totals for `status`. Counted anew, by one scan: for a person who asks, not for loops.
struct ClassTotals {
  std::string name;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t under_replicas = 0;
  std::uint64_t under_backups = 0;
};
struct NodeTotals {
  NodeIndex node;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t only_here = 0;  ///< files whose one replica is here
};
struct Totals {
  std::uint64_t folders = 0;
  std::uint64_t symlinks = 0;
  std::uint64_t others = 0;
  std::uint64_t pending = 0;  ///< files being written
  std::vector<ClassTotals> classes;
  std::vector<NodeTotals> nodes;
};

class StoreAdmin {
 public:
  virtual ~StoreAdmin() = default;
  virtual task<result<ClusterInfo>> cluster() = 0;
  virtual task<result<Totals>> totals() = 0;

  /// A place to resume from: `key` is the worker's ("walk"). Empty if there is none.
  virtual task<result<std::string>> checkpoint(NodeIndex node, std::string key) = 0;
  virtual task<result<void>> set_checkpoint(NodeIndex node, std::string key, std::string value) = 0;

  /// Re-applies the class rules to up to `limit` files with id > after; returns the last id seen, and how
  /// many changed. `dry_run` changes nothing.
  struct Classified {
    std::optional<InodeId> last;
    std::uint64_t seen = 0;
    std::uint64_t changed = 0;
  };
  virtual task<result<Classified>> classify(InodeId after, std::size_t limit, bool dry_run) = 0;

  /// Does one page of the oldest background job (queue changes after a node's state, classes below a renamed
  /// folder); true if there may be more.
  virtual task<result<bool>> run_jobs() = 0;
};

}  // namespace geogrid
