#pragma once
// One connection to a MariaDB server, on the event loop.

#include <chrono>
#include <memory>
#include <string>

#include "async/task.hpp"
#include "meta/mariadb_error.hpp"
#include "meta/mariadb_session.hpp"
#include "meta/mariadb_statement.hpp"
#include "meta/sql.hpp"
#include "meta/statement_cache.hpp"

namespace geogrid {

/// One call at a time; used and destroyed on its loop. A call that is broken off (deadline, cancellation, a
/// dropped coroutine) leaves the connection unusable, never half-read. Destroying it does not wait for the
/// server.
class MariadbConnection final : public SqlConnection {
 public:
  static constexpr std::size_t kStatementLimit = 192;

  MariadbConnection(const asio::any_io_executor& executor, MysqlHandle handle,
                    std::chrono::milliseconds statement_timeout);
  ~MariadbConnection() override;
  MariadbConnection(const MariadbConnection&) = delete;
  MariadbConnection& operator=(const MariadbConnection&) = delete;

  using SqlConnection::run;
  task<result<SqlOutcome>> run(std::string_view sql, std::span<const SqlValue> values,
                               const OnRow& on_row) override;
  /// Runs a statement without values and rows, unprepared: BEGIN, COMMIT, schema. `timeout` is this
  /// statement's.
  task<result<void>> query(std::string sql, std::chrono::milliseconds timeout);
  task<result<void>> query(std::string sql) { return query(std::move(sql), statement_timeout_); }

  /// The worst trouble that statements met since the last call.
  MariadbTrouble take_trouble() { return std::exchange(trouble_, MariadbTrouble::none); }
  bool usable() const { return usable_; }
  /// Ends the call in flight, and all later ones, with errc::cancelled.
  void cancel();
  std::size_t kept_statements() const { return statements_.size(); }

 private:
  class Socket;
  class Call;

  task<result<SqlOutcome>> execute(std::string_view sql, std::span<const SqlValue> values,
                                   const OnRow& on_row);
  task<result<MariadbStatement*>> prepare(std::string_view sql);
  task<result<SqlOutcome>> fetch_all(MariadbStatement& statement, std::string_view sql, const OnRow& on_row);
  template <typename Continue>
  task<void> wait_out(int wanted, Continue& resume);
  Error failure(unsigned number, std::string_view text, std::string_view sql);
  Error failure(MYSQL_STMT* statement, std::string_view sql);

  MysqlHandle handle_;
  std::shared_ptr<Socket> socket_;
  const std::chrono::milliseconds statement_timeout_;
  StatementCache<MariadbStatement> statements_{kStatementLimit};
  MariadbTrouble trouble_ = MariadbTrouble::none;
  bool usable_ = true;
};

}  // namespace geogrid
