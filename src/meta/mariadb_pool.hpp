#pragma once
// A bounded set of connections to the first of several MariaDB servers that answers.

#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/backoff.hpp"
#include "async/blocking_pool.hpp"
#include "base/log.hpp"
#include "meta/mariadb_connection.hpp"
#include "os/clock.hpp"

namespace geogrid {

/// One loop's. Held by shared_ptr: calls in flight keep it while they unwind.
class MariadbPool : public std::enable_shared_from_this<MariadbPool> {
 public:
  static constexpr std::size_t kWaiterLimit = 4096;

  struct Options {
    std::vector<MariadbTarget> targets;  ///< tried in this order; one that failed is left alone for a while
    unsigned connections = 4;
    std::chrono::milliseconds acquire_timeout{30000};  ///< how long a free connection is waited for
    Log log;
    Random* random = nullptr;
  };

  /// A connection on loan. It goes back to the pool if settle() was called since its last transaction began,
  /// and it is still usable; else it is closed, which makes the server roll back.
  class Lease {
   public:
    Lease(std::shared_ptr<MariadbPool> pool, std::unique_ptr<MariadbConnection> connection);
    ~Lease();
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;

    MariadbConnection& operator*() const { return *connection_; }
    MariadbConnection* operator->() const { return connection_.get(); }
    void settle() { settled_ = true; }
    void unsettle() { settled_ = false; }

   private:
    std::shared_ptr<MariadbPool> pool_;
    std::unique_ptr<MariadbConnection> connection_;
    bool settled_ = true;
  };

  explicit MariadbPool(Options options);

  /// Errors: errc::unavailable (no server can be used), busy (none was free for acquire_timeout, or
  /// kWaiterLimit wait already), cancelled (closed).
  static task<result<Lease>> acquire(std::shared_ptr<MariadbPool> self);
  /// After a connection was lost: those that lie idle are from the same server, and most likely lost too.
  void drop_idle() { idle_.clear(); }
  /// Whether trying again may help: some server was reachable once, not all refuse until a person changes
  /// something, and the outage has not lasted for `patience` yet.
  bool worth_retrying(std::chrono::milliseconds patience) const;
  bool closed() const { return closed_; }
  /// Calls in flight end with errc::cancelled.
  void close();

 private:
  struct Host {
    MariadbTarget target;
    Backoff backoff;
    Clock::SteadyTime retry_at{};
    bool refused = false;  // until a person changes something
    Error error;           // the last
  };
  struct Waiter;
  class Reservation;

  std::size_t open() const { return idle_.size() + leased_.size() + connecting_; }
  void give_back(std::unique_ptr<MariadbConnection> connection, bool clean);
  void wake_one(std::unique_ptr<MariadbConnection> connection);
  task<result<std::unique_ptr<MariadbConnection>>> connect();
  task<result<std::unique_ptr<MariadbConnection>>> connect_to(Host& host);
  task<result<std::unique_ptr<MariadbConnection>>> wait_for_one();

  const Options options_;
  std::vector<Host> hosts_;
  BlockingPool threads_;
  std::vector<std::unique_ptr<MariadbConnection>> idle_;  // the last one is the warmest
  std::set<MariadbConnection*> leased_;
  std::size_t connecting_ = 0;
  std::list<Waiter*> waiters_;
  bool ever_connected_ = false;
  std::optional<Clock::SteadyTime> down_since_;  // no server could be reached, since then
  bool closed_ = false;
};

}  // namespace geogrid
