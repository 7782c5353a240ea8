#include "intents/intent_runner.hpp"

#include <fmt/format.h>

#include "async/task_group.hpp"
#include "intents/node_debts.hpp"

namespace geogrid {

IntentRunner::IntentRunner(asio::any_io_executor loop, MetadataStore& store, std::vector<NodeVolume> volumes,
                           LeaseOwner by, Log log) {
  for (NodeVolume& node : volumes) {
    const NodeIndex index = node.index;
    nodes_.emplace(
        index, std::make_shared<NodeDebts>(loop, store, std::move(node), by, kGather, log.named("intents")));
  }
}

IntentRunner::~IntentRunner() {
  close();
}

task<result<bool>> IntentRunner::drain(NodeIndex node) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end())
    co_return fail(errc::unavailable, "node {} is not reached from here", node.value);
  const std::shared_ptr<NodeDebts> debts = found->second;
  co_return co_await debts->drain();
}

task<result<void>> IntentRunner::carry_out_now(NodeIndex node, std::vector<Intent> intents) {
  const auto found = nodes_.find(node);
  if (found == nodes_.end())
    co_return fail(errc::unavailable, "node {} is not reached from here", node.value);
  const std::shared_ptr<NodeDebts> debts = found->second;
  co_return co_await debts->carry_out_now(std::move(intents));
}

void IntentRunner::soon(NodeSet nodes) {
  for (const NodeIndex node : nodes)
    if (const auto found = nodes_.find(node); found != nodes_.end()) found->second->soon();
}

task<void> IntentRunner::finish(std::chrono::milliseconds most) {
  std::vector<std::shared_ptr<NodeDebts>> all;
  for (const auto& [index, debts] : nodes_) all.push_back(debts);
  TaskGroup group(all.size() + 1);
  for (const auto& debts : all) co_await group.start(debts->finish(most));
  co_await group.wait();
}

void IntentRunner::close() {
  if (std::exchange(closed_, true)) return;
  for (const auto& [index, debts] : nodes_) debts->close();
}

}  // namespace geogrid
