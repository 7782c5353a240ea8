#include "meta/work_queue.hpp"

#include "meta/inode_row.hpp"
#include "policy/replication.hpp"

namespace geogrid {

bool belongs_in_queue(const Inode& inode) {
  return inode.is_file() && inode.state == ContentState::published && !inode.digest.pending() &&
         under_target(inode.replicas.size(), inode.replica_target);
}

task<result<void>> WorkQueue::prepare() {
  if (!nodes_) {
    GG_CO_TRY(nodes_, co_await tx_.placement_nodes());
  }
  co_return result<void>();
}

void WorkQueue::add(const Inode& file) {
  if (!belongs_in_queue(file)) return;
  const auto [known, first_time] = helpers_.try_emplace(file.replicas.bits());
  // Free space is the node's own business: what it refuses sinks in its queue. Without any copy nobody has
  // anything to give.
  if (first_time && !file.replicas.empty()) known->second = helpers(*nodes_, file.replicas);
  const int urgency = repair_urgency(file.replicas.size(), file.replica_target);
  for (const NodeIndex node : known->second) rows_.add(node, 0, urgency, file.id, 0);
  if (known->second.empty()) rows_.add(kNobody, 0, urgency, file.id, 0);
}

task<result<void>> WorkQueue::flush() {
  co_return co_await rows_.flush(tx_.connection());
}

task<result<void>> WorkQueue::drop(std::vector<InodeId> files) {
  co_return co_await run_over(tx_.connection(), ListStatement{"DELETE FROM work WHERE file IN "}, {},
                              to_sql(files));
}

task<result<void>> WorkQueue::remake(std::span<const Inode> files) {
  std::vector<InodeId> ids;
  for (const Inode& file : files) ids.push_back(file.id);
  GG_CO_CHECK(co_await drop(std::move(ids)));
  GG_CO_CHECK(co_await prepare());
  for (const Inode& file : files) add(file);
  co_return co_await flush();
}

}  // namespace geogrid
