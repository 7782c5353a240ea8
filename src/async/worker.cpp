#include "async/worker.hpp"

#include "async/backoff.hpp"
#include "async/standing_error.hpp"

namespace geogrid {

WorkerLoop::WorkerLoop(std::shared_ptr<Worker> worker, Log log, Options options)
    : worker_(std::move(worker)), log_(log.named(worker_->name())), options_(options) {}

void WorkerLoop::wake() {
  woken_ = true;
  notifier_.notify_all();
}

task<void> WorkerLoop::wait(StopSignal& stop, std::chrono::steady_clock::duration duration, bool wakeable) {
  const StopSignal::Link link(stop, notifier_);
  const auto end = options_.clock->steady() + duration;
  for (;;) {
    if (stop.stopped() || (wakeable && woken_)) co_return;
    const auto left = end - options_.clock->steady();
    if (left <= left.zero()) co_return;
    co_await notifier_.wait_for(left);
  }
}

task<void> WorkerLoop::run(std::shared_ptr<StopSignal> stop) {
  Backoff backoff(options_.first_retry, options_.last_retry);
  StandingError standing(options_.summary_every);
  while (!stop->stopped()) {
    woken_ = false;  // a wake during the step is about what the step may have missed
    const result<WorkerStep> step = co_await worker_->step();
    if (!step) {
      if (step.error().is(errc::cancelled)) co_return;
      if (const auto line = standing.failed(step.error(), options_.clock->steady()))
        log_.warning("{}", *line);
      co_await wait(*stop, backoff.next(options_.random->next()), false);
      continue;
    }
    backoff.reset();
    if (const auto line = standing.succeeded(options_.clock->steady())) log_.info("{}", *line);
    if (step->kind == WorkerStep::Kind::done) co_return;
    if (step->kind != WorkerStep::Kind::busy)
      co_await wait(*stop, step->wait, step->kind == WorkerStep::Kind::idle);
  }
}

}  // namespace geogrid
