#pragma once
// Where copies go: which nodes may take one, and which of them get a new file. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace geogrid {

/// What placement has to know of a storage node.
struct PlacementNode {
  NodeIndex index;
  bool takes_copies = true;  ///< its state and health allow new copies
  std::string zone = {};     ///< nodes of one zone fail together; empty: unknown, a zone of its own
  double weight = 1.0;       ///< share relative to the others; 0: nothing new goes there
  std::uint64_t free = 0;    ///< bytes
  std::uint64_t total = 0;   ///< bytes
  std::uint64_t min_free = 0;
};

/// Whether `node` may take a file of this many bytes: it takes copies, has weight, and stays at or above
/// min_free.
bool has_room(const PlacementNode& node, std::uint64_t bytes);

/// The zones that some nodes cover, so that the next copy can go elsewhere.
class ZoneSet {
 public:
  void add(const PlacementNode& node);
  bool contains(const PlacementNode& node) const;

 private:
  std::vector<std::string_view> names_;
  NodeSet unnamed_;
};

struct PlacementRequest {
  int copies = 1;
  std::uint64_t bytes = 0;    ///< the file's size, as far as known
  NodeSet holders = {};       ///< nodes that have it already: not chosen again, their zones avoided
  NodeSet folder_nodes = {};  ///< nodes with the folder's other files: favoured, to keep folders together
  std::uint64_t seed = 0;     ///< the same seed, such as the folder's id, makes the same choice
};

/// Up to `copies` different nodes with room, best first; fewer if there are no more. Each choice falls on a
/// node in proportion to its weight × the bytes it has above min_free (folder_nodes count kFolderAffinity
/// times), as the seed decides: a full node fades out, a new one is not flooded. Zones without a copy come
/// first while there are any.
std::vector<NodeIndex> place(std::span<const PlacementNode> nodes, const PlacementRequest& request);

inline constexpr double kFolderAffinity = 8.0;

}  // namespace geogrid
