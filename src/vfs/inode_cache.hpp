#pragma once
// The records this client read lately, so that an open after a lookup, and the path of a file, cost no query.

#include <cstdint>
#include <memory>
#include <vector>

#include "meta/records.hpp"
#include "vfs/lru.hpp"

namespace geogrid {

using InodeRef = std::shared_ptr<const Inode>;

/// Bounded, and right because the change feed drops what changed. A record read before a drop and put after
/// it would be stale for ever: put() takes the epoch as it was before the read, and keeps nothing if it moved
/// since. One thread.
class InodeCache {
 public:
  /// Folders have room of their own: a listing of many files must not push out what paths are made of.
  InodeCache(std::size_t files, std::size_t folders) : files_(files), folders_(folders) {}

  /// nullptr if it is not here.
  InodeRef find(InodeId id) {
    if (const auto* folder = folders_.find(id)) return *folder;
    const auto* file = files_.find(id);
    return file ? *file : nullptr;
  }
  InodeRef find_folder(InodeId id) {
    const auto* folder = folders_.find(id);
    return folder ? *folder : nullptr;
  }
  /// Whether the record was still current, and so was kept.
  bool put(const InodeRef& inode, std::uint64_t epoch_before_read) {
    if (epoch_before_read != epoch_) return false;
    (inode->is_folder() ? folders_ : files_).put(inode->id, inode);
    return true;
  }
  void drop(InodeId id) {
    ++epoch_;
    files_.erase(id);
    folders_.erase(id);
  }
  void clear() {
    ++epoch_;
    files_.clear();
    folders_.clear();
  }
  /// Rises with every change that the feed told of.
  std::uint64_t epoch() const { return epoch_; }
  std::size_t size() const { return files_.size() + folders_.size(); }
  std::vector<InodeRef> all() const {
    std::vector<InodeRef> records;
    for (const auto& [id, inode] : folders_) records.push_back(inode);
    for (const auto& [id, inode] : files_) records.push_back(inode);
    return records;
  }

 private:
  std::uint64_t epoch_ = 0;
  Lru<InodeId, InodeRef> files_;
  Lru<InodeId, InodeRef> folders_;
};

}  // namespace geogrid
