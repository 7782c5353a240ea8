#pragma once
// A node that was away first does what it owes.

#include <memory>

#include "intents/intent_runner.hpp"

namespace geogrid {

/// One a node, shared by its workers. Used on the loop.
class NodeGate {
 public:
  NodeGate(std::shared_ptr<IntentRunner> runner, NodeIndex node) : runner_(std::move(runner)), node_(node) {}

  /// Does what the node owes, if it was away since the last time. What others are doing right now, and single
  /// changes that its disk refuses, hold up nobody: whoever counts copies asks for them by path. Errors: the
  /// node's or the store's.
  task<result<void>> pass();
  /// The node cannot be used now.
  void closed() { behind_ = true; }
  /// Does what the node owes, whatever the gate. As IntentRunner::drain().
  task<result<bool>> drain();

 private:
  const std::shared_ptr<IntentRunner> runner_;
  const NodeIndex node_;
  bool behind_ = true;
};

}  // namespace geogrid
