#pragma once
// The files in `.geogrid/tmp`. Blocking.

#include <string>

#include "volume/local_disk.hpp"

namespace geogrid {

/// A file nobody else has, empty, mode 0600. Its flock(2) tells other processes that its writer lives.
struct TemporaryFile {
  std::string name;  ///< within `.geogrid/tmp`
  UniqueFd file;     ///< for reading and writing
};
result<TemporaryFile> make_temporary(LocalDisk& disk, int root);

/// Removes the files whose writer is gone, and empty folders, but no drafts; returns how many.
result<std::size_t> remove_abandoned_temporaries(LocalDisk& disk, int root);

}  // namespace geogrid
