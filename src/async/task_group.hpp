#pragma once
// Coroutines that run side by side, a bounded number at a time.

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

#include "async/notifier.hpp"

namespace geogrid {

/// Used from one loop. Whoever starts coroutines that refer to its own frame calls wait() before it returns,
/// whatever happened. An exception that a coroutine lets out (a bug) is thrown again by wait().
class TaskGroup {
 public:
  /// `on_end` is called each time a place has become free, for a starter that waits for other things too.
  explicit TaskGroup(std::size_t limit, std::function<void()> on_end = {});

  /// Waits for a free place, then starts `work`.
  task<void> start(task<void> work);
  /// Waits until a place is free, without taking it.
  task<void> wait_for_place();
  /// Waits until everything that was started is done.
  task<void> wait();
  std::size_t running() const { return state_->running; }

 private:
  struct State {
    std::size_t limit;
    std::size_t running = 0;
    std::exception_ptr failure;
    Notifier changed;
    std::function<void()> on_end;
  };
  std::shared_ptr<State> state_;
};

}  // namespace geogrid
