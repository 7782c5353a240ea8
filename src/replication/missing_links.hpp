#pragma once
// Symlinks that metadata has and a node lacks: one that was added later, or lost its disk.

#include <memory>
#include <vector>

#include "replication/walk_state.hpp"

namespace geogrid {

/// Makes these symlinks of the folder on the walked node; what the node owes there is left to its turn.
/// Errors: those that end the walk.
task<result<void>> make_missing_links(std::shared_ptr<WalkState> state, Path folder,
                                      std::vector<Inode> links);

}  // namespace geogrid
