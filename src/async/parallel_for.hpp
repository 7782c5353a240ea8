#pragma once
// A loop over indices that several threads of a pool share.

#include <cstddef>
#include <functional>

#include "async/blocking_pool.hpp"

namespace geogrid {

/// Calls `body` once for each index below `count`, on this thread and on up to `helpers` more of the pool,
/// and returns when all calls have ended. To be called on a thread of the pool: this thread takes whatever no
/// other has begun, so that a pool whose threads are all in here still gets everything done.
void parallel_for(BlockingPool& pool, std::size_t count, std::size_t helpers,
                  std::function<void(std::size_t)> body);

}  // namespace geogrid
