#pragma once
// Bytes from one file to another without passing through this process, where the kernel can.

#include <cstdint>

#include "os/env.hpp"

namespace geogrid {

/// As Env::clone().
result<void> clone_bytes(int from, int to);
/// As Env::copy(); what the kernel cannot do is read and written through `env`.
result<std::uint64_t> copy_range(Env& env, int from, int to, std::uint64_t offset, std::uint64_t length);

}  // namespace geogrid
