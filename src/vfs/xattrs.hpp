#pragma once
// The extended attributes that the mount invents: what metadata knows of a file, for `getfattr -d`. Pure.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "vfs/node_view.hpp"

namespace geogrid {

/// All are read-only, and only files have them.
inline constexpr std::array<std::string_view, 6> kXattrNames{
    "user.geogrid.replicas", "user.geogrid.backups", "user.geogrid.class",
    "user.geogrid.digest",   "user.geogrid.version", "user.geogrid.served_by"};

/// nullopt if the file has no such attribute. `served_by`: the node that gave the last bytes, or would give
/// the next.
std::optional<std::string> xattr_value(std::string_view name, const Inode& file, const NodeView& nodes,
                                       std::optional<NodeIndex> served_by);

}  // namespace geogrid
