#pragma once
// The folders that a traversal has still to visit, in the order of a walk, several at once, and how far it
// is. Pure.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/ids.hpp"
#include "base/path.hpp"

namespace geogrid {

struct FolderJob {
  Path path;
  InodeId id;           ///< 0: metadata does not know it (a walk that changes nothing)
  bool absent = false;  ///< not on the disk, as its parent's listing said
  int visits = 0;       ///< that came before
  std::shared_ptr<const std::set<std::string>> only;  ///< names to look at; nullptr: all
};

/// Hands out the first folder in walk order, so that what waits are the siblings along the way down and no
/// more.
class FolderQueue {
 public:
  void add(FolderJob job);
  /// The first one that waits; it is under way until done() or add() again.
  std::optional<FolderJob> take();
  void done(const Path& path) { under_way_.erase(path); }

  bool waiting() const { return !waiting_.empty(); }
  bool finished() const { return waiting_.empty() && under_way_.empty(); }
  std::size_t size() const { return waiting_.size() + under_way_.size(); }
  /// The first folder that is not done: all that comes before it is. None when finished.
  std::optional<Path> position() const;

 private:
  struct InWalkOrder {
    bool operator()(const Path& a, const Path& b) const { return before_in_walk(a, b); }
  };
  std::map<Path, FolderJob, InWalkOrder> waiting_;
  std::set<Path, InWalkOrder> under_way_;
};

/// Whether a traversal that resumes at `position` has to go into `folder`: it is not before it, or leads to
/// it.
bool to_visit(const Path& folder, const Path& position);

}  // namespace geogrid
