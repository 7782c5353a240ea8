#include "policy/replication.hpp"

namespace geogrid {

NodeSet helpers(std::span<const PlacementNode> nodes, NodeSet holders, std::uint64_t bytes) {
  ZoneSet covered;
  for (const PlacementNode& node : nodes)
    if (holders.contains(node.index)) covered.add(node);

  NodeSet all;
  NodeSet in_new_zones;
  for (const PlacementNode& node : nodes) {
    if (holders.contains(node.index) || !has_room(node, bytes)) continue;
    all = all.with(node.index);
    if (!covered.contains(node)) in_new_zones = in_new_zones.with(node.index);
  }
  return in_new_zones.empty() ? all : in_new_zones;
}

}  // namespace geogrid
