#include "meta/mariadb_driver.hpp"

#include <mysql.h>

#include <optional>

#include "async/backoff.hpp"
#include "meta/mariadb_operations.hpp"
#include "meta/mariadb_pool.hpp"

namespace geogrid {
namespace {

constexpr std::chrono::milliseconds kRetryFirst{5};
constexpr std::chrono::milliseconds kRetryMost{500};

/// What calls in flight share with the driver, and keep if it goes first.
struct Core {
  MariadbDriverOptions options;
  std::shared_ptr<MariadbPool> pool;
  MariadbOperations operations;
};
using Shared = std::shared_ptr<Core>;

struct Attempt {
  result<void> outcome;
  bool again = false;  ///< it may go better the next time
};

Attempt failed_to_connect(const Core& core, const Error& error) {
  // A pool that is all in use was waited for already.
  if (error.is(errc::busy)) return {.outcome = Error(errc::unavailable, error.message), .again = false};
  return {.outcome = error,
          .again = error.is(errc::unavailable) && core.pool->worth_retrying(core.options.retry_for)};
}

/// Runs attempts until one says something final, or the time for retries is over.
template <typename TryOnce>
task<result<void>> retry(Shared core, TryOnce try_once) {
  Backoff backoff(kRetryFirst, kRetryMost);
  const auto give_up = system_clock().steady() + core->options.retry_for;
  for (;;) {
    const Attempt attempt = co_await try_once();
    if (attempt.outcome || !attempt.again) co_return attempt.outcome;
    if (core->pool->closed()) co_return fail(errc::cancelled, "the metadata store was closed");
    if (system_clock().steady() >= give_up) {
      const Error& last = attempt.outcome.error();
      if (last.is(errc::unavailable)) co_return last;
      co_return fail(errc::unavailable, "gave up after retries: {}", last.message);
    }
    GG_CO_CHECK(co_await sleep_for(backoff.next(core->options.random->next())));
  }
}

/// From BEGIN up to, but without, the end. False: an earlier try of this number was committed, so that there
/// is nothing left to do.
task<result<bool>> run_body(Core& core, MariadbConnection& connection, std::int64_t number,
                            const SqlBody& body) {
  GG_CO_CHECK(co_await connection.query("START TRANSACTION"));
  if (number != 0) {
    const auto noted = co_await core.operations.note(connection, number);
    if (!noted && noted.error().is(errc::already_exists)) co_return false;
    if (!noted) co_return noted.error();
  }
  GG_CO_CHECK(co_await body(connection));
  co_return true;
}

task<result<void>> run_transaction(Core& core, MariadbPool::Lease& lease, std::int64_t number,
                                   const SqlBody& body, bool& again) {
  lease.unsettle();
  const result<bool> ran = co_await run_body(core, *lease, number, body);
  // A deadlock has ended the transaction on the server: even a body that got over it must not be committed.
  const MariadbTrouble trouble = lease->take_trouble();
  again = trouble != MariadbTrouble::none;
  if (ran && *ran && !again) {
    auto committed = co_await lease->query("COMMIT");
    if (committed) lease.settle();
    again = lease->take_trouble() != MariadbTrouble::none;
    co_return committed;
  }
  if (lease->usable()) {
    if (co_await lease->query("ROLLBACK")) lease.settle();
    lease->take_trouble();
  }
  if (!ran) co_return ran.error();
  if (again) co_return fail(errc::busy, "the transaction was ended by the metadata server");
  co_return result<void>();
}

task<Attempt> try_transaction(Shared core, std::int64_t number, const SqlBody& body) {
  auto lease = co_await MariadbPool::acquire(core->pool);
  if (!lease) co_return failed_to_connect(*core, lease.error());
  Attempt attempt;
  attempt.outcome = co_await run_transaction(*core, *lease, number, body, attempt.again);
  if (!(*lease)->usable()) core->pool->drop_idle();
  if (attempt.outcome && number != 0 && (*lease)->usable()) {
    if (const auto pruned = co_await core->operations.prune(**lease); !pruned)
      core->options.log.debug("pruning operation_log: {}", pruned.error().message);
    (*lease)->take_trouble();
  }
  co_return attempt;
}

task<result<void>> transact_on(Shared core, TransactOptions options, SqlBody body) {
  std::optional<MariadbOperations::Number> number;
  if (options.exactly_once) number.emplace(core->operations);
  const std::int64_t value = number ? number->value() : 0;
  auto once = [&] { return try_transaction(core, value, body); };
  co_return co_await retry(core, once);
}

task<Attempt> try_read(Shared core, const SqlBody& body) {
  auto lease = co_await MariadbPool::acquire(core->pool);
  if (!lease) co_return failed_to_connect(*core, lease.error());
  Attempt attempt;
  attempt.outcome = co_await body(**lease);
  attempt.again = (*lease)->take_trouble() != MariadbTrouble::none;
  if (!(*lease)->usable()) core->pool->drop_idle();
  co_return attempt;
}

task<result<void>> read_on(Shared core, SqlBody body) {
  auto once = [&] { return try_read(core, body); };
  co_return co_await retry(core, once);
}

/// Before the script itself nothing was done yet, and a lost connection is worth another try; afterwards it
/// is not.
task<Attempt> try_script(Shared core, const std::string& sql) {
  auto lease = co_await MariadbPool::acquire(core->pool);
  if (!lease) co_return failed_to_connect(*core, lease.error());
  MariadbConnection& connection = **lease;
  lease->unsettle();
  Attempt attempt;
  attempt.outcome = co_await connection.query("SET SESSION max_statement_time=0");
  attempt.again = connection.take_trouble() != MariadbTrouble::none;
  if (attempt.outcome) attempt.outcome = co_await connection.query(sql, core->options.script_timeout);
  connection.take_trouble();
  // The lease is not settled: the session's settings are no longer what others expect, so it is closed.
  if (!connection.usable()) core->pool->drop_idle();
  co_return attempt;
}

task<result<void>> script_on(Shared core, std::string sql) {
  auto once = [&] { return try_script(core, sql); };
  co_return co_await retry(core, once);
}

task<result<std::uint64_t>> hint_on(Shared core) {
  std::int64_t value = 0;
  const OnRow keep = [&value](const SqlRow& row) { value = row.integer(0); };
  const SqlBody ask = [&core, &keep](SqlConnection& connection) -> task<result<void>> {
    GG_CO_CHECK(co_await connection.run(core->options.hint_sql, {}, keep));
    co_return result<void>();
  };
  GG_CO_CHECK(co_await read_on(core, ask));
  co_return static_cast<std::uint64_t>(value);
}

class MariadbDriver final : public SqlDriver {
 public:
  explicit MariadbDriver(Shared core) : core_(std::move(core)) {}
  ~MariadbDriver() override { close(); }
  MariadbDriver(const MariadbDriver&) = delete;
  MariadbDriver& operator=(const MariadbDriver&) = delete;

