#pragma once
// Notices what takes too long, without a timer for each operation.

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>

#include "async/task.hpp"

namespace geogrid {

/// An operation that may be late.
class Watched {
 public:
  virtual ~Watched() = default;
  virtual bool done() const = 0;
  /// It is not done, and its time is over. Called once for each add(); on the loop.
  virtual void late() = 0;
};

/// Holds operations in the order they started. One coarse timer (an eighth of the limit), which runs only
/// while something is watched. Does not keep operations alive. Used on the loop.
class Watchlist {
 public:
  using Clock = std::chrono::steady_clock;
  Watchlist(asio::any_io_executor loop, Clock::duration limit)
      : timer_(std::in_place, std::move(loop)), limit_(limit) {}

  void add(const std::shared_ptr<Watched>& operation);
  /// Watches nothing any more. After it, this object may outlive the loop.
  void stop();

 private:
  struct Entry {
    std::weak_ptr<Watched> operation;
    Clock::time_point due;
  };
  void arm();
  void sweep();

  std::optional<asio::steady_timer> timer_;                // none: stopped
  std::shared_ptr<char> life_ = std::make_shared<char>();  // a wait that ends after this does not touch it
  Clock::duration limit_;
  std::deque<Entry> watched_;
  bool running_ = false;
};

}  // namespace geogrid
