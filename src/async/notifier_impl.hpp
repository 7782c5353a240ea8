#pragma once
// The template body of notifier.hpp.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

#include "async/notifier.hpp"

namespace geogrid {

template <typename T>
task<T> run_shielded(std::shared_ptr<StopSignal> stop, task<T> work) {
  struct Outcome {
    std::optional<T> value;
    std::exception_ptr failure;
    bool done = false;
    Notifier ended;
  };
  auto outcome = std::make_shared<Outcome>();
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  const auto on_end = [outcome](std::exception_ptr failure, T value) {
    outcome->failure = failure;
    if (!failure) outcome->value.emplace(std::move(value));
    outcome->done = true;
    outcome->ended.notify_all();
  };
  asio::co_spawn(executor, std::move(work), on_end);
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  while (!outcome->done) {
    if (cancellation.cancelled() != asio::cancellation_type::none) stop->stop();
    co_await outcome->ended.wait();
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (outcome->failure) std::rethrow_exception(outcome->failure);
  co_return std::move(*outcome->value);
}

}  // namespace geogrid
