#include "base/attributes.hpp"

namespace geogrid {

std::string_view name_of(FileType type) {
  switch (type) {
    case FileType::folder:
      return "folder";
    case FileType::file:
      return "file";
    case FileType::symlink:
      return "symlink";
    case FileType::fifo:
      return "fifo";
    case FileType::socket:
      return "socket";
    case FileType::character_device:
      return "character device";
    case FileType::block_device:
      return "block device";
  }
  return "unknown";
}

}  // namespace geogrid
