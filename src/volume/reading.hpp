#pragma once
// Reading from an open file on a thread of the volume.

#include <functional>
#include <memory>
#include <span>

#include "volume/local_core.hpp"

namespace geogrid {

/// What OpenFile::read() does. `owner` keeps `fd` open meanwhile.
void read_on_thread(const std::shared_ptr<LocalCore>& core, std::shared_ptr<const void> owner, int fd,
                    std::uint64_t offset, std::size_t size,
                    std::function<void(result<std::span<const std::byte>>)> done);

}  // namespace geogrid
