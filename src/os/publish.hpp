#pragma once
// Atomic, power-safe publication of a small file: a marker, a checkpoint.

#include <span>
#include <string>

#include "os/env.hpp"

namespace geogrid {

/// Writes `bytes` to a new temporary name in `temp_folder`, makes them power-safe, gives them the name `name`
/// in `folder` and makes that power-safe too. Readers see the old file or the new one, whole; so does a power
/// loss. A crash may leave the temporary file. Blocking. Errors: EEXIST where the name is taken and
/// `if_taken` says fail; others as system codes, with nothing left behind.
result<void> publish_bytes(Env& env, int temp_folder, int folder, const std::string& name,
                           std::span<const std::byte> bytes, mode_t mode, IfTaken if_taken);

/// Reads a file of at most `limit` bytes. Errors: EFBIG; errc::not_supported if it is not an ordinary file.
result<std::string> read_small_file(Env& env, int folder, std::string_view path, std::size_t limit);

}  // namespace geogrid
