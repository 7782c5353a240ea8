#pragma once
// How one node has answered this client's reads lately.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "policy/replica_choice.hpp"

namespace geogrid {

/// Measured by the client's own I/O, never by heartbeats. Once a node was late, absent or failed several
/// times running, it is shut out (its breaker is open): read only when nothing else is left, until a probe of
/// it succeeded.
class ReplicaHealth {
 public:
  static constexpr int kFailuresToShutOut = 3;

  /// Any thread.
  void answered(std::chrono::microseconds took) {
    const auto now = static_cast<std::uint32_t>(std::clamp<std::int64_t>(took.count(), 0, 1'000'000'000));
    const std::uint32_t mean = mean_us_.load(std::memory_order_relaxed);
    // A lost update among threads only makes the mean a little older.
    mean_us_.store(mean == 0 ? now : mean - mean / 8 + now / 8, std::memory_order_relaxed);
    if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
  }

  /// The rest: on the loop. Whether this was what shut the node out, so that somebody must probe it.
  bool failed() { return failures_.fetch_add(1) + 1 >= kFailuresToShutOut && shut_out(); }
  bool late_or_absent() { return shut_out(); }
  void probed() {
    shut_out_ = false;
    failures_ = 0;
  }
  bool is_shut_out() const { return shut_out_; }
  /// For replica_order(): the mean in milliseconds, where all that answer within one are alike.
  double penalty() const {
    return shut_out_ ? kUnusable : std::max(1.0, mean_us_.load(std::memory_order_relaxed) / 1000.0);
  }

 private:
  bool shut_out() { return !std::exchange(shut_out_, true); }

  std::atomic<std::uint32_t> mean_us_{0};
  std::atomic<int> failures_{0};  // running
  bool shut_out_ = false;         // loop only
};

}  // namespace geogrid
