#pragma once
// Names that lie on a node's disk and that metadata does not know: shown while a node's first walk is not
// complete.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/path.hpp"
#include "vfs/inode_cache.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// When such names are shown: while some node is joining, always, or never.
enum class ShowUnknown { automatic, always, never };

/// The inode numbers of unregistered names: made from the path, with a bit that no row id has, so that they
/// are the same each time; and what lies behind those seen lately. Bounded: what was pushed out is found
/// again by its name, which the kernel asks for every second. One thread.
class Unregistered {
 public:
  static constexpr std::size_t kRemembered = 16 * 1024;
  static constexpr std::uint64_t kBit = std::uint64_t{1} << 62;

  struct Known {
    InodeRef inode;  ///< its `replicas` is the node where it lies; its version is 0
    Path path;
  };

  static bool is(InodeId id) { return (id.value & kBit) != 0; }
  static InodeId id_of(const Path& path);
  /// The record of what lies at `path` on `node`, remembered by its id.
  InodeRef remember(InodeId parent, const Path& path, NodeIndex node, const DiskEntry& entry);
  /// nullptr if it is not remembered.
  const Known* find(InodeId id) { return known_.find(id); }
  void drop(InodeId id) { known_.erase(id); }
  /// Whether a walk would ever register the name.
  static bool is_shown(const Path& path, const DiskEntry& entry);

 private:
  Lru<InodeId, Known> known_{kRemembered};
};

}  // namespace geogrid
