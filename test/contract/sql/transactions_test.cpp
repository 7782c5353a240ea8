// What a transaction promises, on both databases: all or nothing, tried again when it met another, seen by
// all when done.

#include "contract/sql/sql_fixture.hpp"

namespace geogrid::test {
namespace {

using SqlTransactions = SqlContract;

TEST_P(SqlTransactions, AnErrorOfTheBodyUndoesAllOfIt) {
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (?, ?)", bound(1, "a")));
    co_return fail(errc::conflict, "changed my mind");
  };
  const result<void> outcome = run([&] { return driver_->transact({}, body); });
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::conflict));
  EXPECT_EQ(run([&] { return count(*driver_); }).value(), 0);
}

TEST_P(SqlTransactions, ABrokenUniqueKeySaysSoAndTheDriverGoesOn) {
  ASSERT_TRUE(run([&] { return insert(*driver_, 1, "a"); }).has_value());
  const auto again = run([&] { return insert(*driver_, 1, "a"); });
  ASSERT_FALSE(again);
  EXPECT_TRUE(again.error().is(errc::already_exists)) << again.error().message;
  EXPECT_TRUE(run([&] { return insert(*driver_, 1, "b"); }).has_value());
  EXPECT_EQ(run([&] { return count(*driver_); }).value(), 2);
}

TEST_P(SqlTransactions, ABodyMayGoOnAfterABrokenUniqueKey) {
  ASSERT_TRUE(run([&] { return insert(*driver_, 1, "a"); }).has_value());
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    const auto taken = co_await c.run("INSERT INTO t (parent, name) VALUES (?, ?)", bound(1, "a"));
    if (taken) co_return fail(errc::internal, "inserted twice");
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (?, ?)", bound(1, "b")));
    co_return result<void>();
  };
  EXPECT_TRUE(run([&] { return driver_->transact({}, body); }).has_value());
  EXPECT_EQ(run([&] { return count(*driver_); }).value(), 2);
}

TEST_P(SqlTransactions, WrongStatementsAreErrorsNotCrashes) {
  for (const char* sql :
       {"SELEKT 1", "SELECT * FROM no_such_table", "INSERT INTO t (parent) VALUES (NULL)", ""}) {
    const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
      GG_CO_CHECK(co_await c.run(sql));
      co_return result<void>();
    };
    const result<void> outcome = run([&] { return driver_->transact({}, body); });
    ASSERT_FALSE(outcome) << sql;
    EXPECT_TRUE(outcome.error().is(errc::internal)) << outcome.error().message;
    EXPECT_NE(outcome.error().message.find(std::string_view(sql).substr(0, 6)), std::string::npos);
  }
  const SqlBody too_few = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (?, ?)", bound(1)));
    co_return result<void>();
  };
  const result<void> outcome = run([&] { return driver_->transact({}, too_few); });
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::internal));
  EXPECT_TRUE(run([&] { return insert(*driver_, 1, "a"); }).has_value());
}

TEST_P(SqlTransactions, ReadsSeeWhatWasCommittedHereAndElsewhere) {
  const auto other = database_.open();
  for (std::int64_t i = 1; i <= 20; ++i) {
    SqlDriver& writer = i % 2 == 0 ? *driver_ : *other;
    ASSERT_TRUE(run([&] { return insert(writer, i, "n"); }).has_value());
    EXPECT_EQ(run([&] { return count(*driver_); }).value(), i);
    EXPECT_EQ(run([&] { return count(*other); }).value(), i);
  }
  other->close();
}

TEST_P(SqlTransactions, HintMovesWithEveryCommitOfAnyDriver) {
  const auto other = database_.open();
  const auto hint = [&] { return run([&] { return driver_->change_hint(); }).value(); };
  std::uint64_t last = hint();
  EXPECT_EQ(hint(), last);
  for (std::int64_t i = 1; i <= 6; ++i) {
    ASSERT_TRUE(run([&] { return insert(i % 2 == 0 ? *driver_ : *other, i, "n"); }).has_value());
    const std::uint64_t now = hint();
    EXPECT_NE(now, last);
    EXPECT_EQ(hint(), now);
    last = now;
  }
  other->close();
}

task<result<void>> insert_and_maybe_fail(SqlDriver& driver, std::int64_t number) {
  const SqlBody body = [number](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (?, x'61')", bound(number)));
    if (number % 3 == 1) co_return fail(errc::refused, "not this one");
    if (number % 3 == 2)
      GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (?, x'61')", bound(number)));
    co_return result<void>();
  };
  co_return co_await driver.transact({.durable = number % 4 == 0}, body);
}

// SQLite's writer makes one transaction of those that wait.
TEST_P(SqlTransactions, OfManyAtOnceAFailureHarmsNoOther) {
  constexpr std::int64_t kTransactions = 60;
  std::vector<task<result<void>>> tasks;
  for (std::int64_t i = 0; i < kTransactions; ++i) tasks.push_back(insert_and_maybe_fail(*driver_, i));
  const std::vector<result<void>> outcomes = run_all(std::move(tasks));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].has_value(), i % 3 == 0) << i;
    EXPECT_TRUE(i % 3 != 1 || outcomes[i].error().is(errc::refused));
    EXPECT_TRUE(i % 3 != 2 || outcomes[i].error().is(errc::already_exists));
  }
  EXPECT_EQ(run([&] { return count(*driver_); }).value(), kTransactions / 3);
}

