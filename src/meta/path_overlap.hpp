#pragma once
// Which paths have something to do with each other.

#include <string>
#include <unordered_set>

#include "base/path.hpp"

namespace geogrid {

/// A set of paths that is asked whether a path is one of them, lies below one or above one. Pure.
class PathOverlap {
 public:
  void add(const Path& path) {
    paths_.insert(path.str());
    for (Path at = path; !at.is_root();) {
      at = at.parent();
      if (!above_.insert(at.str()).second) return;
    }
  }
  bool touches(const Path& path) const {
    if (above_.contains(path.str())) return true;
    for (Path at = path;; at = at.parent()) {
      if (paths_.contains(at.str())) return true;
      if (at.is_root()) return false;
    }
  }
  bool empty() const { return paths_.empty(); }

 private:
  std::unordered_set<std::string> paths_;
  std::unordered_set<std::string> above_;  // folders that hold one of them, at any depth
};

}  // namespace geogrid
