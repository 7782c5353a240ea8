#pragma once
// The edge between the store's rules and a database: statements with bound values, connections, transactions.
// The rules (sql_store_*.cpp) are written once against this; SQLite and MariaDB implement it.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "async/task.hpp"
#include "base/error.hpp"

namespace geogrid {

enum class SqlDialect { sqlite, mariadb };

/// A value bound to a `?`: NULL, a signed 64-bit integer (unsigned ids and bit sets are bit_cast), or bytes.
/// The bytes a view refers to must live until the statement's task is done.
using SqlValue = std::variant<std::monostate, std::int64_t, std::string_view>;

inline SqlValue sql_value(std::nullopt_t) {
  return std::monostate{};
}
inline SqlValue sql_value(std::string_view bytes) {
  return bytes;
}
template <typename Int>
requires std::is_integral_v<Int> || std::is_enum_v<Int> SqlValue sql_value(Int number) {
  return static_cast<std::int64_t>(number);  // unsigned 64-bit keeps its bits
}
template <typename T>
SqlValue sql_value(const std::optional<T>& value) {
  return value ? sql_value(*value) : SqlValue();
}

/// The values of a statement, in order: run(sql, bound(parent.value, name), on_row). Views are kept, not
/// copied. (A braced list instead would not compile: GCC 12 cannot have one inside a co_await expression.)
template <typename... Values>
std::array<SqlValue, sizeof...(Values)> bound(const Values&... values) {
  return {sql_value(values)...};
}

/// A row being read. Columns count from 0. Valid only inside the callback that got it.
class SqlRow {
 public:
  virtual ~SqlRow() = default;
  virtual bool null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;    ///< 0 for NULL
  virtual std::string_view bytes(int column) const = 0;  ///< empty for NULL; the view dies with the row
};
using OnRow = std::function<void(const SqlRow&)>;

/// The first words of a statement, safe to show: values are bound, never pasted, so a statement's text holds
/// none.
inline std::string_view sql_start(std::string_view sql) {
  return sql.substr(0, 80);
}

struct SqlOutcome {
  std::uint64_t rows =
      0;  ///< rows returned; or rows *matched* by an UPDATE or DELETE, changed or not; or inserted
  std::int64_t inserted_id = 0;  ///< the AUTOINCREMENT id of the last INSERT
};

/// One connection, used by one coroutine at a time, on the executor that its driver gave it to.
/// Statements are prepared once a connection and kept (a bounded cache), so `sql` should be one of a fixed
/// set of texts.
class SqlConnection {
 public:
  virtual ~SqlConnection() = default;
  /// Runs one statement. `on_row` may be empty. Errors: errc::already_exists for a broken unique key;
  /// errc::unavailable for a lost connection; errc::busy for a deadlock or lock timeout (the transaction is
  /// over: let it end, it will be run again); errc::internal for anything else, with the statement's first
  /// words and the database's own text.
  virtual task<result<SqlOutcome>> run(std::string_view sql, std::span<const SqlValue> values,
                                       const OnRow& on_row) = 0;

  task<result<SqlOutcome>> run(std::string_view sql, std::span<const SqlValue> values) {
    return run(sql, values, no_rows_);
  }
  task<result<SqlOutcome>> run(std::string_view sql) { return run(sql, {}, no_rows_); }

 private:
  // Named, since run() is lazy: a temporary would be gone when it starts.
  const OnRow no_rows_;
};

struct TransactOptions {
  bool durable = false;       ///< power-safe before it returns (SQLite: synchronous=FULL for this commit)
  bool exactly_once = false;  ///< not safe to run twice: after a COMMIT whose outcome is unknown, the driver
                              ///< finds out (MariaDB notes the transaction's number in the table
                              ///< `operation_log`) before it runs it again
};

using SqlBody = std::function<task<result<void>>(SqlConnection&)>;

/// A database. Called from the event loop. All bodies may be run more than once (deadlock, lost connection):
/// they set their results anew each time and touch nothing else.
class SqlDriver {
 public:
  virtual ~SqlDriver() = default;
  virtual SqlDialect dialect() const = 0;

  /// Runs `body` in a write transaction and commits, or rolls back if it returns an error. Deadlocks, busy
  /// locks and lost connections are retried with backoff, within a bounded time, and then reported as
  /// errc::unavailable. `body` runs where writes run (SQLite: the writer thread, so that it must not touch
  /// the loop's objects; MariaDB: the loop).
  virtual task<result<void>> transact(TransactOptions options, SqlBody body) = 0;

  /// Runs `body` with a connection for reading, on the loop; each statement sees what was committed before
  /// it. Sees this process's own finished transactions (on Galera too).
  virtual task<result<void>> read(SqlBody body) = 0;

  /// What was committed before is power-safe when it returns (MariaDB: as its server is set).
  virtual task<result<void>> sync() = 0;

  /// A number that differs from the last one if any process may have committed since; cheap enough to ask 20
  /// times a second (SQLite: PRAGMA data_version and the count of own commits; MariaDB: highest id of the
  /// change log).
  virtual task<result<std::uint64_t>> change_hint() = 0;

  /// Runs one statement of schema or pragma text that cannot be prepared or is used once. Outside any
  /// transaction.
  virtual task<result<void>> execute_script(std::string sql) = 0;

  /// Ends connections and threads; nothing may be called afterwards. Statements in flight end with
  /// errc::cancelled.
  virtual void close() = 0;
};

}  // namespace geogrid
