#pragma once
// Exponential backoff with jitter: how long to wait before the next try.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace geogrid {

/// Pure: the caller gives the random number. Waits lie in [half, whole] of a step that doubles from `first` to `most`.
class Backoff {
 public:
  using Duration = std::chrono::milliseconds;
  Backoff(Duration first, Duration most) : first_(first), most_(most), next_(first) {}

  Duration next(std::uint64_t random) {
    const Duration step = next_;
    next_ = std::min(most_, next_ * 2);
    const auto half = std::max<std::int64_t>(1, step.count() / 2);
    return Duration(half + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(half + 1)));
  }
  void reset() { next_ = first_; }

 private:
  Duration first_;
  Duration most_;
  Duration next_;
};

}  // namespace geogrid
