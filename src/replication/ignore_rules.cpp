#include "replication/ignore_rules.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "base/path.hpp"

namespace geogrid {

bool IgnoreRules::ignores(std::string_view name, bool at_top) const {
  if (name.starts_with(".nfs")) return true;
  if (at_top && (name == kReservedName || name == "lost+found")) return true;
  if (globs_.empty()) return false;
  const std::string text(name);
  return std::ranges::any_of(
      globs_, [&](const std::string& glob) { return fnmatch(glob.c_str(), text.c_str(), 0) == 0; });
}

}  // namespace geogrid
