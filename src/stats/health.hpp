#pragma once
// The verdict over the whole archive, and the sentences that explain it: pure, from counted facts.

#include <chrono>
#include <string>
#include <vector>

#include "meta/copy_store.hpp"
#include "meta/registry_store.hpp"

namespace geogrid {

/// From best to worst.
enum class ArchiveVerdict {
  safe,      ///< every file has the copies that its class asks for
  degraded,  ///< some copies are missing, or a node is silent; nothing hangs on one disk
  at_risk,   ///< some files that are owed more have one copy left
  lost,      ///< some files have no good copy on any storage node
};
std::string_view name_of(ArchiveVerdict verdict);

/// A storage node that has not been heard of for this long counts as silent: several heartbeats of 10
/// seconds.
inline constexpr std::chrono::seconds kSilentAfter{60};

/// What a node's disk still has to do.
struct NodeOwes {
  NodeIndex node;
  std::uint64_t count = 0;
  bool more = false;  ///< than were counted
};

/// What the verdict is drawn from.
struct Facts {
  ClusterInfo cluster;
  Totals totals;
  QueueSummary queue;
  std::vector<NodeRecord> nodes;  ///< storage nodes
  std::vector<Finding> findings;
  std::vector<NodeOwes> owed;  ///< of nodes that owe something
};

struct Reason {
  ArchiveVerdict severity = ArchiveVerdict::degraded;
  std::string text;  ///< a sentence
};
struct Health {
  ArchiveVerdict verdict = ArchiveVerdict::safe;
  std::vector<Reason> reasons;  ///< worst first; empty when safe
};

bool is_silent(const NodeRecord& node);
Health assess(const Facts& facts);

}  // namespace geogrid