task<result<void>> increment(SqlDriver& driver, SqlDialect dialect, int times) {
  const std::string select = std::string("SELECT size FROM t WHERE parent = 1") +
                             (dialect == SqlDialect::mariadb ? " FOR UPDATE" : "");
  for (int i = 0; i < times; ++i) {
    const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
      std::int64_t value = -1;
      const OnRow keep = [&](const SqlRow& row) { value = row.integer(0); };
      GG_CO_CHECK(co_await c.run(select, {}, keep));
      GG_CO_CHECK(co_await c.run("UPDATE t SET size = ? WHERE parent = 1", bound(value + 1)));
      co_return result<void>();
    };
    GG_CO_CHECK(co_await driver.transact({}, body));
  }
  co_return result<void>();
}

TEST_P(SqlTransactions, SeveralDriversWritingAtOnceLoseNothing) {
  constexpr int kTasks = 4;
  constexpr int kTimes = 25;
  const auto other = database_.open();
  ASSERT_TRUE(run([&] { return insert(*driver_, 1, "counter"); }).has_value());
  std::vector<task<result<void>>> tasks;
  for (int i = 0; i < kTasks; ++i) {
    tasks.push_back(increment(*driver_, GetParam(), kTimes));
    tasks.push_back(increment(*other, GetParam(), kTimes));
  }
  for (const result<void>& outcome : run_all(std::move(tasks)))
    EXPECT_TRUE(outcome) << outcome.error().message;
  std::int64_t value = 0;
  const OnRow keep = [&](const SqlRow& row) { value = row.integer(0); };
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("SELECT size FROM t WHERE parent = 1", {}, keep));
    co_return result<void>();
  };
  ASSERT_TRUE(run([&] { return driver_->read(body); }).has_value());
  EXPECT_EQ(value, 2 * kTasks * kTimes);
  other->close();
}

std::size_t kept_statements(SqlConnection& connection, SqlDialect dialect) {
  return dialect == SqlDialect::sqlite ? static_cast<SqliteConnection&>(connection).kept_statements()
                                       : static_cast<MariadbConnection&>(connection).kept_statements();
}

TEST_P(SqlTransactions, PreparedStatementsAreKeptWithinABound) {
  std::size_t kept = 0;
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    for (int i = 0; i < 400; ++i) {
      std::int64_t value = -1;
      const OnRow keep = [&](const SqlRow& row) { value = row.integer(0); };
      const std::string sql = fmt::format("SELECT {}", i % 300);
      GG_CO_CHECK(co_await c.run(sql, {}, keep));
      if (value != i % 300) co_return fail(errc::internal, "{} instead of {}", value, i % 300);
    }
    kept = kept_statements(c, GetParam());
    co_return result<void>();
  };
  const result<void> outcome = run([&] { return driver_->read(body); });
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(kept, SqliteConnection::kStatementLimit);
}

TEST_P(SqlTransactions, CloseEndsWhatIsInFlight) {
  std::vector<task<result<void>>> tasks;
  for (std::int64_t i = 0; i < 40; ++i) {
    auto one = [](SqlDriver& driver, std::int64_t parent) -> task<result<void>> {
      for (int n = 0; n < 1000; ++n) {
        const auto id = co_await insert(driver, parent, std::to_string(n));
        if (!id) co_return id.error();
      }
      co_return result<void>();
    };
    tasks.push_back(one(*driver_, i));
  }
  auto closer = [](SqlDriver& driver) -> task<result<void>> {
    GG_CO_CHECK(co_await sleep_for(std::chrono::milliseconds(30)));
    driver.close();
    co_return result<void>();
  };
  tasks.push_back(closer(*driver_));
  const auto outcomes = run_all(std::move(tasks));
  for (std::size_t i = 0; i + 1 < outcomes.size(); ++i) {
    ASSERT_FALSE(outcomes[i]);
    EXPECT_TRUE(outcomes[i].error().is(errc::cancelled)) << outcomes[i].error().message;
  }
  const auto after = run([&] { return count(*driver_); });
  ASSERT_FALSE(after);
  EXPECT_TRUE(after.error().is(errc::cancelled)) << after.error().message;
}

TEST_P(SqlTransactions, TheDriverMayGoBeforeItsCallsHaveReturned) {
  std::vector<task<result<void>>> tasks;
  for (std::int64_t i = 0; i < 8; ++i) {
    auto one = [](SqlDriver& driver, std::int64_t parent) -> task<result<void>> {
      const auto id = co_await insert(driver, parent, "n");
      if (!id) co_return id.error();
      co_return result<void>();
    };
    tasks.push_back(one(*driver_, i));
  }
  auto goes = [](std::unique_ptr<SqlDriver>& driver) -> task<result<void>> {
    driver.reset();
    co_return result<void>();
  };
  tasks.push_back(goes(driver_));
  run_all(std::move(tasks));
  driver_ = database_.open();
  EXPECT_TRUE(run([&] { return count(*driver_); }).has_value());
}

INSTANTIATE_TEST_SUITE_P(Both, SqlTransactions, testing::Values(SqlDialect::sqlite, SqlDialect::mariadb),
                         dialect_name);

}  // namespace
}  // namespace geogrid::test
