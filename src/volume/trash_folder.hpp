#pragma once
// The trash of a node: `.geogrid/trash/DATE/path`. Blocking, with what Volume says of each; errors are not
// yet explained.

#include <string>
#include <vector>

#include "volume/local_disk.hpp"

namespace geogrid {

result<std::vector<TrashDate>> find_trash_dates(LocalDisk& disk, int root);
/// The path of something in the trash beneath the root. Errors: errc::invalid_argument if that is no date.
result<Path> path_in_trash(const std::string& date, const Path& path);
result<void> restore_at(LocalDisk& disk, int root, const std::string& date, const Path& path, const Path& to);
result<TrashPurge> purge_at(LocalDisk& disk, int root, const std::string& date, const Path& below,
                            std::size_t limit);

}  // namespace geogrid
