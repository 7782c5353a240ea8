#pragma once
// The way back to the loop for threads that may outlive it: a volume's thread that a dead disk held for an
// hour.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <mutex>
#include <optional>
#include <utility>

#include "async/task.hpp"

namespace geogrid {

/// Thread-safe.
class LoopGate {
 public:
  explicit LoopGate(asio::any_io_executor loop) : loop_(std::move(loop)) {}

  /// Runs `job` on the loop; drops it, and answers false, once the gate is closed.
  template <typename Job>
  bool post(Job job) {
    const std::scoped_lock lock(mutex_);
    if (!loop_) return false;
    asio::post(*loop_, std::move(job));
    return true;
  }
  /// Called before the loop ends.
  void close() {
    const std::scoped_lock lock(mutex_);
    loop_.reset();
  }

 private:
  std::mutex mutex_;
  std::optional<asio::any_io_executor> loop_;  // guarded by mutex_
};

}  // namespace geogrid
