#pragma once
// Names and contents change while a disk is looked at: whether what was seen there still means something.

#include <optional>
#include <vector>

#include "meta/metadata_store.hpp"

namespace geogrid {

/// What the node owes. nullopt: so much that nothing may be concluded until it has caught up.
task<result<std::optional<std::vector<Intent>>>> all_owed(NamespaceStore& store, NodeIndex node);

/// Whether the intent changes what lies at the path, or above it.
bool touches(const Intent& intent, const Path& path);

/// Whether the node owes something on the path or above it.
task<result<bool>> owes_on(NamespaceStore& store, NodeIndex node, Path path);

/// Whether the file still is at this path and version, counts on the node, and owes nothing there. To be
/// asked after the disk was looked at.
task<result<bool>> still_counted(MetadataStore& store, NodeIndex node, Inode seen, Path path);

}  // namespace geogrid
