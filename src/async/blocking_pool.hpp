#pragma once
// A bounded pool of threads for what can block: files on one volume, SQLite's writer, DNS, hashing. One pool
// a volume, so that a hung volume starves only itself.

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "async/task.hpp"

namespace geogrid {

/// Threads are started when first needed and named after the pool (pthread_setname_np, 15 characters).
/// Thread-safe. The destructor drops jobs that have not started, and waits at most `join_timeout` for those
/// that have: a thread that a dead mount holds in the kernel cannot be killed, and must not hold up the
/// process. It may run on a thread of the pool itself, when the job there let go of the last owner.
class BlockingPool {
 public:
  struct Options {
    std::string name = "pool";
    unsigned threads = 4;
    std::size_t queue_limit = 65536;  ///< jobs waiting; over it post() answers false
    std::chrono::milliseconds join_timeout{5000};
  };
  explicit BlockingPool(Options options);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Runs `job` on a thread of the pool. False if the queue is full or the pool is stopping; the job is then
  /// dropped.
  [[nodiscard]] bool post(std::function<void()> job);
  /// For the end of a job: calls `deliver` unless the pool was destroyed meanwhile without waiting any
  /// longer. Then whoever asked may be gone, loop and all: `deliver` and what it holds is kept as it is until
  /// the process ends, and the answer is false. The destructor does not return while `deliver` runs.
  static bool answer(std::function<void()> deliver);
  /// Jobs that wait or run now.
  std::size_t pending() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Runs `work` on the pool and resumes the calling coroutine on its own executor with what it returned.
/// `work` returns result<T>; a full queue gives errc::busy. What `work` refers to must stay alive until it
/// ran, even if the coroutine is dropped meanwhile: capture by value or shared_ptr. `work` is destroyed
/// before the coroutine resumes.
template <typename Work>
task<std::invoke_result_t<Work>> offload(BlockingPool& pool, Work work);

}  // namespace geogrid

#include "async/blocking_pool_impl.hpp"
