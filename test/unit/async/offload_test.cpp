#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <future>
#include <thread>

#include "async/blocking_pool.hpp"
#include "support/wait.hpp"

namespace geogrid {
namespace {

TEST(Offload, WorksElsewhereAndResumesHere) {
  asio::io_context loop;
  BlockingPool pool({});
  const auto here = std::this_thread::get_id();
  auto body = [&]() -> task<result<int>> {
    auto work = []() -> result<std::thread::id> { return std::this_thread::get_id(); };
    GG_CO_TRY(const std::thread::id there, co_await offload(pool, work));
    EXPECT_NE(there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
    co_return 42;
  };
  EXPECT_EQ(run_to_end(loop, body()).value(), 42);
}

TEST(Offload, ErrorsComeBackAsValues) {
  asio::io_context loop;
  BlockingPool pool({});
  auto work = []() -> result<void> { return fail(errc::stale, "old"); };
  EXPECT_TRUE(run_to_end(loop, offload(pool, work)).error().is(errc::stale));
}

TEST(Offload, AFullQueueIsBusy) {
  asio::io_context loop;
  BlockingPool pool({.threads = 1, .queue_limit = 0});
  auto work = []() -> result<void> { return {}; };
  EXPECT_TRUE(run_to_end(loop, offload(pool, work)).error().is(errc::busy));
}

TEST(Offload, TheWorkIsGoneBeforeTheCoroutineGoesOn) {
  asio::io_context loop;
  BlockingPool pool({});
  auto body = [&]() -> task<result<void>> {
    for (int i = 0; i < 500; ++i) {
      auto held = std::make_shared<int>(i);
      auto work = [held]() -> result<int> { return *held; };
      GG_CO_TRY(const int value, co_await offload(pool, std::move(work)));
      EXPECT_EQ(value, i);
      EXPECT_EQ(held.use_count(), 1);
    }
    co_return result<void>();
  };
  EXPECT_TRUE(run_to_end(loop, body()));
}

TEST(Offload, ManyAtOnce) {
  asio::io_context loop;
  BlockingPool pool({.threads = 4});
  int done = 0;
  auto body = [&](int i) -> task<void> {
    auto work = [i]() -> result<int> { return i; };
    const auto value = co_await offload(pool, work);
    done += value && *value == i ? 1 : 0;
  };
  for (int i = 0; i < 1000; ++i) asio::co_spawn(loop, body(i), asio::detached);
  loop.run();
  EXPECT_EQ(done, 1000);
}

TEST(Offload, TheLoopWaitsForTheJob) {
  asio::io_context loop;
  BlockingPool pool({});
  bool resumed = false;
  std::promise<void> running;
  std::promise<void> go;
  auto body = [&]() -> task<void> {
    auto work = [&running, wait = go.get_future().share()]() -> result<void> {
      running.set_value();
      wait.wait();
      return {};
    };
    resumed = (co_await offload(pool, std::move(work))).has_value();
  };
  asio::co_spawn(loop, body(), asio::detached);
  std::thread opener([&] {
    running.get_future().wait();
    go.set_value();
  });
  loop.run();  // would return at once if nothing told it of the job
  opener.join();
  EXPECT_TRUE(resumed);
}

// What happens at the end of a process that a hung mount holds: pool, coroutines and loop go, the thread
// comes back later.
TEST(Offload, AJobThatEndsAfterTheLoopTouchesNothing) {
  std::promise<void> running;
  std::promise<void> go;
  std::promise<void> ended;
  bool resumed = false;
  {
    asio::io_context loop;
    BlockingPool pool({.threads = 1, .join_timeout = std::chrono::milliseconds(1)});
    auto body = [&]() -> task<void> {
      auto work = [&running, &ended, wait = go.get_future().share()]() -> result<void> {
        running.set_value();
        wait.wait();
        ended.set_value();
        return {};
      };
      (void)co_await offload(pool, std::move(work));
      resumed = true;
    };
    asio::co_spawn(loop, body(), asio::detached);
    const auto is_running = running.get_future();
    while (is_running.wait_for(std::chrono::seconds(0)) != std::future_status::ready) loop.poll();
  }
  go.set_value();
  ended.get_future().wait();
  EXPECT_FALSE(resumed);  // and the address sanitizer has nothing to say
}

TEST(Offload, CoroutinesOfDroppedJobsAreDestroyed) {
  asio::io_context loop;
  const auto held = std::make_shared<int>(1);
  std::promise<void> go;
  std::promise<void> running;
  std::thread opener;
  {
    BlockingPool pool({.threads = 1});
    ASSERT_TRUE(pool.post([&running, wait = go.get_future().share()] {
      running.set_value();
      wait.wait();
    }));
    running.get_future().wait();
    auto body = [&pool](std::shared_ptr<int> kept) -> task<void> {
      auto work = []() -> result<void> { return {}; };
      (void)co_await offload(pool, work);
      ADD_FAILURE() << "the job was dropped " << *kept;
    };
    asio::co_spawn(loop, body(held), asio::detached);
    loop.poll();
    ASSERT_EQ(held.use_count(), 2);
    // The pool's end takes the job out of the queue before it waits for the one that runs.
    opener = std::thread([&] {
      test::wait_until([&] { return pool.pending() == 1; });
      go.set_value();
    });
  }
  opener.join();
  loop.restart();
  loop.poll();  // Asio takes a coroutine apart on its executor
  EXPECT_EQ(held.use_count(), 1);
}

TEST(SleepFor, EndsAndCanBeCancelled) {
  asio::io_context loop;
  EXPECT_TRUE(run_to_end(loop, sleep_for(std::chrono::milliseconds(1))));

  asio::cancellation_signal stop;
  bool cancelled = false;
  auto body = [&]() -> task<void> {
    const auto slept = co_await sleep_for(std::chrono::hours(1));
    cancelled = !slept && slept.error().is(errc::cancelled);
  };
  asio::io_context second;
  asio::co_spawn(second, body(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
  asio::post(second, [&] { stop.emit(asio::cancellation_type::terminal); });
  second.run();
  EXPECT_TRUE(cancelled);
}

}  // namespace
}  // namespace geogrid
