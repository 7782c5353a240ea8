#pragma once
// The kernel's requests, one file a group: each callback copies what it needs and has the request answered.

#include "fuse/fuse_api.hpp"

namespace geogrid {

void add_attribute_operations(fuse_lowlevel_ops& operations);
void add_folder_operations(fuse_lowlevel_ops& operations);
void add_file_operations(fuse_lowlevel_ops& operations);
void add_xattr_operations(fuse_lowlevel_ops& operations);
void add_name_operations(fuse_lowlevel_ops& operations);
void add_write_operations(fuse_lowlevel_ops& operations);

}  // namespace geogrid
