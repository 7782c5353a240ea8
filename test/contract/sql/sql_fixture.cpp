#include "contract/sql/sql_fixture.hpp"

#include <stdexcept>

namespace geogrid::test {
namespace {

constexpr const char* kSqliteTable =
    "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER NOT NULL, name BLOB NOT NULL,"
    " size INTEGER, data BLOB, UNIQUE (parent, name))";
constexpr const char* kMariadbTable =
    "CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, parent BIGINT NOT NULL, name VARBINARY(255) NOT "
    "NULL,"
    " size BIGINT, data LONGBLOB, UNIQUE (parent, name)) ENGINE=InnoDB";

void must(const result<void>& outcome) {
  if (!outcome) throw std::runtime_error(outcome.error().message);
}

}  // namespace

Database::Database(SqlDialect dialect) : dialect_(dialect) {
  if (dialect == SqlDialect::mariadb) {
    name_ = MariaDbServer::shared().create_database();
    asio::io_context loop;
    const auto driver = make_mariadb_driver(mariadb_options());
    must(run_to_end(loop, driver->execute_script(kMariadbTable)));
    must(run_to_end(loop, driver->execute_script(std::string(operation_log_ddl()))));
    return;
  }
  asio::io_context loop;
  SqliteDriverOptions options = sqlite_options();
  options.create = true;
  const auto driver = make_sqlite_driver(options).value();
  must(run_to_end(loop, driver->execute_script(kSqliteTable)));
}

MariadbDriverOptions Database::mariadb_options() const {
  MariadbDriverOptions options;
  options.targets.push_back({.host = "127.0.0.1",
                             .port = MariaDbServer::shared().port(),
                             .user = MariaDbServer::kUser,
                             .password = MariaDbServer::kPassword,
                             .database = name_,
                             .tls_ca = {}});
  options.hint_sql = "SELECT MAX(id) FROM t";
  return options;
}

SqliteDriverOptions Database::sqlite_options() const {
  return {.file = file(), .create = false, .log = Log()};
}

std::unique_ptr<SqlDriver> Database::open() const {
  if (dialect_ == SqlDialect::sqlite) return make_sqlite_driver(sqlite_options()).value();
  return make_mariadb_driver(mariadb_options());
}

std::vector<result<void>> SqlTest::run_all(std::vector<task<result<void>>> tasks) {
  std::vector<result<void>> outcomes(tasks.size(), fail(errc::internal, "did not end"));
  std::size_t running = tasks.size();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    asio::co_spawn(loop_, std::move(tasks[i]),
                   [&, i](const std::exception_ptr& failure, result<void> outcome) {
                     if (!failure) outcomes[i] = std::move(outcome);
                     if (--running == 0) loop_.stop();
                   });
  }
  loop_.restart();
  loop_.run();
  return outcomes;
}

task<result<std::int64_t>> SqlTest::insert(SqlDriver& driver, std::int64_t parent, std::string name,
                                           TransactOptions options) {
  std::int64_t id = 0;
  const SqlBody body = [&](SqlConnection& connection) -> task<result<void>> {
    GG_CO_TRY(const SqlOutcome outcome,
              co_await connection.run("INSERT INTO t (parent, name) VALUES (?, ?)", bound(parent, name)));
    id = outcome.inserted_id;
    co_return result<void>();
  };
  GG_CO_CHECK(co_await driver.transact(options, body));
  co_return id;
}

task<result<std::int64_t>> SqlTest::count(SqlDriver& driver) {
  std::int64_t rows = 0;
  const OnRow keep = [&](const SqlRow& row) { rows = row.integer(0); };
  const SqlBody body = [&](SqlConnection& connection) -> task<result<void>> {
    GG_CO_CHECK(co_await connection.run("SELECT COUNT(*) FROM t", {}, keep));
    co_return result<void>();
  };
  GG_CO_CHECK(co_await driver.read(body));
  co_return rows;
}

}  // namespace geogrid::test
