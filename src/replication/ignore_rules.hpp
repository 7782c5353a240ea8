#pragma once
// Which names on a disk are not the archive's business.

#include <string>
#include <string_view>
#include <vector>

namespace geogrid {

/// `.nfs*` (files that an NFS client holds open after their removal) everywhere, `.geogrid` and `lost+found`
/// at the top, and the globs (fnmatch(3), on whole names, bytes; a leading dot is nothing special) of the
/// configuration.
class IgnoreRules {
 public:
  IgnoreRules() = default;
  explicit IgnoreRules(std::vector<std::string> globs) : globs_(std::move(globs)) {}

  bool ignores(std::string_view name, bool at_top) const;

 private:
  std::vector<std::string> globs_;
};

}  // namespace geogrid
