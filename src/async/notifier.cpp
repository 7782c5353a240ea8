#include "async/notifier.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace geogrid {

void Notifier::notify_all() {
  for (asio::steady_timer* waiter : *waiters_) waiter->cancel();
}

task<void> Notifier::wait() {
  co_await wait_for(std::chrono::hours(24 * 365));
}

task<bool> Notifier::wait_for(std::chrono::steady_clock::duration most) {
  // In the list as long as the frame lives, which may be dropped while it waits.
  struct Place {
    std::shared_ptr<Waiters> waiters;
    Waiters::iterator at;
    ~Place() { waiters->erase(at); }
  };
  asio::steady_timer timer(co_await asio::this_coro::executor, most);
  const Place place{waiters_, waiters_->insert(waiters_->end(), &timer)};
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  co_return static_cast<bool>(error);
}

void StopSignal::stop() {
  if (stopped_) return;
  stopped_ = true;
  notifier_.notify_all();
  for (Notifier* linked : *links_) linked->notify_all();
}

task<result<void>> StopSignal::sleep_for(std::chrono::steady_clock::duration duration) {
  if (!stopped_) co_await notifier_.wait_for(duration);
  if (stopped_) co_return fail(errc::cancelled, "stopped");
  co_return result<void>();
}

StopSignal::Link::Link(StopSignal& stop, Notifier& notifier)
    : links_(stop.links_), at_(links_->insert(links_->end(), &notifier)) {}

StopSignal::Link::~Link() {
  links_->erase(at_);
}

}  // namespace geogrid
