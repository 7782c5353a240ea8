#pragma once
// The template body of blocking_pool.hpp.

#include <optional>

#include "async/blocking_pool.hpp"

namespace geogrid {

template <typename Work>
task<std::invoke_result_t<Work>> offload(BlockingPool& pool, Work work) {
  using Result = std::invoke_result_t<Work>;
  auto start = [&pool](auto handler, Work job) {
    using Handler = decltype(handler);
    using Executor = asio::associated_executor_t<Handler>;
    // std::function wants copies; a handler can only be moved.
    struct Call {
      Handler handler;
      std::optional<Work> work;
      asio::executor_work_guard<Executor> guard;  // keeps the loop running while the job is on another thread

      static void resume(std::shared_ptr<Call> call, Result value) {
        const auto executor = asio::get_associated_executor(call->handler);
        asio::post(executor, [call = std::move(call), value = std::move(value)]() mutable {
          call->guard.reset();
          Handler resumed = std::move(call->handler);
          call.reset();
          std::move(resumed)(std::move(value));
        });
      }
    };
    const auto executor = asio::get_associated_executor(handler);
    const auto call =
        std::make_shared<Call>(Call{std::move(handler), std::move(job), asio::make_work_guard(executor)});
    const bool accepted = pool.post([call] {
      auto value = std::make_shared<Result>((*call->work)());
      call->work.reset();
      BlockingPool::answer([call, value] { Call::resume(call, std::move(*value)); });
    });
    if (!accepted)
      Call::resume(call,
                   Error(errc::busy, "too many operations wait for the threads of this volume or store"));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Result)>(
      start, asio::use_awaitable, std::move(work));
}

}  // namespace geogrid
