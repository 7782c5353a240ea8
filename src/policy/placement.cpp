#include "policy/placement.hpp"

#include <algorithm>
#include <cmath>

#include "policy/hash.hpp"

namespace geogrid {
namespace {

/// Weighted rendezvous hashing: the node with the lowest rank wins, and each wins in proportion to its share,
/// without regard to the order or the number of the nodes.
double rank_of(const PlacementNode& node, const PlacementRequest& request) {
  // One byte more than is there, so that a node at exactly min_free can still take an empty file.
  double share = node.weight * (static_cast<double>(node.free - node.min_free) + 1.0);
  if (request.folder_nodes.contains(node.index)) share *= kFolderAffinity;
  return -std::log(unit_interval(mix64(request.seed, node.index.value))) / share;
}

}  // namespace

bool has_room(const PlacementNode& node, std::uint64_t bytes) {
  return node.takes_copies && node.weight > 0 && node.free >= node.min_free &&
         node.free - node.min_free >= bytes;
}

void ZoneSet::add(const PlacementNode& node) {
  if (node.zone.empty())
    unnamed_ = unnamed_.with(node.index);
  else if (!contains(node))
    names_.push_back(node.zone);
}

bool ZoneSet::contains(const PlacementNode& node) const {
  if (node.zone.empty()) return unnamed_.contains(node.index);
  return std::find(names_.begin(), names_.end(), node.zone) != names_.end();
}

std::vector<NodeIndex> place(std::span<const PlacementNode> nodes, const PlacementRequest& request) {
  struct Candidate {
    double rank;
    const PlacementNode* node;
  };
  std::vector<Candidate> candidates;
  ZoneSet covered;
  for (const PlacementNode& node : nodes) {
    if (request.holders.contains(node.index))
      covered.add(node);
    else if (has_room(node, request.bytes))
      candidates.push_back({rank_of(node, request), &node});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.node->index < b.node->index;
  });

  std::vector<NodeIndex> chosen;
  while (!candidates.empty() && std::ssize(chosen) < request.copies) {
    auto next = std::find_if(candidates.begin(), candidates.end(),
                             [&](const Candidate& c) { return !covered.contains(*c.node); });
    if (next == candidates.end()) next = candidates.begin();
    covered.add(*next->node);
    chosen.push_back(next->node->index);
    candidates.erase(next);
  }
  return chosen;
}

}  // namespace geogrid
