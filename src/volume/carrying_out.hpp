#pragma once
// What a node owes, done on its disk: intents' effects. Blocking, on the volume's threads.

#include <vector>

#include "volume/local_core.hpp"

namespace geogrid {

/// What Volume::carry_out() does.
std::vector<result<DiskChanged>> carry_out_all(LocalDisk& disk, const std::vector<DiskChange>& changes);
/// What Volume::make_power_safe() does; to be called on a thread of core->syncs.
result<void> make_changes_power_safe(const std::shared_ptr<LocalCore>& core,
                                     std::vector<DiskChanged> changes);
/// What Volume::undo() does.
result<void> undo_change(LocalDisk& disk, int root, const DiskChanged& change);

}  // namespace geogrid
