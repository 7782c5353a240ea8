#include "meta/sqlite_connection.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "base/path.hpp"
#include "meta/sqlite_error.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

class Row final : public SqlRow {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  bool null(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(statement_, column); }
  std::string_view bytes(int column) const override {
    // In this order: the pointer may move when the length is asked for first (sqlite3_column_blob's page).
    const void* data = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_;
};

int bind(sqlite3_stmt* statement, int place, const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return sqlite3_bind_int64(statement, place, *integer);
  if (const auto* bytes = std::get_if<std::string_view>(&value)) {
    // A null pointer would bind NULL, and a default string_view has one.
    if (bytes->empty()) return sqlite3_bind_zeroblob(statement, place, 0);
    return sqlite3_bind_blob64(statement, place, bytes->data(), bytes->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, place);
}

// Frees locks and the caller's bytes on every way out.
class Reset {
 public:
  explicit Reset(sqlite3_stmt* statement) : statement_(statement) {}
  ~Reset() { now(); }
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;
  void now() {
    if (!statement_) return;
    sqlite3_reset(statement_);
    if (sqlite3_bind_parameter_count(statement_) > 0) sqlite3_clear_bindings(statement_);
    statement_ = nullptr;
  }

 private:
  sqlite3_stmt* statement_;
};

// "file:…" would be taken for a URI.
std::string plain_name(const std::string& file) {
  return file.starts_with("file:") ? "./" + file : file;
}

// Other processes' transactions are short, and one that writes all the time leaves short gaps: who sleeps for
// long misses them all.
std::chrono::microseconds step_after(int tries) {
  using std::chrono::microseconds;
  if (tries < 100) return microseconds(tries < 20 ? 30 : 100);
  return microseconds(tries < 1000 ? 300 : 1000);
}

}  // namespace

void SqliteConnection::Finalise::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

SqliteConnection::SqliteConnection(sqlite3* db, std::chrono::milliseconds busy_timeout)
    : db_(db), busy_timeout_(busy_timeout) {}

SqliteConnection::~SqliteConnection() {
  close();
}

void SqliteConnection::close() {
  if (!db_) return;
  interrupted_.store(true);
  statements_.clear();
  // An interruption that hit nothing would hit the checkpoint with which the last connection puts the log
  // away.
  sqlite3_exec(db_, "SELECT 1", nullptr, nullptr, nullptr);
  sqlite3_close_v2(std::exchange(db_, nullptr));
}

result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& file, Use use,
                                                                 std::chrono::milliseconds busy_timeout) {
  const std::string action = "metadata database " + printable(file);
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(plain_name(file).c_str(), &db, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(db, busy_timeout));
  if (code != SQLITE_OK) return sqlite_error(code, db, action);
  if (sqlite3_db_readonly(db, "main") == 1) return sqlite_error(SQLITE_READONLY, nullptr, action);
  if (auto set = connection->set_up(use); !set) return set.error().within(action);
  return connection;
}

result<void> SqliteConnection::set_up(Use use) {
  sqlite3_busy_handler(db_, &SqliteConnection::on_busy, this);
  sqlite3_wal_hook(db_, &SqliteConnection::on_commit, this);  // which also ends automatic checkpoints
  // Debian builds SQLite with secure_delete, which writes zeros over all that is removed; names and digests
  // need none.
  GG_CHECK(
      execute("PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=OFF;"
              "PRAGMA trusted_schema=OFF; PRAGMA recursive_triggers=OFF; PRAGMA cache_size=-16384;"
              "PRAGMA journal_size_limit=67108864"));
  if (use == Use::reading) return execute("PRAGMA query_only=ON; PRAGMA mmap_size=67108864");
  return result<void>();
}

task<result<SqlOutcome>> SqliteConnection::run(std::string_view sql, std::span<const SqlValue> values,
                                               const OnRow& on_row) {
  co_return run_now(sql, values, on_row);
}

