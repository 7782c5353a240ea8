#include "async/service_group.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

namespace geogrid {

ServiceGroup::ServiceGroup(std::size_t limit) : state_(std::make_shared<State>()) {
  state_->limit = std::max<std::size_t>(1, limit);
}

task<void> ServiceGroup::wait_for_place() {
  const auto state = state_;
  while (state->running >= state->limit) co_await state->changed.wait();
}

task<void> ServiceGroup::start(task<void> work) {
  const auto state = state_;
  co_await wait_for_place();
  ++state->running;
  asio::co_spawn(co_await asio::this_coro::executor, std::move(work), [state](std::exception_ptr failure) {
    if (failure && !state->failure) state->failure = failure;
    --state->running;
    state->changed.notify_all();
  });
}

task<void> ServiceGroup::wait() {
  const auto state = state_;
  while (state->running > 0) co_await state->changed.wait();
  if (state->failure) std::rethrow_exception(std::exchange(state->failure, nullptr));
}

}  // namespace geogrid
