#pragma once
// What the tests of SqlDriver share: a database of one kind or the other, drivers on it, and a table to play
// with.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "meta/mariadb_connection.hpp"
#include "meta/mariadb_driver.hpp"
#include "meta/sql.hpp"
#include "meta/sqlite_connection.hpp"
#include "meta/sqlite_driver.hpp"
#include "support/mariadb_server.hpp"
#include "support/scratch.hpp"

namespace geogrid::test {

/// Where a test's database is, and how to open it. The table `t` and operation_log are in it from the start.
class Database {
 public:
  explicit Database(SqlDialect dialect);

  SqlDialect dialect() const { return dialect_; }
  std::string file() const { return scratch_.file("test.db"); }
  const std::string& name() const { return name_; }
  MariadbDriverOptions mariadb_options() const;
  SqliteDriverOptions sqlite_options() const;
  std::unique_ptr<SqlDriver> open() const;

 private:
  SqlDialect dialect_;
  Scratch scratch_{"sql"};
  std::string name_;
};

class SqlTest : public testing::Test {
 protected:
  /// Runs the coroutine that `make` returns to its end.
  template <typename Make>
  auto run(Make make) {
    return run_to_end(loop_, make());
  }
  /// Runs them all at once, and returns what each returned.
  std::vector<result<void>> run_all(std::vector<task<result<void>>> tasks);

  /// Inserts a row (parent, name), and returns its id.
  static task<result<std::int64_t>> insert(SqlDriver& driver, std::int64_t parent, std::string name,
                                           TransactOptions options = {});
  static task<result<std::int64_t>> count(SqlDriver& driver);

  asio::io_context loop_;
};

/// Names a parameter of SqlContract.
inline std::string dialect_name(const testing::TestParamInfo<SqlDialect>& parameter) {
  return parameter.param == SqlDialect::sqlite ? "SQLite" : "MariaDB";
}

/// Every test runs on both.
class SqlContract : public SqlTest, public testing::WithParamInterface<SqlDialect> {
 protected:
  Database database_{GetParam()};
  std::unique_ptr<SqlDriver> driver_ = database_.open();
  void TearDown() override {
    driver_->close();
    loop_.restart();
    loop_.run();
  }
};

class MariadbTest : public SqlTest {
 protected:
  Database database_{SqlDialect::mariadb};
  MariaDbServer& server_ = MariaDbServer::shared();
};

}  // namespace geogrid::test
