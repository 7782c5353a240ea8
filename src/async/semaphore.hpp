#pragma once
// A number of places that coroutines take and give back.

#include <cstddef>
#include <memory>
#include <utility>

#include "async/notifier.hpp"

namespace geogrid {

/// Used from one loop. Places may outlive the semaphore.
class Semaphore {
  struct State {
    std::size_t free;
    Notifier freed;
  };

 public:
  explicit Semaphore(std::size_t places) : state_(std::make_shared<State>(State{places, {}})) {}

  /// Given back when it dies.
  class Place {
   public:
    Place() = default;
    explicit Place(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&& other) noexcept {
      release();
      state_ = std::move(other.state_);
      return *this;
    }
    ~Place() { release(); }

   private:
    void release() {
      if (const auto state = std::exchange(state_, nullptr)) {
        ++state->free;
        state->freed.notify_all();
      }
    }
    std::shared_ptr<State> state_;
  };

  task<Place> take() {
    const auto state = state_;
    while (state->free == 0) co_await state->freed.wait();
    --state->free;
    co_return Place(state);
  }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace geogrid
