#pragma once
// The node registry as the mount last saw it.

#include <string>
#include <vector>

#include "meta/records.hpp"

namespace geogrid {

struct NodeView {
  std::vector<NodeRecord> storage;
  std::vector<NodeRecord> backup;

  /// Storage nodes that reads may come from.
  NodeSet serving() const;
  /// Whether some storage node may hold names that nobody registered yet.
  bool some_node_joins() const;
  /// "cream,jam": names by rising index; a node that the registry does not know is "#5".
  std::string names(NodeSet set, NodeKind kind) const;
};

/// The sums that statfs(2) answers, in bytes.
struct Space {
  std::uint64_t total = 0;
  std::uint64_t free = 0;
  std::uint64_t writable =
      0;  ///< how much could be written, each byte on as many nodes as its class asks for
};

/// The most that can be written when each byte goes to `copies` different nodes with these free spaces. Pure.
std::uint64_t writable_space(std::vector<std::uint64_t> free, std::size_t copies);

/// The sums over the storage nodes in use.
Space space_of(const std::vector<NodeRecord>& storage, std::size_t copies);

}  // namespace geogrid
