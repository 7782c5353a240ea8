#pragma once
// What needs another copy, how badly, and who may take it. Pure.

#include <cstdint>
#include <span>

#include "base/ids.hpp"
#include "policy/placement.hpp"

namespace geogrid {

constexpr bool under_target(int have, int target) {
  return have < target;
}

/// The urgency of a file that has what it is owed.
inline constexpr int kNotUrgent = (kMaxNodes + 1) * (kMaxNodes + 1);

/// How soon a file must be repaired; smaller is sooner. Fewest copies first (none before one), then the most
/// missing. kNotUrgent if nothing is missing. REQUIRES: 0 ≤ have, target ≤ kMaxNodes.
constexpr int repair_urgency(int have, int target) {
  if (!under_target(have, target)) return kNotUrgent;
  return have * (kMaxNodes + 1) + (kMaxNodes - (target - have));
}

/// The nodes that may take a further copy of a file of this many bytes: all with room that are not among the
/// holders, but where some of them are in zones without a copy yet, only those. Empty: nobody can help now.
NodeSet helpers(std::span<const PlacementNode> nodes, NodeSet holders, std::uint64_t bytes = 0);

}  // namespace geogrid
