#pragma once
// A small local file, read whole, with what its inode says.

#include <sys/stat.h>

#include <string>

#include "base/error.hpp"

namespace geogrid {

struct SmallFile {
  std::string content;
  struct stat status {};
};

/// Follows links. Never waits, not even for a pipe. Errors: errc::is_a_folder; errc::invalid_argument for
/// what is no regular file or holds more than `limit` bytes; system codes.
result<SmallFile> read_small_file(const std::string& path, std::size_t limit);

}  // namespace geogrid
