#pragma once
// One folder as its disk and as metadata have it.

#include <memory>
#include <optional>
#include <vector>

#include "meta/namespace_store.hpp"
#include "replication/folder_queue.hpp"
#include "volume/volume.hpp"

namespace geogrid {

struct FolderListing {
  std::vector<DiskEntry> disk;
  std::vector<Inode> known;
  bool on_disk = true;
  std::optional<Error>
      unreadable;  ///< the disk's listing failed: nothing may be concluded, `known` was not read
};

/// Lists the disk first and metadata then. Errors: those that concern more than this folder
/// (ends_traversal()), and what the store says; a folder that metadata does not know (any more) has no known
/// entries.
task<result<FolderListing>> list_folder(NamespaceStore& store, Volume& volume, const FolderJob& job);

/// Whether an error of a volume means that it cannot be used at all now, rather than that one file or folder
/// is in trouble.
bool ends_traversal(const Error& error);

}  // namespace geogrid
