#pragma once
// The storage role: its actions walk and replicate, and its loops.

#include <memory>

#include "admin.hpp"
#include "replication/storage_loops.hpp"

namespace geogrid {

/// The nodes that `--replica` names, or the configuration's own `node` where it is empty; "all" are all that
/// this machine reaches. Errors: errc::invalid_argument.
result<std::vector<NodeVolume>> chosen_nodes(const Process& process, const std::vector<NodeVolume>& volumes,
                                             const std::string& replica);

/// One walk of each chosen node. The worst of their exit codes.
task<result<int>> walk_nodes(const Process& process, RunRoles run, Output output);
/// Replicates to each chosen node until its queue is empty. The worst of their exit codes.
task<result<int>> replicate_nodes(const Process& process, RunRoles run, Output output);

/// The loops over the chosen nodes. `store` and `feed` must outlive them.
result<std::unique_ptr<StorageLoops>> storage_loops(const Process& process, const RunRoles& run,
                                                    MetadataStore& store, ChangeFeed& feed,
                                                    const std::vector<NodeVolume>& volumes);

}  // namespace geogrid
