#pragma once
// One file's bytes in another. Blocking.

#include <cstdint>

#include "os/env.hpp"

namespace geogrid {

/// Gives `to`, which is empty, the first `size` bytes of `from`: shared where the filesystem can, else
/// copied, with holes where `from` has them. If `from` shrinks meanwhile, zeros stand for what went.
result<void> copy_bytes(Env& env, int from, int to, std::uint64_t size);

}  // namespace geogrid
