#pragma once
// What a walk leaves in metadata to resume from, and the totals by which the next one estimates its end.
// Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/path.hpp"
#include "base/timestamp.hpp"

namespace geogrid {

/// Keys of StoreAdmin::checkpoint().
inline constexpr const char* kWalkCheckpoint = "walk";
inline constexpr const char* kWalkTotals = "walk-totals";
inline constexpr const char* kWalkBrake = "walk-brake";

/// Where an interrupted walk of the whole node is: every folder before `position` is done.
struct WalkCheckpoint {
  Timestamp started;  ///< to the second; of the first of its parts
  Path position;
  std::uint64_t withdrawn = 0;  ///< copies so far: the brake counts a walk as a whole
  std::uint64_t files = 0;      ///< so far
  std::uint64_t bytes = 0;
  bool whole = true;  ///< nothing was unreadable so far

  std::string text() const;
  /// None for an empty or unknown text.
  static std::optional<WalkCheckpoint> parse(std::string_view text);
};

/// Of the last complete walk.
struct WalkTotals {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  Timestamp finished;  ///< to the second

  std::string text() const;
  static std::optional<WalkTotals> parse(std::string_view text);
};

/// How much is done (0..1), by the totals of the last walk, or by the space used where there was none.
std::optional<double> walk_fraction(std::uint64_t files, std::uint64_t bytes,
                                    const std::optional<WalkTotals>& last, std::uint64_t bytes_used);

}  // namespace geogrid