result<SqlOutcome> SqliteConnection::run_now(std::string_view sql, std::span<const SqlValue> values,
                                             const OnRow& on_row) {
  if (interrupted_.load(std::memory_order_relaxed))
    return fail(errc::cancelled, "the metadata store was closed");
  GG_TRY(sqlite3_stmt * statement, prepared(sql));
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) != values.size())
    return fail(errc::internal, "{} values for the {} places of \"{}\"", values.size(),
                sqlite3_bind_parameter_count(statement), sql_start(sql));
  Reset reset(statement);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (const int code = bind(statement, static_cast<int>(i) + 1, values[i]); code != SQLITE_OK)
      return failure(code, sql);
  return step_through(statement, sql, on_row);
}

result<SqlOutcome> SqliteConnection::step_through(sqlite3_stmt* statement, std::string_view sql,
                                                  const OnRow& on_row) {
  SqlOutcome outcome;
  const Row row(statement);
  for (;;) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_ROW) return failure(code, sql);
    ++outcome.rows;
    if (on_row) on_row(row);
  }
  if (sqlite3_stmt_readonly(statement)) return outcome;
  if (sqlite3_column_count(statement) == 0) outcome.rows = static_cast<std::uint64_t>(sqlite3_changes64(db_));
  outcome.inserted_id = sqlite3_last_insert_rowid(db_);
  return outcome;
}

result<void> SqliteConnection::execute(const std::string& script) {
  if (const int code = sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
    return failure(code, script);
  return result<void>();
}

result<std::int64_t> SqliteConnection::integer(std::string_view sql) {
  std::int64_t value = 0;
  const OnRow keep = [&value](const SqlRow& row) { value = row.integer(0); };
  GG_CHECK(run_now(sql, {}, keep));
  return value;
}

result<sqlite3_stmt*> SqliteConnection::prepared(std::string_view sql) {
  if (Statement* kept = statements_.find(sql)) return kept->get();
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failure(code, sql);
  if (!statement) return fail(errc::internal, "an empty statement");
  return statements_.add(sql, Statement(statement)).get();
}

Error SqliteConnection::failure(int code, std::string_view sql) {
  if (is_sqlite_busy(code)) met_busy_ = true;
  // A wait for a lock that close() ended reports the lock.
  if (interrupted_.load(std::memory_order_relaxed))
    return fail(errc::cancelled, "the metadata store was closed");
  return sqlite_error(code, db_, fmt::format("\"{}\"", printable(sql_start(sql))));
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

std::string SqliteConnection::log_file() const {
  const char* file = sqlite3_db_filename(db_, "main");
  return file ? sqlite3_filename_wal(file) : "";
}

result<void> SqliteConnection::checkpoint(bool restart) {
  log_pages_ = 0;
  const int mode = restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(db_, "main", mode, nullptr, nullptr);
  if (code != SQLITE_OK && !is_sqlite_busy(code))
    return sqlite_error(code, db_, "moving the log into the metadata database");
  return result<void>();
}

void SqliteConnection::interrupt() {
  {
    const std::scoped_lock lock(pausing_);
    interrupted_.store(true);
  }
  woken_.notify_all();
  sqlite3_interrupt(db_);
}

void SqliteConnection::pause(std::chrono::nanoseconds duration) {
  std::unique_lock lock(pausing_);
  woken_.wait_for(lock, duration, [this] { return interrupted_.load(); });
}

int SqliteConnection::on_commit(void* self, sqlite3*, const char*, int pages) {
  static_cast<SqliteConnection*>(self)->log_pages_ = pages;
  return SQLITE_OK;
}

int SqliteConnection::on_busy(void* self, int tries) {
  return static_cast<SqliteConnection*>(self)->wait_for_lock(tries);
}

int SqliteConnection::wait_for_lock(int tries) {
  using namespace std::chrono;
  const auto now = system_clock().steady();
  if (tries == 0) busy_since_ = now;
  if (interrupted_.load() || now - busy_since_ >= busy_timeout_) return 0;
  pause(std::min<nanoseconds>(step_after(tries), busy_since_ + busy_timeout_ - now));
  return 1;
}

}  // namespace geogrid
