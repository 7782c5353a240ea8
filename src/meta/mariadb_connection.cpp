#include "meta/mariadb_connection.hpp"

#include <errmsg.h>
#include <fcntl.h>
#include <mysql.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/path.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

/// Takes the library's own stack back down when the coroutine that waits for it is dropped: what is on that
/// stack refers to the coroutine's frames, which still exist here.
template <typename Continue>
class Unwind {
 public:
  Unwind(int& wanted, Continue& resume) : wanted_(wanted), resume_(resume) {}
  ~Unwind() {
    constexpr int kMostTurns = 16;
    for (int i = 0; wanted_ != 0 && i < kMostTurns; ++i) wanted_ = resume_(MYSQL_WAIT_TIMEOUT);
  }
  Unwind(const Unwind&) = delete;
  Unwind& operator=(const Unwind&) = delete;

 private:
  int& wanted_;
  Continue& resume_;
};

}  // namespace

/// The connection's socket as the loop sees it, and the deadline of the call in flight. It waits on a
/// duplicate of the library's descriptor: the library closes its own on errors, and the number may be another
/// file's at once.
class MariadbConnection::Socket : public std::enable_shared_from_this<Socket> {
 public:
  enum class Broken { no, late, cancelled };

  Socket(const asio::any_io_executor& executor, int fd) : descriptor_(executor), timer_(executor) {
    const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own >= 0) descriptor_.assign(own);
  }

  void begin(Clock::SteadyTime deadline) {
    deadline_ = deadline;
    // One armed timer serves many calls; only an earlier deadline than its own needs another.
    if (!armed_ || deadline < timer_.expiry()) arm();
  }
  void end() { deadline_ = Clock::SteadyTime::max(); }

  /// Waits for what the library wants, and says what of it has come; a deadline that passed is
  /// MYSQL_WAIT_TIMEOUT, which makes the library give up. (Its own time limit is as long as a statement's
  /// deadline, so this one always ends first.)
  task<int> ready(int wanted) {
    const bool writing = (wanted & MYSQL_WAIT_WRITE) != 0;
    if (broken_ != Broken::no || !descriptor_.is_open()) co_return MYSQL_WAIT_TIMEOUT;
    boost::system::error_code error;
    const auto event =
        writing ? asio::posix::stream_descriptor::wait_write : asio::posix::stream_descriptor::wait_read;
    co_await descriptor_.async_wait(event, asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return writing ? MYSQL_WAIT_WRITE : MYSQL_WAIT_READ;
    if (broken_ == Broken::no) broken_ = Broken::cancelled;  // the coroutine was cancelled
    co_return MYSQL_WAIT_TIMEOUT;
  }

  void cancel() { break_off(Broken::cancelled); }
  void close() {
    cancel();
    timer_.cancel();
    boost::system::error_code ignored;
    descriptor_.close(ignored);
  }
  Broken broken() const { return broken_; }

 private:
  void break_off(Broken why) {
    if (broken_ == Broken::no) broken_ = why;
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
  }

  void arm() {
    armed_ = true;
    timer_.expires_at(deadline_);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error) return;  // armed anew, or closed
      self->armed_ = false;
      if (self->deadline_ == Clock::SteadyTime::max()) return;
      if (system_clock().steady() < self->deadline_) return self->arm();
      self->break_off(Broken::late);
    });
  }

  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer timer_;
  Clock::SteadyTime deadline_ = Clock::SteadyTime::max();
  bool armed_ = false;
  Broken broken_ = Broken::no;
};

