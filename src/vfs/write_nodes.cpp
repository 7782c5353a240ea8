#include "vfs/write_nodes.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "os/clock.hpp"

namespace geogrid {

task<result<void>> WriteNodes::refresh() {
  GG_CO_TRY(std::vector<NodeRecord> nodes, co_await store_.nodes(NodeKind::storage));
  for (NodeRecord& node : nodes) {
    const auto volume = access_->volume(node.index);
    if (node.total_bytes != 0 || !volume || access_->is_shut_out(node.index)) continue;
    // No storage loop told of its space yet.
    if (const auto space = co_await volume->probe()) {
      node.free_bytes = space->free_bytes;
      node.total_bytes = space->total_bytes;
    }
  }
  nodes_ = std::move(nodes);
  read_at_ = system_clock().steady();
  co_return result<void>();
}

task<void> WriteNodes::refresh_behind(std::shared_ptr<WriteNodes> self) {
  // What was known goes on counting while metadata is away.
  const auto refreshed = co_await self->refresh();
  if (!refreshed) self->read_at_ = system_clock().steady();
  self->refreshing_ = false;
}

std::vector<PlacementNode> WriteNodes::candidates(NodeSet refused) const {
  std::vector<PlacementNode> nodes;
  for (const NodeRecord& record : nodes_) {
    if (!access_->volume(record.index) || access_->is_shut_out(record.index)) continue;
    PlacementNode node;
    node.index = record.index;
    node.takes_copies = record.takes_copies() && !refused.contains(record.index);
    node.zone = record.zone;
    node.weight = record.weight;
    node.free = record.free_bytes;
    node.min_free = min_free_;
    nodes.push_back(std::move(node));
  }
  return nodes;
}

task<result<std::vector<NodeIndex>>> WriteNodes::choose(Wish wish) {
  const bool old = system_clock().steady() - read_at_ > kKept;
  if (nodes_.empty()) {
    GG_CO_CHECK(co_await refresh());
  } else if (old && !std::exchange(refreshing_, true)) {
    asio::co_spawn(access_->loop(), refresh_behind(shared_from_this()), asio::detached);
  }
  auto chosen = choose_known(wish);
  if (chosen || system_clock().steady() - read_at_ < kKeptForNo) co_return chosen;
  // A node may have come back since, or have room again.
  const auto refreshed = co_await refresh();
  if (refreshed) chosen = choose_known(wish);
  co_return chosen;
}

result<std::vector<NodeIndex>> WriteNodes::choose_known(const Wish& wish) {
  std::vector<PlacementNode> nodes = candidates(wish.refused);
  std::vector<NodeIndex> chosen;
  NodeSet taken;
  for (const PlacementNode& node : nodes)
    if (chosen.size() < wish.copies && wish.holders.contains(node.index) && has_room(node, wish.bytes)) {
      chosen.push_back(node.index);
      taken = taken.with(node.index);
    }
  if (chosen.size() < wish.copies) {
    PlacementRequest request;
    request.copies = static_cast<int>(wish.copies - chosen.size());
    request.bytes = wish.bytes;
    request.holders = taken;
    if (const NodeSet* used = last_used_.find(wish.folder)) request.folder_nodes = *used;
    request.seed = wish.folder.value;
    for (const NodeIndex node : place(nodes, request)) chosen.push_back(node);
  }
  if (chosen.size() < wish.copies) {
    const auto usable = std::count_if(nodes.begin(), nodes.end(),
                                      [](const PlacementNode& node) { return node.takes_copies; });
    if (static_cast<std::size_t>(usable) < wish.copies)
      return fail(errc::unavailable, "{} of the nodes can be written to now, and {} are needed", usable,
                  wish.copies);
    return system_error(ENOSPC, "choosing nodes for new bytes");
  }
  NodeSet used;
  for (const NodeIndex node : chosen) used = used.with(node);
  last_used_.put(wish.folder, used);
  return chosen;
}

}  // namespace geogrid
