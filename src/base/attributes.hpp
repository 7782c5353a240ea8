#pragma once
// What kind of thing a name is, and the attributes that chmod, chown and utimensat change.

#include <cstdint>
#include <string_view>

#include "base/timestamp.hpp"

namespace geogrid {

/// Stored by number: never renumber.
enum class FileType : std::uint8_t {
  folder = 1,
  file = 2,
  symlink = 3,
  fifo = 4,
  socket = 5,
  character_device = 6,
  block_device = 7,
};

/// "folder", "character device".
std::string_view name_of(FileType type);

struct Attributes {
  std::uint32_t mode = 0644;  ///< permission, set-id and sticky bits (07777), without the type
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  Timestamp atime;
  Timestamp mtime;
  Timestamp ctime;
};

}  // namespace geogrid
