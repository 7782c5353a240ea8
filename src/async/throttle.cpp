#include "async/throttle.hpp"

#include <algorithm>

namespace geogrid {

std::chrono::nanoseconds Throttle::take(std::uint64_t bytes, Time now) {
  using namespace std::chrono;
  if (rate_ == 0) return nanoseconds::zero();
  constexpr double most = 1e9 * 3600 * 24 * 365;  // a year of debt: what is far beyond would overflow
  const double wanted = static_cast<double>(bytes) / static_cast<double>(rate_) * 1e9;
  const auto cost = nanoseconds(static_cast<std::int64_t>(std::min(wanted, most)));
  constexpr nanoseconds burst = milliseconds(500);
  paid_until_ =
      std::min(std::max(paid_until_, now - burst) + cost, now + nanoseconds(static_cast<std::int64_t>(most)));
  return std::max(nanoseconds::zero(), duration_cast<nanoseconds>(paid_until_ - now));
}

}  // namespace geogrid