/// A call in flight: if it is left without finish(), by an exception or because its coroutine was dropped,
/// nobody knows what the connection was in the middle of.
class MariadbConnection::Call {
 public:
  Call(MariadbConnection& connection, std::chrono::milliseconds timeout) : connection_(connection) {
    connection.socket_->begin(system_clock().steady() + timeout);
  }
  ~Call() {
    connection_.socket_->end();
    if (!finished_) connection_.usable_ = false;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  void finish() { finished_ = true; }

 private:
  MariadbConnection& connection_;
  bool finished_ = false;
};

MariadbConnection::MariadbConnection(const asio::any_io_executor& executor, MysqlHandle handle,
                                     std::chrono::milliseconds statement_timeout)
    : handle_(std::move(handle)),
      socket_(std::make_shared<Socket>(executor, mysql_get_socket(handle_.get()))),
      statement_timeout_(statement_timeout) {}

MariadbConnection::~MariadbConnection() {
  socket_->close();
  handle_.reset();  // before the statements, which then have nobody left to tell
  statements_.clear();
}

void MariadbConnection::cancel() {
  usable_ = false;
  socket_->cancel();
}

template <typename Continue>
task<void> MariadbConnection::wait_out(int wanted, Continue& resume) {
  const Unwind unwind(wanted, resume);
  while (wanted != 0) wanted = resume(co_await socket_->ready(wanted));
}

Error MariadbConnection::failure(unsigned number, std::string_view text, std::string_view sql) {
  const std::string action = fmt::format("\"{}\"", printable(sql_start(sql)));
  if (socket_->broken() == Socket::Broken::cancelled) {
    usable_ = false;
    return fail(errc::cancelled, "{}: cancelled", action);
  }
  const bool late = socket_->broken() == Socket::Broken::late;
  const MariadbTrouble trouble = late ? MariadbTrouble::lost : mariadb_trouble(number);
  trouble_ = std::max(trouble_, trouble);
  if (trouble == MariadbTrouble::lost) usable_ = false;
  if (late) return fail(errc::unavailable, "{}: the metadata server did not answer in time", action);
  return mariadb_error(number, text, action);
}

Error MariadbConnection::failure(MYSQL_STMT* statement, std::string_view sql) {
  // An error that comes after the first rows, such as a deadlock, is noted on the connection only.
  if (mysql_stmt_errno(statement) == 0)
    return failure(mysql_errno(handle_.get()), mysql_error(handle_.get()), sql);
  return failure(mysql_stmt_errno(statement), mysql_stmt_error(statement), sql);
}

task<result<void>> MariadbConnection::query(std::string sql, std::chrono::milliseconds timeout) {
  if (!usable_) co_return failure(CR_SERVER_GONE_ERROR, "the connection was lost", sql);
  Call call(*this, timeout);
  int failed = 0;
  auto resume = [&](int ready) { return mysql_real_query_cont(&failed, handle_.get(), ready); };
  if (const int wanted = mysql_real_query_start(&failed, handle_.get(), sql.data(), sql.size()); wanted != 0)
    co_await wait_out(wanted, resume);
  call.finish();
  if (failed != 0) co_return failure(mysql_errno(handle_.get()), mysql_error(handle_.get()), sql);
  co_return result<void>();
}

task<result<SqlOutcome>> MariadbConnection::run(std::string_view sql, std::span<const SqlValue> values,
                                                const OnRow& on_row) {
  if (!usable_) co_return failure(CR_SERVER_GONE_ERROR, "the connection was lost", sql);
  Call call(*this, statement_timeout_);
  auto outcome = co_await execute(sql, values, on_row);
  call.finish();
  co_return outcome;
}

task<result<SqlOutcome>> MariadbConnection::execute(std::string_view sql, std::span<const SqlValue> values,
                                                    const OnRow& on_row) {
  MariadbStatement* statement = statements_.find(sql);
  if (!statement) {
    GG_CO_TRY(statement, co_await prepare(sql));
  }
  if (statement->places() != values.size())
    co_return fail(errc::internal, "{} values for the {} places of \"{}\"", values.size(),
                   statement->places(), sql_start(sql));
  MYSQL_STMT* const handle = statement->handle();
  if (!statement->bind_values(values)) co_return failure(handle, sql);
  int failed = 0;
  auto resume = [&](int ready) { return mysql_stmt_execute_cont(&failed, handle, ready); };
  if (const int wanted = mysql_stmt_execute_start(&failed, handle); wanted != 0)
    co_await wait_out(wanted, resume);
  if (failed != 0) co_return failure(handle, sql);
  if (statement->returns_rows()) co_return co_await fetch_all(*statement, sql, on_row);
  co_return SqlOutcome{.rows = mysql_stmt_affected_rows(handle),
                       .inserted_id = static_cast<std::int64_t>(mysql_stmt_insert_id(handle))};
}

task<result<MariadbStatement*>> MariadbConnection::prepare(std::string_view sql) {
  MYSQL_STMT* const handle = mysql_stmt_init(handle_.get());
  if (!handle) co_return fail(errc::unavailable, "out of memory");
  MariadbStatement statement(handle);
  int failed = 0;
  auto resume = [&](int ready) { return mysql_stmt_prepare_cont(&failed, handle, ready); };
  if (const int wanted = mysql_stmt_prepare_start(&failed, handle, sql.data(), sql.size()); wanted != 0)
    co_await wait_out(wanted, resume);
  if (failed != 0) co_return failure(handle, sql);
  co_return &statements_.add(sql, std::move(statement));
}

task<result<SqlOutcome>> MariadbConnection::fetch_all(MariadbStatement& statement, std::string_view sql,
                                                      const OnRow& on_row) {
  MYSQL_STMT* const handle = statement.handle();
  SqlOutcome outcome;
  int code = 1;
  auto resume = [&](int ready) { return mysql_stmt_fetch_cont(&code, handle, ready); };
  if (!statement.bind_columns()) {
    usable_ = false;  // rows are on their way that nobody will read
    co_return failure(handle, sql);
  }
  for (;;) {
    if (const int wanted = mysql_stmt_fetch_start(&code, handle); wanted != 0)
      co_await wait_out(wanted, resume);
    if (code == MYSQL_NO_DATA) break;
    if ((code != 0 && code != MYSQL_DATA_TRUNCATED) || !statement.complete_row()) {
      usable_ = false;
      co_return failure(handle, sql);
    }
    ++outcome.rows;
    if (on_row) on_row(statement.row());
  }
  outcome.inserted_id = static_cast<std::int64_t>(mysql_stmt_insert_id(handle));
  statement.trim();
  co_return outcome;
}

}  // namespace geogrid
