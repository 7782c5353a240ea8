#include "async/blocking_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "support/wait.hpp"

namespace geogrid {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// Holds a thread of a pool until it is opened.
class Gate {
 public:
  ~Gate() { open(); }
  std::function<void()> job() {
    return [entered = entered_, opened = opened_] {
      ++*entered;
      opened.wait();
    };
  }
  void open() {
    if (!std::exchange(is_open_, true)) promise_.set_value();
  }
  int entered() const { return *entered_; }

 private:
  std::promise<void> promise_;
  std::shared_future<void> opened_ = promise_.get_future().share();
  std::shared_ptr<std::atomic<int>> entered_ = std::make_shared<std::atomic<int>>(0);
  bool is_open_ = false;
};

TEST(BlockingPool, RunsEveryJobOnOtherThreads) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> done = 0;
  BlockingPool pool({.threads = 3});
  for (int i = 0; i < 1000; ++i)
    ASSERT_TRUE(pool.post([&] {
      const std::scoped_lock lock(mutex);
      threads.insert(std::this_thread::get_id());
      ++done;
    }));
  ASSERT_TRUE(test::wait_until([&] { return done == 1000; }));
  EXPECT_LE(threads.size(), 3U);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(BlockingPool, UsesAsManyThreadsAsAllowedAndNoMore) {
  BlockingPool pool({.threads = 3});
  Gate gate;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pool.post(gate.job()));
  ASSERT_TRUE(test::wait_until([&] { return gate.entered() == 3; }));
  EXPECT_EQ(pool.pending(), 5U);
  EXPECT_EQ(gate.entered(), 3);
  gate.open();
  EXPECT_TRUE(test::wait_until([&] { return gate.entered() == 5 && pool.pending() == 0; }));
}

TEST(BlockingPool, AFullQueueRefuses) {
  BlockingPool pool({.threads = 1, .queue_limit = 2});
  Gate gate;
  ASSERT_TRUE(pool.post(gate.job()));
  ASSERT_TRUE(test::wait_until([&] { return gate.entered() == 1; }));
  EXPECT_TRUE(pool.post([] {}));
  EXPECT_TRUE(pool.post([] {}));
  EXPECT_FALSE(pool.post([] {}));
  gate.open();
  EXPECT_TRUE(test::wait_until([&] { return pool.post([] {}); }));
}

TEST(BlockingPool, TheDestructorWaitsForWhatRunsAndDropsTheRest) {
  std::atomic<bool> ended = false;
  std::atomic<bool> dropped_ran = false;
  Gate gate;
  std::thread opener;
  {
    BlockingPool pool({.threads = 1, .join_timeout = hours(1)});
    ASSERT_TRUE(pool.post([&, wait = gate.job()] {
      wait();
      ended = true;
    }));
    ASSERT_TRUE(test::wait_until([&] { return gate.entered() == 1; }));
    ASSERT_TRUE(pool.post([&] { dropped_ran = true; }));
    opener = std::thread([&] {
      test::wait_until(
          [&] { return pool.pending() == 1; });  // the destructor has emptied the queue, and waits
      gate.open();
    });
  }
  EXPECT_TRUE(ended);
  EXPECT_FALSE(dropped_ran);
  opener.join();
}

TEST(BlockingPool, AThreadThatIsStuckDoesNotHoldUpTheDestructor) {
  Gate gate;
  auto answered = std::make_shared<std::promise<bool>>();
  {
    BlockingPool pool({.threads = 1, .join_timeout = milliseconds(1)});
    ASSERT_TRUE(pool.post([answered, wait = gate.job()] {
      wait();
      answered->set_value(BlockingPool::answer([] {}));
    }));
    ASSERT_TRUE(test::wait_until([&] { return gate.entered() == 1; }));
  }
  gate.open();
  EXPECT_FALSE(answered->get_future().get()) << "nobody is there to be answered";
}

TEST(BlockingPool, MayBeDestroyedOnItsOwnThread) {
  auto pool = std::make_shared<BlockingPool>(BlockingPool::Options{.threads = 2, .join_timeout = hours(1)});
  std::promise<void> released;
  std::promise<void> ended;
  ASSERT_TRUE(pool->post([held = pool, released = released.get_future().share(), &ended]() mutable {
    released.wait();
    held.reset();  // the last owner: would wait for itself
    ended.set_value();
  }));
  pool.reset();
  released.set_value();
  ended.get_future().get();
}

TEST(BlockingPool, ThreadsCarryThePoolsName) {
  BlockingPool pool({.name = "a-name-longer-than-the-kernel-keeps", .threads = 1});
  std::promise<std::string> name;
  ASSERT_TRUE(pool.post([&] {
    // The starting thread may still be naming this one.
    std::string found(16, '\0');
    test::wait_until([&] {
      pthread_getname_np(pthread_self(), found.data(), found.size());
      return found.starts_with("a-name");
    });
    name.set_value(found.c_str());
  }));
  EXPECT_EQ(name.get_future().get(), "a-name-longer-t");
}

}  // namespace
}  // namespace geogrid
