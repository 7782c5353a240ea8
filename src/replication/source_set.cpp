#include "replication/source_set.hpp"

namespace geogrid {

SourceSet::SourceSet(std::vector<NodeVolume> volumes, NodeIndex destination) {
  for (NodeVolume& one : volumes)
    if (one.index != destination) volumes_[one.index] = std::move(one.volume);
}

void SourceSet::set_nodes(std::span<const NodeRecord> nodes) {
  retired_ = down_ = NodeSet();
  for (const NodeRecord& node : nodes) {
    if (node.state == NodeState::retired) retired_ = retired_.with(node.index);
    if (node.state == NodeState::down) down_ = down_.with(node.index);
  }
}

std::vector<NodeVolume> SourceSet::order(const Inode& file, Time now) const {
  std::vector<ReplicaCandidate> candidates;
  for (const NodeIndex holder : file.replicas - retired_) {
    const auto rests = rests_until_.find(holder);
    if (!volumes_.contains(holder) || (rests != rests_until_.end() && now < rests->second)) continue;
    candidates.push_back({holder, false, down_.contains(holder) ? kUnusable : 0.0});
  }
  std::vector<NodeVolume> order;
  for (const NodeIndex node : replica_order(candidates, {}, file.id))
    order.push_back({node, volumes_.at(node)});
  return order;
}

}  // namespace geogrid
