#include "async/parallel_for.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace geogrid {
namespace {

void on(BlockingPool& pool, const std::function<void()>& job) {
  std::promise<void> done;
  ASSERT_TRUE(pool.post([&] {
    job();
    done.set_value();
  }));
  done.get_future().wait();
}

TEST(ParallelFor, CallsOncePerIndex) {
  BlockingPool pool({.threads = 4});
  for (const std::size_t count : {0U, 1U, 2U, 1000U}) {
    std::vector<std::atomic<int>> calls(count);
    on(pool, [&] { parallel_for(pool, count, 3, [&](std::size_t i) { ++calls[i]; }); });
    for (const auto& n : calls) EXPECT_EQ(n, 1);
  }
}

TEST(ParallelFor, UsesItsHelpers) {
  BlockingPool pool({.threads = 3});
  std::atomic<int> inside = 0;
  // Each call waits for the two others: only three threads get through.
  on(pool, [&] {
    parallel_for(pool, 3, 2, [&](std::size_t) {
      ++inside;
      while (inside < 3) std::this_thread::yield();
    });
  });
  EXPECT_EQ(inside, 3);
}

TEST(ParallelFor, EndsWhenEveryThreadIsInIt) {
  BlockingPool pool({.threads = 2});
  std::atomic<int> calls = 0;
  std::promise<void> both[2];
  for (auto& done : both)
    ASSERT_TRUE(pool.post([&] {
      parallel_for(pool, 100, 5, [&](std::size_t) { ++calls; });
      done.set_value();
    }));
  for (auto& done : both) done.get_future().wait();
  EXPECT_EQ(calls, 200);
}

TEST(ParallelFor, AFullQueueOnlyTakesTheHelp) {
  BlockingPool pool({.threads = 1, .queue_limit = 1});
  int calls = 0;
  on(pool, [&] { parallel_for(pool, 100, 50, [&](std::size_t) { ++calls; }); });
  EXPECT_EQ(calls, 100);
}

}  // namespace
}  // namespace geogrid
