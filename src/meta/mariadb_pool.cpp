#include "meta/mariadb_pool.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace geogrid {
namespace {

// A server that failed is left alone for this long before it is tried again.
constexpr std::chrono::milliseconds kHostRetryFirst{100};
constexpr std::chrono::milliseconds kHostRetryMost{5000};
constexpr unsigned kConnectThreads = 4;

Error closed_error() {
  return fail(errc::cancelled, "the metadata store was closed");
}

}  // namespace

/// A coroutine that waits for a connection; leaves the queue by itself however it ends, and passes on what it
/// was given but could not take.
struct MariadbPool::Waiter {
  Waiter(MariadbPool& p, const asio::any_io_executor& executor) : pool(p), timer(executor) {
    pool.waiters_.push_back(this);
  }
  ~Waiter() {
    pool.waiters_.remove(this);
    if (given)
      pool.wake_one(std::move(given));
    else if (woken && !taken)
      pool.wake_one(nullptr);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  MariadbPool& pool;
  asio::steady_timer timer;
  std::unique_ptr<MariadbConnection> given;
  bool woken = false;
  bool taken = false;
};

/// Counts a connection that is being made. If it comes to nothing, who waits behind it may try, and learns
/// why.
class MariadbPool::Reservation {
 public:
  explicit Reservation(MariadbPool& pool) : pool_(pool) { ++pool_.connecting_; }
  ~Reservation() {
    --pool_.connecting_;
    if (!used_) pool_.wake_one(nullptr);
  }
  void use() { used_ = true; }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

 private:
  MariadbPool& pool_;
  bool used_ = false;
};

MariadbPool::Lease::Lease(std::shared_ptr<MariadbPool> pool, std::unique_ptr<MariadbConnection> connection)
    : pool_(std::move(pool)), connection_(std::move(connection)) {
  pool_->leased_.insert(connection_.get());
}

MariadbPool::Lease::~Lease() {
  if (!connection_) return;  // moved from
  pool_->leased_.erase(connection_.get());
  pool_->give_back(std::move(connection_), settled_);
}

MariadbPool::MariadbPool(Options options)
    : options_(std::move(options)),
      threads_({.name = "mariadb-dial", .threads = std::clamp(options_.connections, 1U, kConnectThreads)}) {
  for (const MariadbTarget& target : options_.targets)
    hosts_.push_back({.target = target,
                      .backoff = Backoff(kHostRetryFirst, kHostRetryMost),
                      .retry_at = {},
                      .refused = false,
                      .error = {}});
}

void MariadbPool::give_back(std::unique_ptr<MariadbConnection> connection, bool clean) {
  if (closed_ || !clean || !connection->usable()) connection.reset();
  wake_one(std::move(connection));
}

// A waiter that is woken with nothing finds room for a connection of its own.
void MariadbPool::wake_one(std::unique_ptr<MariadbConnection> connection) {
  if (waiters_.empty() || closed_) {
    if (connection && !closed_) idle_.push_back(std::move(connection));
    return;
  }
  Waiter* const next = waiters_.front();
  waiters_.pop_front();
  next->given = std::move(connection);
  next->woken = true;
  next->timer.cancel();
}

task<result<MariadbPool::Lease>> MariadbPool::acquire(std::shared_ptr<MariadbPool> self) {
  const auto give_up = system_clock().steady() + self->options_.acquire_timeout;
  while (!self->closed_) {
    std::unique_ptr<MariadbConnection> connection;
    if (!self->idle_.empty()) {
      connection = std::move(self->idle_.back());
      self->idle_.pop_back();
    } else if (self->open() < self->options_.connections) {
      GG_CO_TRY(connection, co_await self->connect());
      if (self->closed_) break;
    } else {
      GG_CO_TRY(connection, co_await self->wait_for_one());
    }
    if (connection) co_return Lease(self, std::move(connection));
    if (system_clock().steady() >= give_up)
      co_return fail(errc::busy, "no connection to the metadata server became free");
  }
  co_return closed_error();
}

task<result<std::unique_ptr<MariadbConnection>>> MariadbPool::wait_for_one() {
  if (waiters_.size() >= kWaiterLimit)
    co_return fail(errc::busy, "too many operations wait for a connection to the metadata server");
  Waiter waiter(*this, co_await asio::this_coro::executor);
  waiter.timer.expires_after(options_.acquire_timeout);
  boost::system::error_code error;
  co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (waiter.woken) {
    waiter.taken = true;
    co_return std::move(waiter.given);
  }
  if (closed_ || error) co_return closed_error();
  co_return fail(errc::busy, "all connections to the metadata server are in use (raise the pool's size)");
}

task<result<std::unique_ptr<MariadbConnection>>> MariadbPool::connect() {
  Reservation reservation(*this);
  Error last = fail(errc::unavailable, "no metadata server is configured");
  for (Host& host : hosts_) {
    if (system_clock().steady() < host.retry_at) {
      last = host.error;
      continue;
    }
    auto connection = co_await connect_to(host);
    if (connection) reservation.use();
    if (connection || closed_) co_return connection;
    last = connection.error();
  }
  if (!down_since_) down_since_ = system_clock().steady();
  co_return last;
}

task<result<std::unique_ptr<MariadbConnection>>> MariadbPool::connect_to(Host& host) {
  auto open = [target = host.target] { return result<OpenedSession>(open_mariadb_session(target)); };
  GG_CO_TRY(OpenedSession session, co_await offload(threads_, open));
  if (closed_) co_return closed_error();
  if (!session.handle) {
    host.retry_at = system_clock().steady() + host.backoff.next(options_.random->next());
    host.error = session.error;
    host.refused = session.final;
    options_.log.warning("{}", session.error.message);
    co_return session.error;
  }
  down_since_.reset();
  host.backoff.reset();
  host.retry_at = {};
  host.refused = false;
  if (!std::exchange(ever_connected_, true))
    options_.log.debug("connected to metadata server {}", host.target.str());
  co_return std::make_unique<MariadbConnection>(co_await asio::this_coro::executor, std::move(session.handle),
                                                host.target.statement_timeout);
}

bool MariadbPool::worth_retrying(std::chrono::milliseconds patience) const {
  const auto willing = [](const Host& host) { return !host.refused; };
  if (!ever_connected_ || closed_ || std::none_of(hosts_.begin(), hosts_.end(), willing)) return false;
  return !down_since_ || system_clock().steady() - *down_since_ < patience;
}

void MariadbPool::close() {
  if (std::exchange(closed_, true)) return;
  idle_.clear();
  for (MariadbConnection* connection : leased_) connection->cancel();
  for (Waiter* waiter : waiters_) waiter->timer.cancel();
}

}  // namespace geogrid
