#pragma once
// What must be true of an archive's disks once nobody writes any more.

#include <string>
#include <vector>

#include "support/cluster.hpp"
#include "support/tree_picture.hpp"

namespace geogrid::test {

/// Nodes that hold exactly this file, bytes, size and time.
std::vector<std::string> nodes_with(const Cluster& archive, const std::string& path,
                                    const PictureEntry& entry);

/// Adds a test failure for each file of the picture that lies, whole, on fewer than `copies` nodes; for each
/// file or link that a node holds and the picture does not; for whatever is left in `.geogrid/tmp`; and if
/// `geogridd verify --deep` complains.
void expect_at_rest(const Cluster& archive, const TreePicture& picture, std::size_t copies);

/// Waits until nothing is left in `.geogrid/tmp` of any node; what is there else.
std::vector<std::string> left_in_tmp(const Cluster& archive);

/// Paths of files below `.geogrid/ROOM/DATE` of a node whose path there is `path`, as found on disk.
std::vector<std::string> kept_aside(const Cluster& archive, const std::string& room, const std::string& path);

}  // namespace geogrid::test
