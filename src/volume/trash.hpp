#pragma once
// What the trash of a node holds.

#include <cstdint>
#include <string>

namespace geogrid {

/// One folder of the trash: "2026-11-22", or "2026-11-22.1" where paths collided.
struct TrashDate {
  std::string name;
  std::string day;  ///< "2026-11-22"
};

struct TrashPurge {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  bool more = false;  ///< the limit was reached
};

}  // namespace geogrid
