#include "meta/sqlite_driver.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/backoff.hpp"
#include "base/path.hpp"
#include "meta/sqlite_file.hpp"
#include "meta/sqlite_writer.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

using std::chrono::milliseconds;

// How long a read may hold up the loop for a lock. A log's readers meet one only while a process recovers the
// log after a crash, or is the last to close it.
constexpr milliseconds kReadLockWait{5};
constexpr milliseconds kWriteLockWait{2000};
constexpr milliseconds kReadRetryFirst{5};
constexpr milliseconds kReadRetryMost{100};

/// Gives the job to the writer, and resumes the caller on its own executor.
task<result<void>> run_on_writer(std::shared_ptr<SqliteWriter> writer, SqliteWriter::Job work) {
  auto start = [writer](auto handler, SqliteWriter::Job job) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    const auto executor = asio::get_associated_executor(*shared);
    // Keeps the loop running while the job is on the writer's thread.
    auto guard = std::make_shared<asio::executor_work_guard<decltype(executor)>>(executor);
    job.finish = [shared, guard, executor](result<void> outcome) {
      asio::post(executor, [shared, guard, outcome = std::move(outcome)]() mutable {
        guard->reset();
        std::move (*shared)(std::move(outcome));
      });
    };
    writer->submit(std::move(job));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(result<void>)>(
      start, asio::use_awaitable, std::move(work));
}

class SqliteDriver final : public SqlDriver {
 public:
  SqliteDriver(std::unique_ptr<SqliteConnection> reader, std::unique_ptr<SqliteConnection> writer,
               const SqliteDriverOptions& options)
      : retry_for_(options.retry_for),
        writer_(std::make_shared<SqliteWriter>(std::move(writer), options.log,
                                               SqliteWriter::Limits{.retry_for = options.retry_for})),
        reader_(std::move(reader)) {}
  ~SqliteDriver() override { close(); }
  SqliteDriver(const SqliteDriver&) = delete;
  SqliteDriver& operator=(const SqliteDriver&) = delete;

  SqlDialect dialect() const override { return SqlDialect::sqlite; }

  task<result<void>> transact(TransactOptions options, SqlBody body) override {
    return run_on_writer(writer_, {.options = options, .body = std::move(body), .script = {}, .finish = {}});
  }
  task<result<void>> execute_script(std::string sql) override {
    return run_on_writer(writer_, {.options = {}, .body = {}, .script = std::move(sql), .finish = {}});
  }
  task<result<void>> sync() override {
    return run_on_writer(writer_, {.options = {.durable = true}, .body = {}, .script = {}, .finish = {}});
  }
  task<result<void>> read(SqlBody body) override { return read_on(reader_, std::move(body), retry_for_); }
  task<result<std::uint64_t>> change_hint() override;

  void close() override {
    reader_
        ->close();  // before the writer's, since the last one to close puts the log away, and a reader cannot
    writer_->close();
  }

 private:
  static task<result<void>> read_on(std::shared_ptr<SqliteConnection> reader, SqlBody body,
                                    milliseconds retry_for);

  const milliseconds retry_for_;
  std::shared_ptr<SqliteWriter> writer_;
  // Shared with reads that are suspended when the driver goes.
  std::shared_ptr<SqliteConnection> reader_;
};

task<result<void>> SqliteDriver::read_on(std::shared_ptr<SqliteConnection> reader, SqlBody body,
                                         milliseconds retry_for) {
  reader->take_busy();
  result<void> outcome = co_await body(*reader);
  if (outcome || !reader->take_busy()) co_return outcome;
  Backoff backoff(kReadRetryFirst, kReadRetryMost);
  const auto give_up = system_clock().steady() + retry_for;
  while (system_clock().steady() < give_up) {
    GG_CO_CHECK(co_await sleep_for(backoff.next(0)));
    reader->take_busy();
    outcome = co_await body(*reader);
    if (outcome || !reader->take_busy()) co_return outcome;
  }
  co_return fail(errc::unavailable, "the metadata database stays locked: {}", outcome.error().message);
}

// The reader never writes, so that each commit, the writer's too, is another connection's to it.
task<result<std::uint64_t>> SqliteDriver::change_hint() {
  const auto version = reader_->integer("PRAGMA data_version");
  if (!version && reader_->take_busy()) co_return fail(errc::unavailable, "{}", version.error().message);
  if (!version) co_return version.error();
  co_return static_cast<std::uint64_t>(*version);
}

}  // namespace

result<std::unique_ptr<SqlDriver>> make_sqlite_driver(SqliteDriverOptions options) {
  GG_CHECK(prepare_sqlite_file(options.file, options.create));
  GG_TRY(auto writer, SqliteConnection::open(options.file, SqliteConnection::Use::writing, kWriteLockWait));
  if (auto adopted = adopt_sqlite_database(*writer, options.file, options.create); !adopted) {
    if (!adopted.error().is(errc::busy)) return adopted.error();
    return fail(errc::unavailable, "metadata database {} is locked: {}", printable(options.file),
                adopted.error().message);
  }
  GG_TRY(auto reader, SqliteConnection::open(options.file, SqliteConnection::Use::reading, kReadLockWait));
  return std::unique_ptr<SqlDriver>(new SqliteDriver(std::move(reader), std::move(writer), options));
}

}  // namespace geogrid
