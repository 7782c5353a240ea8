#pragma once
// Exponential backoff with jitter: how long to wait before the next try.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace geogrid {

/// Pure: the caller gives the random number. Waits lie in [half, whole] of a step that doubles from `first`
/// to `most`.
class Backoff {
 public:
  using Duration = std::chrono::milliseconds;
  /// REQUIRES: neither is negative.
  Backoff(Duration first, Duration most) : first_(std::min(first, most)), most_(most), next_(first_) {}

  Duration next(std::uint64_t random) {
    const Duration step = next_;
    next_ = next_ > most_ / 2 ? most_ : next_ * 2;
    const std::int64_t half = step.count() / 2;
    const auto choices = static_cast<std::uint64_t>(step.count() - half + 1);
    return Duration(half + static_cast<std::int64_t>(random % choices));
  }
  void reset() { next_ = first_; }

 private:
  Duration first_;
  Duration most_;
  Duration next_;
};

}  // namespace geogrid
