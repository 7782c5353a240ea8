#pragma once
// A condition variable for coroutines, and the polite way to ask them to end.

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>

#include "async/task.hpp"

namespace geogrid {

/// Coroutines wait until another one notifies. Used from one loop. May die while coroutines wait: they are
/// left waiting.
class Notifier {
 public:
  Notifier() : waiters_(std::make_shared<Waiters>()) {}

  /// Resumes all that wait now, soon (never inside this call).
  void notify_all();
  task<void> wait();
  /// False if the time came first.
  task<bool> wait_for(std::chrono::steady_clock::duration most);

 private:
  using Waiters = std::list<asio::steady_timer*>;
  std::shared_ptr<Waiters> waiters_;
};

/// Asks the coroutines that know it to come to an end at their next good point: between two batches, not in
/// the middle of a transaction. Stays stopped for ever. Used from one loop.
class StopSignal {
 public:
  bool stopped() const { return stopped_; }
  void stop();
  /// Errors: errc::cancelled when stopped, at once.
  task<result<void>> sleep_for(std::chrono::steady_clock::duration duration);

  /// While it lives, stop() notifies `notifier` too: for waits that end for several reasons.
  class Link {
   public:
    Link(StopSignal& stop, Notifier& notifier);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

   private:
    std::shared_ptr<std::list<Notifier*>> links_;
    std::list<Notifier*>::iterator at_;
  };

 private:
  bool stopped_ = false;
  Notifier notifier_;
  std::shared_ptr<std::list<Notifier*>> links_ = std::make_shared<std::list<Notifier*>>();
};

/// Runs `work` as a coroutine of its own and waits for it. A cancellation of the caller (asio's) becomes
/// stop->stop(), and `work` is waited for all the same: calls to the store and to volumes are never torn
/// apart in the middle. `work` must hold what it refers to.
template <typename T>
task<T> run_shielded(std::shared_ptr<StopSignal> stop, task<T> work);

}  // namespace geogrid

#include "async/notifier_impl.hpp"
