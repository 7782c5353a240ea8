#pragma once
// What is left of a page of a folder's listing: the kernel asks for some 30 entries at a time, the store
// gives hundreds.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "vfs/inode_cache.hpp"

namespace geogrid {

/// Entries of a folder in the order of their ids, from somewhere in the middle.
struct ListingRest {
  std::vector<InodeRef> entries;
  std::size_t next = 0;     ///< in entries: what was not handed out yet
  bool to_the_end = false;  ///< nothing follows the last of the entries
  bool unknown = false;     ///< these are names that metadata does not know, which follow those that it knows
  bool lasting = true;      ///< no change came in while it was read
};

/// A few rests, each for who reads on where it was left. Short-lived and dropped with any change in the
/// folder. One thread.
class ListingCache {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kFolders = 64;
  static constexpr std::chrono::seconds kKept{2};

  /// Takes out the rest that follows `after`.
  std::optional<ListingRest> take(InodeId folder, InodeId after, Time now) {
    Kept* kept = rests_.find(folder);
    if (!kept || kept->after != after || now - kept->since > kKept) return std::nullopt;
    ListingRest rest = std::move(kept->rest);
    rests_.erase(folder);
    return rest;
  }
  void put(InodeId folder, InodeId after, ListingRest rest, Time now) {
    rests_.put(folder, Kept{after, now, std::move(rest)});
  }
  void drop(InodeId folder) { rests_.erase(folder); }
  void clear() { rests_.clear(); }

 private:
  struct Kept {
    InodeId after;
    Time since;
    ListingRest rest;
  };
  Lru<InodeId, Kept> rests_{kFolders};
};

}  // namespace geogrid
