#pragma once
// Drafts by their names, also those of processes that died. Blocking, with what Volume says of each; errors
// are not yet explained.

#include <string>
#include <vector>

#include "volume/local_disk.hpp"

namespace geogrid {

result<std::vector<DraftFound>> find_drafts(LocalDisk& disk, int root);
result<std::string> salvage_draft(LocalDisk& disk, int root, const DraftName& name, const Path& path,
                                  Timestamp when);
result<void> exchange_draft_at(LocalDisk& disk, int root, const DraftName& name, const Path& path);
/// Relative to the root.
Path path_of_draft(const DraftName& name);

}  // namespace geogrid
