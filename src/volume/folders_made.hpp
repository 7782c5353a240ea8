#pragma once
// Which folders got a folder in them that no fsync has covered yet.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace geogrid {

/// What clients make in passing need not be power-safe, but whoever later says that a file below it is has to
/// make the way to it power-safe too. Thread-safe.
class FoldersMade {
 public:
  using FolderId = std::pair<dev_t, ino_t>;
  /// Over this, the one that waits longest is forgotten: the kernel has written it back long ago.
  static constexpr std::size_t kMost = 4096;

  /// Runs `make`; if it made a folder in this one, that is remembered before anybody can find it.
  template <typename Make>
  result<void> remember(FolderId parent, Make make) {
    const std::scoped_lock lock(mutex_);
    GG_CHECK(make());
    add(parent);
    return {};
  }
  bool none() const;
  /// Which making in this folder was the last; nullopt: none that is not power-safe.
  std::optional<std::uint64_t> last_made_in(FolderId parent) const;
  /// It was fsynced after this one.
  void forget(FolderId parent, std::uint64_t made);

 private:
  void add(FolderId parent);

  mutable std::mutex mutex_;
  std::map<FolderId, std::uint64_t> last_;  // guarded by mutex_, as is all below
  std::map<std::uint64_t, FolderId> by_age_;
  std::uint64_t next_ = 0;
};

}  // namespace geogrid
