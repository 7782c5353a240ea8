#pragma once
// Time and randomness behind interfaces, so that tests decide both.

#include <chrono>
#include <cstdint>
#include <string>

#include "base/timestamp.hpp"

namespace geogrid {

/// Thread-safe. Leases, timeouts and rates use steady(); only what is shown or stored as a date uses wall().
class Clock {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  virtual Timestamp wall() const = 0;
  virtual SteadyTime steady() const = 0;
};

/// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  /// A random UUID (RFC 4122, version 4), lower case with dashes.
  std::string uuid();
};

/// The machine's own clock and random numbers (getrandom(2)); they live as long as the process.
const Clock& system_clock();
Random& system_random();

}  // namespace geogrid
