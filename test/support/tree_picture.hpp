#pragma once
// What a folder holds, to compare it with another.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

namespace geogrid::test {

struct PictureEntry {
  mode_t mode = 0;  ///< type and bits
  uid_t uid = 0;
  gid_t gid = 0;
  std::int64_t size = 0;       ///< of files and links
  std::int64_t mtime_sec = 0;  ///< of files
  std::int64_t mtime_nsec = 0;
  std::string digest;       ///< md5 of a file's bytes
  std::string link_target;  ///< of a symlink

  friend bool operator==(const PictureEntry&, const PictureEntry&) = default;
  /// For messages.
  std::string str() const;
};

/// By path from the folder, with a slash before. Reaches what lies deeper than a path may be long. `.geogrid`
/// at the top is left out. Throws where something cannot be read.
using TreePicture = std::map<std::string, PictureEntry>;
TreePicture picture_of(const std::string& folder);

}  // namespace geogrid::test
