#include "replication/folder_queue.hpp"

namespace geogrid {

void FolderQueue::add(FolderJob job) {
  under_way_.erase(job.path);
  Path path = job.path;
  waiting_.insert_or_assign(std::move(path), std::move(job));
}

std::optional<FolderJob> FolderQueue::take() {
  if (waiting_.empty()) return std::nullopt;
  FolderJob job = std::move(waiting_.begin()->second);
  waiting_.erase(waiting_.begin());
  under_way_.insert(job.path);
  return job;
}

std::optional<Path> FolderQueue::position() const {
  if (finished()) return std::nullopt;
  if (waiting_.empty()) return *under_way_.begin();
  if (under_way_.empty()) return waiting_.begin()->first;
  return before_in_walk(waiting_.begin()->first, *under_way_.begin()) ? waiting_.begin()->first
                                                                      : *under_way_.begin();
}

bool to_visit(const Path& folder, const Path& position) {
  return !before_in_walk(folder, position) || position.is_within(folder);
}

}  // namespace geogrid
