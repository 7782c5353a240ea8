#pragma once
// One file's way out of the trash. Internal to the restorer.

#include "meta/metadata_store.hpp"
#include "replication/trash_restorer.hpp"

namespace geogrid {

/// What the files of one restoration share.
struct Restoration {
  MetadataStore& store;
  std::vector<NodeVolume> volumes;
  ChangeId seen;  ///< the newest change before anything was moved
  const Clock* clock;
  Clock::SteadyTime patience;  ///< until then a removal that is just over is waited for
};

/// Restores one file to `to`, whose folder is `parent`.
task<RestoredFile> restore_file(std::shared_ptr<Restoration> shared, TrashFile file, Path to, InodeId parent);

}  // namespace geogrid
