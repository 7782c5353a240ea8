#include "vfs/settler.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "async/task_group.hpp"
#include "os/clock.hpp"

namespace geogrid {

void Settler::add(std::shared_ptr<DraftSet> drafts, Timestamp when, bool power_safe_already) {
  if (closed_) return;
  if (power_safe_already) at_once_ = true;
  waiting_.push_back({std::move(drafts), when});
  if (!std::exchange(running_, true)) asio::co_spawn(loop_, run(shared_from_this()), asio::detached);
}

task<void> Settler::run(std::shared_ptr<Settler> self) {
  while (!self->waiting_.empty() && !self->closed_) {
    if (!self->at_once_) co_await self->hurry_.wait_for(kGather);
    if (self->closed_) break;
    self->at_once_ = false;
    std::vector<Item> items = std::exchange(self->waiting_, {});
    const auto synced = co_await self->store_.sync();
    // While metadata is away, what was replaced stays where the salvage of drafts would find it.
    if (!synced) {
      self->waiting_.insert(self->waiting_.begin(), std::make_move_iterator(items.begin()),
                            std::make_move_iterator(items.end()));
      if (const auto slept = co_await sleep_for(std::chrono::seconds(1)); !slept) break;
      continue;
    }
    co_await self->settle(std::move(items));
  }
  self->running_ = false;
  self->ended_.notify_all();
}

task<void> Settler::settle(std::vector<Item> items) {
  constexpr std::size_t kAtOnce = 16;
  TaskGroup group(kAtOnce);
  const auto one = [&](const Item& item) -> task<void> {
    const auto lost = co_await item.drafts->settle(item.when);
    for (const LostCopy& copy : lost)
      log_.warning(
          "what was replaced on node #{} could not be put into its trash and stays in .geogrid/tmp: {}",
          copy.node.value, copy.error.message);
  };
  for (const Item& item : items) co_await group.start(one(item));
  co_await group.wait();
}

task<void> Settler::finish(std::chrono::milliseconds most) {
  at_once_ = true;
  hurry_.notify_all();
  const auto until = system_clock().steady() + most;
  while (running_ && system_clock().steady() < until) {
    const auto left = until - system_clock().steady();
    co_await ended_.wait_for(left);
  }
}

}  // namespace geogrid
