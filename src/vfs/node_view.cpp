#include "vfs/node_view.hpp"

#include <algorithm>

namespace geogrid {

NodeSet NodeView::serving() const {
  NodeSet nodes;
  for (const NodeRecord& node : storage)
    if (node.serves()) nodes = nodes.with(node.index);
  return nodes;
}

bool NodeView::some_node_joins() const {
  return std::any_of(storage.begin(), storage.end(),
                     [](const NodeRecord& node) { return node.state == NodeState::joining; });
}

std::string NodeView::names(NodeSet set, NodeKind kind) const {
  std::string text;
  for (const NodeIndex member : set) {
    const auto& nodes = kind == NodeKind::storage ? storage : backup;
    const auto node = std::find_if(nodes.begin(), nodes.end(), [&](const NodeRecord& n) {
      return n.index == member && n.state != NodeState::retired;
    });
    if (!text.empty()) text += ',';
    text += node == nodes.end() ? fmt::format("#{}", member.value) : node->name;
  }
  return text;
}

std::uint64_t writable_space(std::vector<std::uint64_t> free, std::size_t copies) {
  if (copies == 0 || free.size() < copies) copies = std::max<std::size_t>(free.size(), 1);
  std::sort(free.begin(), free.end(), std::greater<>());
  // D bytes fit if sum(min(free, D)) >= copies * D. A node with more free space than D holds one copy of
  // everything and can be left out with that copy; what is left must hold the rest.
  std::uint64_t rest = 0;
  for (const std::uint64_t space : free) rest += space;
  std::size_t left = copies;
  for (std::size_t i = 0; i < free.size() && left > 1; ++i) {
    if (free[i] <= rest / left) break;
    rest -= free[i];
    --left;
  }
  return rest / left;
}

Space space_of(const std::vector<NodeRecord>& storage, std::size_t copies) {
  Space space;
  std::vector<std::uint64_t> free;
  for (const NodeRecord& node : storage) {
    if (!node.serves()) continue;
    space.total += node.total_bytes;
    space.free += node.free_bytes;
    if (node.takes_copies()) free.push_back(node.free_bytes);
  }
  space.writable = writable_space(std::move(free), copies);
  return space;
}

}  // namespace geogrid
