#pragma once
// Background work: one unit at a time, which says whether there is more, and the loop that runs it.

#include <chrono>
#include <memory>
#include <string>

#include "async/notifier.hpp"
#include "async/task.hpp"
#include "base/log.hpp"
#include "os/clock.hpp"

namespace geogrid {

/// What a unit of work found.
struct WorkerStep {
  enum class Kind {
    busy,       ///< there is more: again at once
    throttled,  ///< there is more, after `wait`
    idle,       ///< nothing to do for `wait`, unless woken
    done,       ///< for good
  };
  Kind kind = Kind::busy;
  std::chrono::steady_clock::duration wait{};

  static WorkerStep busy() { return {}; }
  static WorkerStep throttled(std::chrono::steady_clock::duration wait) { return {Kind::throttled, wait}; }
  static WorkerStep idle(std::chrono::steady_clock::duration wait) { return {Kind::idle, wait}; }
  static WorkerStep done() { return {Kind::done, {}}; }
};

class Worker {
 public:
  virtual ~Worker() = default;
  virtual std::string name() const = 0;
  /// One line for `status`: what it is doing, how far it is.
  virtual std::string status() const = 0;
  /// Does one unit: short enough that a stop may wait for it. An error is retried with backoff.
  virtual task<result<WorkerStep>> step() = 0;
};

/// Runs a worker until it is done or stopped. Used from one loop.
class WorkerLoop {
 public:
  struct Options {
    std::chrono::milliseconds first_retry{500};
    std::chrono::milliseconds last_retry{60'000};
    std::chrono::milliseconds summary_every{600'000};  ///< of an error that stands
    const Clock* clock = &system_clock();
    Random* random = &system_random();
  };
  WorkerLoop(std::shared_ptr<Worker> worker, Log log, Options options);

  /// Must stay alive until it returns.
  task<void> run(std::shared_ptr<StopSignal> stop);
  /// There may be work: ends an idle wait (not one for backoff or throttle), the one that comes next if none
  /// is under way.
  void wake();
  const Worker& worker() const { return *worker_; }

 private:
  task<void> wait(StopSignal& stop, std::chrono::steady_clock::duration duration, bool wakeable);

  std::shared_ptr<Worker> worker_;
  Log log_;
  Options options_;
  Notifier notifier_;
  bool woken_ = false;
};

}  // namespace geogrid
