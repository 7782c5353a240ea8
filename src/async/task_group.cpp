#include "async/task_group.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

namespace geogrid {

TaskGroup::TaskGroup(std::size_t limit, std::function<void()> on_end) : state_(std::make_shared<State>()) {
  state_->on_end = std::move(on_end);
  state_->limit = std::max<std::size_t>(1, limit);
}

task<void> TaskGroup::wait_for_place() {
  const auto state = state_;
  while (state->running >= state->limit) co_await state->changed.wait();
}

task<void> TaskGroup::start(task<void> work) {
  const auto state = state_;
  co_await wait_for_place();
  ++state->running;
  const auto executor = co_await asio::this_coro::executor;
  const auto on_end = [state](std::exception_ptr failure) {
    if (failure && !state->failure) state->failure = failure;
    --state->running;
    state->changed.notify_all();
    if (state->on_end) state->on_end();
  };
  asio::co_spawn(executor, std::move(work), on_end);
}

task<void> TaskGroup::wait() {
  const auto state = state_;
  while (state->running > 0) co_await state->changed.wait();
  if (state->failure) std::rethrow_exception(std::exchange(state->failure, nullptr));
}

}  // namespace geogrid
