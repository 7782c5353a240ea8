#include "vfs/watchlist.hpp"

#include <algorithm>

#include "os/clock.hpp"

namespace geogrid {
namespace {

/// Operations that ended wait in the list for their turn to be dropped; a burst of them must not pile up.
constexpr std::size_t kSweepAt = 1024;

}  // namespace

void Watchlist::add(const std::shared_ptr<Watched>& operation) {
  if (!timer_) return;
  watched_.push_back({operation, system_clock().steady() + limit_});
  if (watched_.size() % kSweepAt == 0) sweep();
  if (!running_) arm();
}

void Watchlist::stop() {
  watched_.clear();
  timer_.reset();
  life_.reset();
}

void Watchlist::arm() {
  running_ = true;
  timer_->expires_after(std::max<Clock::duration>(limit_ / 8, std::chrono::milliseconds(5)));
  timer_->async_wait([this, life = std::weak_ptr<char>(life_)](boost::system::error_code error) {
    if (error || life.expired()) return;
    running_ = false;
    sweep();
    if (timer_ && !watched_.empty() && !running_) arm();
  });
}

void Watchlist::sweep() {
  const auto now = system_clock().steady();
  while (!watched_.empty()) {
    const auto operation = watched_.front().operation.lock();
    const bool waits = operation && !operation->done();
    if (waits && watched_.front().due > now) break;
    watched_.pop_front();
    if (waits) operation->late();
  }
}

}  // namespace geogrid
