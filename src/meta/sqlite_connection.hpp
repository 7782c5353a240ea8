#pragma once
// One connection to an SQLite database file.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "meta/sql.hpp"
#include "meta/statement_cache.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace geogrid {

/// Used by one thread at a time; run() never suspends. Values that are bytes are bound as BLOBs, and SQLite
/// never finds a BLOB equal to a TEXT: columns of bytes hold BLOBs only, and literals in statements are
/// written x'…'.
class SqliteConnection final : public SqlConnection {
 public:
  enum class Use { reading, writing };
  static constexpr std::size_t kStatementLimit = 192;

  /// Opens an existing file. `busy_timeout` bounds each wait for another connection's lock.
  /// Errors: see sqlite_error(); errc::unavailable if the file cannot be written.
  static result<std::unique_ptr<SqliteConnection>> open(const std::string& file, Use use,
                                                        std::chrono::milliseconds busy_timeout);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  using SqlConnection::run;
  task<result<SqlOutcome>> run(std::string_view sql, std::span<const SqlValue> values,
                               const OnRow& on_row) override;
  /// As run(), without a coroutine around it.
  result<SqlOutcome> run_now(std::string_view sql, std::span<const SqlValue> values, const OnRow& on_row);
  /// Runs text of any number of statements, whose rows are dropped.
  result<void> execute(const std::string& script);
  /// The first column of the first row of a statement without values.
  result<std::int64_t> integer(std::string_view sql);

  /// Whether a statement met another connection's lock since the last call: the transaction is worth another
  /// try.
  bool take_busy() { return std::exchange(met_busy_, false); }
  bool in_transaction() const;
  /// The write-ahead log's file: see sync_sqlite_log().
  std::string log_file() const;
  /// Pages in the write-ahead log after the last commit of this connection.
  int log_pages() const { return log_pages_; }
  /// Moves the log's pages into the database file; `restart` also waits for readers, so that the log can
  /// start over.
  result<void> checkpoint(bool restart);
  std::size_t kept_statements() const { return statements_.size(); }

  /// Waits; interrupt() ends it.
  void pause(std::chrono::nanoseconds duration);

  /// From any thread while the object lives: what runs now, and waits for locks, ends soon with
  /// errc::cancelled.
  void interrupt();
  /// Closes the database; later calls of run() end with errc::cancelled. REQUIRES: no call is under way.
  void close();

 private:
  struct Finalise {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalise>;

  SqliteConnection(sqlite3* db, std::chrono::milliseconds busy_timeout);
  result<void> set_up(Use use);
  result<sqlite3_stmt*> prepared(std::string_view sql);
  result<SqlOutcome> step_through(sqlite3_stmt* statement, std::string_view sql, const OnRow& on_row);
  Error failure(int code, std::string_view sql);
  int wait_for_lock(int tries);
  static int on_busy(void* self, int tries);
  static int on_commit(void* self, sqlite3* db, const char* name, int pages);

  sqlite3* db_;
  std::chrono::milliseconds busy_timeout_;
  std::chrono::steady_clock::time_point busy_since_;
  StatementCache<Statement> statements_{kStatementLimit};
  bool met_busy_ = false;
  int log_pages_ = 0;
  std::mutex pausing_;
  std::condition_variable woken_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace geogrid
