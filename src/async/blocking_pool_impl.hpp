#pragma once
// The template body of blocking_pool.hpp.

#include "async/blocking_pool.hpp"

namespace geogrid {

template <typename Work>
task<std::invoke_result_t<Work>> offload(BlockingPool& pool, Work work) {
  using Result = std::invoke_result_t<Work>;
  auto start = [&pool](auto handler, Work job) {
    // std::function wants copies; a handler can only be moved.
    auto shared = std::make_shared<std::pair<decltype(handler), Work>>(std::move(handler), std::move(job));
    const auto executor = asio::get_associated_executor(shared->first);
    // Keeps the loop running while the job is on another thread.
    auto guard = std::make_shared<asio::executor_work_guard<decltype(executor)>>(executor);
    auto finish = [shared, guard, executor](Result value) {
      asio::post(executor, [shared, guard, value = std::move(value)]() mutable {
        guard->reset();
        std::move(shared->first)(std::move(value));
      });
    };
    if (!pool.post([shared, finish] { finish(shared->second()); }))
      finish(Result(Error(errc::busy, "too many operations wait for this volume's threads")));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Result)>(
      start, asio::use_awaitable, std::move(work));
}

}  // namespace geogrid
