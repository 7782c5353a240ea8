#include "volume/folders_made.hpp"

namespace geogrid {

void FoldersMade::add(FolderId parent) {
  const auto [found, is_new] = last_.try_emplace(parent, next_);
  if (!is_new) by_age_.erase(found->second);
  found->second = next_;
  by_age_.emplace(next_++, parent);
  if (by_age_.size() <= kMost) return;
  last_.erase(by_age_.begin()->second);
  by_age_.erase(by_age_.begin());
}

bool FoldersMade::none() const {
  const std::scoped_lock lock(mutex_);
  return last_.empty();
}

std::optional<std::uint64_t> FoldersMade::last_made_in(FolderId parent) const {
  const std::scoped_lock lock(mutex_);
  const auto found = last_.find(parent);
  if (found == last_.end()) return std::nullopt;
  return found->second;
}

void FoldersMade::forget(FolderId parent, std::uint64_t made) {
  const std::scoped_lock lock(mutex_);
  const auto found = last_.find(parent);
  if (found == last_.end() || found->second != made) return;  // or another was made meanwhile
  by_age_.erase(made);
  last_.erase(found);
}

}  // namespace geogrid
