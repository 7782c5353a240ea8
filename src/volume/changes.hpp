#pragma once
// Changes of single names on a local volume, with what Volume says of each. Blocking; errors are not yet
// explained.

#include <string>

#include "volume/local_disk.hpp"

namespace geogrid {

/// errc::invalid_argument for the root and for what is our own.
result<void> check_changeable(const Path& path);

result<std::string> put_aside_at(LocalDisk& disk, int root, const Path& path, AsideReason reason,
                                 Timestamp when);
result<void> take_back_at(LocalDisk& disk, int root, const Path& path, const DiskEntry& published);
result<void> make_folder_at(LocalDisk& disk, int root, const Path& path, const Attributes& attributes);
result<void> make_symlink_at(LocalDisk& disk, int root, const Path& path, const std::string& target,
                             const Attributes& attributes);
result<void> set_mtime_at(LocalDisk& disk, int root, const Path& path, Timestamp mtime);
result<void> set_attributes_at(LocalDisk& disk, int root, const Path& path, const Attributes& attributes);
/// Opens and locks `.geogrid/locks/<name>`.
result<UniqueFd> take_lock_at(LocalDisk& disk, int root, const std::string& name);

}  // namespace geogrid
