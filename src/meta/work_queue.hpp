#pragma once
// The replication queue: for each file under its replica target a row for every node that could help, kept
// right in the same transaction as every change of copies, target, version or class. A poll is then one
// bounded range read.

#include <map>
#include <span>
#include <vector>

#include "meta/sql_tx.hpp"

namespace geogrid {

/// The node of rows that say "nobody can help now".
inline constexpr int kNobody = kMaxNodes;

/// Collects the rows of files that are not in the queue (yet, or any more), and inserts them.
class WorkQueue {
 public:
  explicit WorkQueue(Tx& tx) : tx_(tx) {}

  /// Reads the nodes, before the first add().
  task<result<void>> prepare();
  /// Adds the rows that the file needs as it is now. REQUIRES: it has none.
  void add(const Inode& file);
  task<result<void>> flush();

  /// Drops the rows of these files.
  task<result<void>> drop(std::vector<InodeId> files);
  /// Drops the rows of these files, and makes those they need as they are now.
  task<result<void>> remake(std::span<const Inode> files);

 private:
  Tx& tx_;
  const std::vector<PlacementNode>* nodes_ = nullptr;
  MultiInsert rows_{"INSERT INTO work (node,retry_at,urgency,file,attempts) VALUES ", 5};
  std::map<std::uint64_t, NodeSet> helpers_;  // by holders
};

/// Whether the queue holds it: published, hashed, under its target.
bool belongs_in_queue(const Inode& inode);

}  // namespace geogrid
