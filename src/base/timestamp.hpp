#pragma once
// A point in time as a file has it: signed 64-bit seconds since 1970 (UTC) and nanoseconds.

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <ctime>
#include <string>

namespace geogrid {

struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;  ///< 0..999,999,999, also before 1970

  static Timestamp from(const timespec& t) { return {t.tv_sec, static_cast<std::int32_t>(t.tv_nsec)}; }
  timespec to_timespec() const { return {static_cast<time_t>(seconds), nanoseconds}; }
  /// RFC 3339 in UTC, to the second: 2013-08-05T10:00:00Z.
  std::string str() const;

  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

}  // namespace geogrid
