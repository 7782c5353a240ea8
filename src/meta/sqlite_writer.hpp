#pragma once
// The one thread of a process that writes to an SQLite database: transactions one after the other.

#include <functional>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "meta/sqlite_connection.hpp"

namespace geogrid {

/// Thread-safe. Transactions that wait at the same time become one, in which each is a savepoint: one that
/// fails leaves the others be. Those that ask for durability share one fsync. The log is moved into the
/// database file between transactions, after their answers went out.
class SqliteWriter {
 public:
  static constexpr std::size_t kQueueLimit = 65536;

  struct Job {
    TransactOptions options;
    SqlBody body;                              ///< run in a transaction; or, if empty,
    std::string script;                        ///< run without one; or, if empty too, nothing
    std::function<void(result<void>)> finish;  ///< called once, on the writer's thread or on the caller's
  };
  struct Limits {
    std::chrono::milliseconds retry_for{10000};     ///< how long locks of other processes are waited for
    std::chrono::milliseconds close_timeout{5000};  ///< how long close() waits for a disk that hangs
  };

  SqliteWriter(std::unique_ptr<SqliteConnection> connection, Log log, Limits limits);
  ~SqliteWriter();
  SqliteWriter(const SqliteWriter&) = delete;
  SqliteWriter& operator=(const SqliteWriter&) = delete;

  /// A full queue finishes the job with errc::busy, a closed writer with errc::cancelled.
  void submit(Job job);
  /// Ends what runs and what waits with errc::cancelled, and waits for the thread.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace geogrid
