#include "async/parallel_for.hpp"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace geogrid {
namespace {

// Shared with helpers that begin after everything is done.
struct Loop {
  Loop(std::size_t n, std::function<void(std::size_t)> b) : count(n), body(std::move(b)) {}

  const std::size_t count;
  const std::function<void(std::size_t)> body;
  std::mutex mutex;
  std::condition_variable all_done;
  std::size_t next = 0;  // guarded by mutex, as is done
  std::size_t done = 0;

  void work() {
    std::unique_lock lock(mutex);
    while (next < count) {
      const std::size_t index = next++;
      lock.unlock();
      body(index);
      lock.lock();
      if (++done == count) all_done.notify_all();
    }
  }
};

}  // namespace

void parallel_for(BlockingPool& pool, std::size_t count, std::size_t helpers,
                  std::function<void(std::size_t)> body) {
  if (count == 0) return;
  const auto loop = std::make_shared<Loop>(count, std::move(body));
  for (std::size_t i = 0; i < std::min(helpers, count - 1); ++i)
    if (!pool.post([loop] { loop->work(); })) break;  // fewer helpers, same outcome
  loop->work();
  std::unique_lock lock(loop->mutex);
  loop->all_done.wait(lock, [&] { return loop->done == loop->count; });
}

}  // namespace geogrid