  SqlDialect dialect() const override { return SqlDialect::mariadb; }
  task<result<void>> transact(TransactOptions options, SqlBody body) override {
    return transact_on(core_, options, std::move(body));
  }
  task<result<void>> read(SqlBody body) override { return read_on(core_, std::move(body)); }
  task<result<void>> sync() override { co_return result<void>(); }
  task<result<std::uint64_t>> change_hint() override { return hint_on(core_); }
  task<result<void>> execute_script(std::string sql) override { return script_on(core_, std::move(sql)); }
  void close() override { core_->pool->close(); }

 private:
  Shared core_;
};

}  // namespace

std::unique_ptr<SqlDriver> make_mariadb_driver(MariadbDriverOptions options) {
  mysql_server_init(0, nullptr, nullptr);  // not safe in threads, so not left to the first connection
  auto pool = std::make_shared<MariadbPool>(MariadbPool::Options{.targets = options.targets,
                                                                 .connections = options.connections,
                                                                 .acquire_timeout = options.acquire_timeout,
                                                                 .log = options.log,
                                                                 .random = options.random});
  const auto origin = static_cast<std::int64_t>(options.random->next());
  return std::make_unique<MariadbDriver>(std::make_shared<Core>(
      Core{.options = std::move(options), .pool = std::move(pool), .operations = MariadbOperations(origin)}));
}

}  // namespace geogrid
