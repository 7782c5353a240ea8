#pragma once
// What to say, and when, of an error that comes again and again: once at first, a summary now and then, and
// when it is over.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "base/error.hpp"

namespace geogrid {

/// Pure: the caller gives the time, and logs what is returned. One thread.
class StandingError {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit StandingError(std::chrono::milliseconds summary_every) : summary_every_(summary_every) {}

  /// Another code than before counts as a new error.
  std::optional<std::string> failed(const Error& error, Time now);
  std::optional<std::string> succeeded(Time now);

 private:
  std::chrono::milliseconds summary_every_;
  std::error_code code_;
  std::uint64_t times_ = 0;
  Time since_{};
  Time said_{};
};

}  // namespace geogrid
