#pragma once
// In which order the replicas of a file are read. Pure.

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/path.hpp"
#include "policy/pattern.hpp"

namespace geogrid {

/// A node in a preferred order. The weight is the share of the files, 0..1, for which the node keeps its
/// place; for the others it steps back behind all nodes of the order. Example: [jam 0.7, cream, milk] reads
/// 70 % of the files in the order jam, cream, milk, and 30 % in the order cream, milk, jam. Which files is
/// decided by their ids, so that each is always read in the same order, from warm caches.
struct PreferredNode {
  NodeIndex node;
  double weight = 1.0;
};

/// A node that holds a current copy.
struct ReplicaCandidate {
  NodeIndex node;
  bool same_machine = false;
  double penalty = 0;  ///< measured, such as its latency in ms; kUnusable: only when nothing else is left
};
inline constexpr double kUnusable = std::numeric_limits<double>::infinity();

/// All candidates, the one to read first in front: those of the same machine, then the preferred ones in
/// their order, then the rest by penalty, where penalties of one magnitude (power of two) are equal; among
/// equals the file's id decides. Unusable ones come last.
std::vector<NodeIndex> replica_order(std::span<const ReplicaCandidate> candidates,
                                     std::span<const PreferredNode> preferred, InodeId file);

/// The preferred orders of a configuration: the first whose pattern matches the path counts.
class ReadPreferences {
 public:
  struct Rule {
    std::string match;  ///< RE2 on the full path; empty matches all
    std::vector<PreferredNode> order;
  };

  ReadPreferences() = default;  ///< no preference
  /// Errors: errc::invalid_argument for an invalid pattern.
  static result<ReadPreferences> make(std::vector<Rule> rules);

  /// Empty where no rule matches. Valid as long as this object lives.
  std::span<const PreferredNode> of_path(const Path& path) const;

 private:
  struct Compiled {
    Pattern pattern;
    std::vector<PreferredNode> order;
  };
  std::vector<Compiled> rules_;
};

}  // namespace geogrid
