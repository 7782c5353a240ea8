#include "async/worker.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>

#include "async/semaphore.hpp"
#include "async/standing_error.hpp"
#include "async/task_group.hpp"

namespace geogrid::test {
namespace {

using namespace std::chrono_literals;

class Scripted final : public Worker {
 public:
  explicit Scripted(std::vector<result<WorkerStep>> script) : script_(std::move(script)) {}
  std::string name() const override { return "scripted"; }
  std::string status() const override { return ""; }
  task<result<WorkerStep>> step() override {
    if (on_step) on_step(steps);
    co_return steps < script_.size() ? script_[steps++] : WorkerStep::done();
  }
  std::size_t steps = 0;
  std::function<void(std::size_t)> on_step;

 private:
  std::vector<result<WorkerStep>> script_;
};

TEST(WorkerLoop, RunsUntilDoneAndRetriesErrors) {
  asio::io_context loop;
  auto worker = std::make_shared<Scripted>(
      std::vector<result<WorkerStep>>{WorkerStep::busy(), fail(errc::unavailable, "down"),
                                      WorkerStep::throttled(1ms), WorkerStep::idle(1ms)});
  WorkerLoop::Options options;
  options.first_retry = 1ms;
  WorkerLoop runner(worker, Log(), options);
  auto stop = std::make_shared<StopSignal>();
  asio::co_spawn(loop, runner.run(stop), asio::detached);
  loop.run();
  EXPECT_EQ(worker->steps, 4U);
}

TEST(WorkerLoop, AWakeEndsAnIdleWaitAlsoOneThatComesLater) {
  asio::io_context loop;
  auto worker =
      std::make_shared<Scripted>(std::vector<result<WorkerStep>>{WorkerStep::idle(1h), WorkerStep::idle(1h)});
  WorkerLoop runner(worker, Log(), {});
  worker->on_step = [&](std::size_t step) {
    if (step == 0) runner.wake();  // during the step: it may have missed what it is about
    if (step == 1) asio::post(loop, [&] { runner.wake(); });  // during the wait
  };
  asio::co_spawn(loop, runner.run(std::make_shared<StopSignal>()), asio::detached);
  loop.run();
  EXPECT_EQ(worker->steps, 2U);
}

TEST(WorkerLoop, StopEndsEveryWait) {
  for (const auto& first :
       {result<WorkerStep>(WorkerStep::idle(1h)), result<WorkerStep>(WorkerStep::throttled(1h)),
        result<WorkerStep>(fail(errc::unavailable, "down"))}) {
    asio::io_context loop;
    auto worker = std::make_shared<Scripted>(std::vector<result<WorkerStep>>{first, WorkerStep::busy()});
    WorkerLoop::Options options;
    options.first_retry = 1h;
    WorkerLoop runner(worker, Log(), options);
    auto stop = std::make_shared<StopSignal>();
    worker->on_step = [&](std::size_t) { asio::post(loop, [stop] { stop->stop(); }); };
    asio::co_spawn(loop, runner.run(stop), asio::detached);
    loop.run();
    EXPECT_EQ(worker->steps, 1U);
  }
}

TEST(StandingError, IsSaidOnceThenNowAndThenThenOver) {
  StandingError standing(10min);
  const StandingError::Time start{1h};
  const Error down = fail(errc::unavailable, "the database is down");
  EXPECT_EQ(standing.succeeded(start), std::nullopt);
  EXPECT_EQ(standing.failed(down, start), "the database is down");
  EXPECT_EQ(standing.failed(down, start + 1min), std::nullopt);
  EXPECT_NE(standing.failed(down, start + 11min), std::nullopt);
  EXPECT_EQ(standing.failed(down, start + 12min), std::nullopt);
  EXPECT_EQ(standing.failed(fail(errc::low_space, "full"), start + 13min), "full");
  EXPECT_NE(standing.succeeded(start + 14min), std::nullopt);
  EXPECT_EQ(standing.succeeded(start + 15min), std::nullopt);
}

task<void> count_at_work(int* now, int* most) {
  *most = std::max(*most, ++*now);
  (void)co_await sleep_for(1ms);
  --*now;
}

TEST(TaskGroup, NeverMoreThanItsLimitAndAllAreWaitedFor) {
  asio::io_context loop;
  int now = 0, most = 0;
  auto body = [&]() -> task<bool> {
    TaskGroup group(3);
    for (int i = 0; i < 20; ++i) co_await group.start(count_at_work(&now, &most));
    co_await group.wait();
    co_return now == 0;
  };
  EXPECT_TRUE(run_to_end(loop, body()));
  EXPECT_EQ(most, 3);
}

TEST(Semaphore, PlacesAreGivenBack) {
  asio::io_context loop;
  int now = 0, most = 0;
  Semaphore semaphore(2);
  auto one = [&]() -> task<void> {
    const auto place = co_await semaphore.take();
    co_await count_at_work(&now, &most);
  };
  for (int i = 0; i < 9; ++i) asio::co_spawn(loop, one(), asio::detached);
  loop.run();
  EXPECT_EQ(now, 0);
  EXPECT_EQ(most, 2);
}

task<int> work_until_stopped(std::shared_ptr<StopSignal> stop) {
  for (bool going = true; going;) {
    const auto slept = co_await stop->sleep_for(1ms);
    going = slept.has_value();
  }
  (void)co_await sleep_for(1ms);  // what has to be done at the end is not torn apart
  co_return 42;
}

TEST(RunShielded, ACancellationBecomesAStopAndTheWorkEndsByItself) {
  asio::io_context loop;
  auto stop = std::make_shared<StopSignal>();
  asio::cancellation_signal cancel;
  std::optional<int> got;
  asio::co_spawn(
      loop, run_shielded(stop, work_until_stopped(stop)),
      asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr, int value) { got = value; }));
  asio::steady_timer timer(loop, 5ms);
  timer.async_wait([&](auto) { cancel.emit(asio::cancellation_type::terminal); });
  loop.run();
  EXPECT_EQ(got, 42);
  EXPECT_TRUE(stop->stopped());
}

}  // namespace
}  // namespace geogrid::test
