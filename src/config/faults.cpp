#include "config/faults.hpp"

#include <algorithm>
#include <tuple>

namespace geogrid {

void Faults::add(Place place, std::string message) {
  faults_.push_back({file_, place.line, place.column, std::move(message)});
}

std::vector<ConfigFault> Faults::take() {
  // Stable, so that faults of one place stay in the order in which they were found.
  std::stable_sort(faults_.begin(), faults_.end(), [](const ConfigFault& a, const ConfigFault& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  faults_.erase(std::unique(faults_.begin(), faults_.end()), faults_.end());
  if (faults_.size() > kMaxConfigFaults) {
    const std::size_t more = faults_.size() - kMaxConfigFaults;
    faults_.resize(kMaxConfigFaults);
    faults_.push_back({file_, 0, 0, fmt::format("and {} faults more", more)});
  }
  return std::move(faults_);
}

}  // namespace geogrid
