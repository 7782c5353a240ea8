#include "replication/node_gate.hpp"

#include "intents/owed_batch.hpp"

namespace geogrid {

task<result<void>> NodeGate::pass() {
  if (!behind_) co_return result<void>();
  const auto drained = co_await drain();
  if (!drained && !concerns_names_only(drained.error())) co_return drained.error();
  behind_ = false;
  co_return result<void>();
}

task<result<bool>> NodeGate::drain() {
  co_return co_await runner_->drain(node_);
}

}  // namespace geogrid
