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
/// it would be stale for ever: put() takes the epoch as it was before the read, and keeps nothing if the row
/// changed since. One thread.
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
    if (changed_since(inode->id, epoch_before_read)) return false;
    (inode->is_folder() ? folders_ : files_).put(inode->id, inode);
    return true;
  }
  void drop(InodeId id) {
    mark(id);
    files_.erase(id);
    folders_.erase(id);
  }
  /// The row changed, and this is how it is now.
  void replace(const InodeRef& inode) {
    mark(inode->id);
    (inode->is_folder() ? folders_ : files_).put(inode->id, inode);
  }
  void clear() {
    oldest_known_ = ++epoch_;
    changed_.clear();
    files_.clear();
    folders_.clear();
  }
  /// Rises with every change that became known.
  std::uint64_t epoch() const { return epoch_; }
  /// Whether the row, or for a folder what it lists, changed after that epoch. In doubt, yes.
  bool changed_since(InodeId id, std::uint64_t epoch) {
    if (epoch == epoch_) return false;
    if (epoch < oldest_known_) return true;
    const std::uint64_t* last = changed_.find(id);
    return last && *last > epoch;
  }
  std::size_t size() const { return files_.size() + folders_.size(); }
  std::vector<InodeRef> all() const {
    std::vector<InodeRef> records;
    for (const auto& [id, inode] : folders_) records.push_back(inode);
    for (const auto& [id, inode] : files_) records.push_back(inode);
    return records;
  }

 private:
  static constexpr std::size_t kChangesKnown = 4096;

  void mark(InodeId id) {
    // Started anew rather than forgotten one by one: an answer in doubt costs one question more.
    if (changed_.size() >= kChangesKnown && !changed_.find(id)) {
      changed_.clear();
      oldest_known_ = epoch_;
    }
    changed_.put(id, ++epoch_);
  }

  std::uint64_t epoch_ = 0;
  std::uint64_t oldest_known_ = 0;  // changes up to here are not in changed_
  Lru<InodeId, std::uint64_t> changed_{kChangesKnown};
  Lru<InodeId, InodeRef> files_;
  Lru<InodeId, InodeRef> folders_;
};

}  // namespace geogrid
