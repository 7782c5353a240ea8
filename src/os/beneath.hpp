#pragma once
// Opening a path beneath a folder without following symlinks, whatever its length.

#include <sys/types.h>

#include <string_view>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace geogrid {

/// As Env::open(). A path over PATH_MAX is opened in several steps; on kernels or in sandboxes without
/// openat2(2), name by name.
result<UniqueFd> open_beneath(int folder, std::string_view path, int flags, mode_t mode);
/// The same, always name by name: for tests of that way.
result<UniqueFd> open_name_by_name(int folder, std::string_view path, int flags, mode_t mode);

}  // namespace geogrid
