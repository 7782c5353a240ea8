#include "async/standing_error.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace geogrid {
namespace {

std::string passed(StandingError::Time from, StandingError::Time to) {
  return format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(to - from));
}

}  // namespace

std::optional<std::string> StandingError::failed(const Error& error, Time now) {
  if (times_ == 0 || error.code != code_) {
    code_ = error.code;
    times_ = 1;
    since_ = said_ = now;
    return error.message;
  }
  ++times_;
  if (now - said_ < summary_every_) return std::nullopt;
  said_ = now;
  return fmt::format("still, after {} tries in {}: {}", times_, passed(since_, now), error.message);
}

std::optional<std::string> StandingError::succeeded(Time now) {
  if (times_ == 0) return std::nullopt;
  const std::uint64_t times = std::exchange(times_, 0);
  return fmt::format("works again, after {} failed {} in {}", times, times == 1 ? "try" : "tries",
                     passed(since_, now));
}

}  // namespace geogrid
