#pragma once
// Bytes on their way from the kernel to a disk.

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "base/error.hpp"

namespace geogrid {

/// A view, and what keeps it alive.
struct WriteBytes {
  std::span<const std::byte> data;
  std::shared_ptr<const void> owner;
};

/// Called once, on any thread.
using WriteDone = std::function<void(result<void>)>;

}  // namespace geogrid
