#pragma once
// Is this a surge of losses that a person should look at first? Pure.

#include <cstdint>

namespace geogrid {

/// So many withdrawals or deletions are never a surge, however small the node.
inline constexpr std::uint64_t kBrakeFloor = 10;

/// Whether taking `count` copies away from a node that records `files` of them (before the first was taken)
/// is more than `percent` of it, and more than `floor`. 100 percent switches the brake off.
constexpr bool is_surge(std::uint64_t count, std::uint64_t files, double percent,
                        std::uint64_t floor = kBrakeFloor) {
  return count > floor && percent < 100.0 &&
         static_cast<double>(count) * 100.0 > percent * static_cast<double>(files);
}

}  // namespace geogrid
