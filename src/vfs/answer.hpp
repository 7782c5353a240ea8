#pragma once
// Waiting, on the loop, for what a thread of a volume answers.

#include <memory>
#include <optional>
#include <utility>

#include "async/notifier.hpp"
#include "vfs/loop_gate.hpp"

namespace geogrid {

/// Made for one answer. give() may be called from any thread, once; wait() on the loop, once. When the loop
/// ends first, nobody waits any more.
template <typename T>
class Answer {
 public:
  explicit Answer(std::shared_ptr<LoopGate> gate)
      : gate_(std::move(gate)), state_(std::make_shared<State>()) {}

  void give(T value) const {
    gate_->post([state = state_, value = std::move(value)]() mutable {
      state->value.emplace(std::move(value));
      state->given.notify_all();
    });
  }
  task<T> wait() const {
    const auto state = state_;
    while (!state->value) co_await state->given.wait();
    co_return std::move(*state->value);
  }

 private:
  struct State {
    std::optional<T> value;
    Notifier given;
  };
  std::shared_ptr<LoopGate> gate_;
  std::shared_ptr<State> state_;
};

}  // namespace geogrid
