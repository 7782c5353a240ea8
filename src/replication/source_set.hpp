#pragma once
// The nodes that copies are read from: which to ask first, and which to leave in peace for a while.

#include <chrono>
#include <map>
#include <span>
#include <vector>

#include "meta/records.hpp"
#include "os/clock.hpp"
#include "policy/replica_choice.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// Pure but for the time it is given. One thread.
class SourceSet {
 public:
  using Time = Clock::SteadyTime;
  /// How long a node whose volume failed as a whole is not asked again.
  static constexpr std::chrono::seconds kRest{30};

  SourceSet(std::vector<NodeVolume> volumes, NodeIndex destination);

  /// The registry, as it is now: retired nodes are not asked, those that are down only when nothing else is
  /// left.
  void set_nodes(std::span<const NodeRecord> nodes);
  /// The reachable holders of the file, the one to ask first in front; spread evenly over them by the file's
  /// id.
  std::vector<NodeVolume> order(const Inode& file, Time now) const;
  /// The node's volume failed as a whole.
  void failed(NodeIndex node, Time now) { rests_until_[node] = now + kRest; }

 private:
  std::map<NodeIndex, std::shared_ptr<Volume>> volumes_;
  NodeSet retired_;
  NodeSet down_;
  std::map<NodeIndex, Time> rests_until_;
};

}  // namespace geogrid
