#pragma once
// A token bucket: how many bytes a second may pass.

#include <chrono>
#include <cstdint>

namespace geogrid {

/// Pure: the caller gives the time. One thread. A rate of 0 means no limit. Takers go into debt and wait it
/// off, so that a file larger than the bucket passes too, and the mean rate holds.
class Throttle {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// `rate` in bytes a second; bursts up to half a second of it pass at once.
  explicit Throttle(std::uint64_t rate) : rate_(rate) {}

  /// Takes `bytes` and says how long to wait before using them.
  std::chrono::nanoseconds take(std::uint64_t bytes, Time now);
  void set_rate(std::uint64_t rate) { rate_ = rate; }
  std::uint64_t rate() const { return rate_; }

 private:
  std::uint64_t rate_;
  Time paid_until_{};  // the moment at which all that was taken is paid for
};

}  // namespace geogrid
