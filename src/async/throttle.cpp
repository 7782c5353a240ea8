#include "async/throttle.hpp"

#include <algorithm>

namespace geogrid {

std::chrono::nanoseconds Throttle::take(std::uint64_t bytes, Time now) {
  using namespace std::chrono;
  if (rate_ == 0) return nanoseconds::zero();
  const auto cost = nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(rate_) * 1e9));
  constexpr nanoseconds burst = milliseconds(500);
  paid_until_ = std::max(paid_until_, now - burst) + cost;
  return std::max(nanoseconds::zero(), duration_cast<nanoseconds>(paid_until_ - now));
}

}  // namespace geogrid
