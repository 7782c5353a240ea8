// What is bound comes back, byte for byte, and outcomes count what they promise to.

#include <limits>

#include "contract/sql/sql_fixture.hpp"

namespace geogrid::test {
namespace {

struct Stored {
  bool size_null = false;
  std::int64_t size = 0;
  bool data_null = false;
  std::string data;
};

class SqlValues : public SqlContract {
 protected:
  result<void> store(std::int64_t id, const SqlValue& size, const SqlValue& data) {
    return run([&]() -> task<result<void>> {
      const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
        const std::array<SqlValue, 4> values{SqlValue(id), SqlValue(std::string_view("n")), size, data};
        GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name, size, data) VALUES (?, ?, ?, ?)", values));
        co_return result<void>();
      };
      co_return co_await driver_->transact({}, body);
    });
  }
  result<Stored> load(std::int64_t id) {
    return run([&]() -> task<result<Stored>> {
      Stored stored;
      const OnRow keep = [&](const SqlRow& row) {
        stored = {row.null(0), row.integer(0), row.null(1), std::string(row.bytes(1))};
      };
      const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
        GG_CO_TRY(const SqlOutcome outcome,
                  co_await c.run("SELECT size, data FROM t WHERE parent = ?", bound(id), keep));
        if (outcome.rows != 1) co_return fail(errc::not_found, "{} rows", outcome.rows);
        co_return result<void>();
      };
      GG_CO_CHECK(co_await driver_->read(body));
      co_return stored;
    });
  }
};

TEST_P(SqlValues, IntegersKeepAll64Bits) {
  constexpr std::int64_t kValues[] = {0,
                                      1,
                                      -1,
                                      std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max(),
                                      0x7f00000000ff00ff};
  std::int64_t id = 0;
  for (const std::int64_t value : kValues) {
    ASSERT_TRUE(store(++id, value, std::monostate{}).has_value());
    EXPECT_EQ(load(id).value().size, value);
  }
}

TEST_P(SqlValues, UnsignedKeepTheirBits) {
  EXPECT_EQ(std::get<std::int64_t>(sql_value(std::uint64_t{0xffffffffffffffff})), -1);
  ASSERT_TRUE(store(1, sql_value(std::uint64_t{1} << 63), std::monostate{}).has_value());
  EXPECT_EQ(std::bit_cast<std::uint64_t>(load(1).value().size), std::uint64_t{1} << 63);
}

TEST_P(SqlValues, NullIsNeitherZeroNorEmpty) {
  ASSERT_TRUE(store(1, std::monostate{}, std::monostate{}).has_value());
  ASSERT_TRUE(store(2, std::int64_t{0}, std::string_view()).has_value());
  ASSERT_TRUE(store(3, sql_value(std::nullopt), sql_value(std::optional<std::string>())).has_value());
  const Stored null = load(1).value();
  EXPECT_TRUE(null.size_null && null.data_null);
  EXPECT_EQ(null.size, 0);
  EXPECT_EQ(null.data, "");
  const Stored empty = load(2).value();
  EXPECT_FALSE(empty.size_null || empty.data_null);
  EXPECT_TRUE(load(3).value().data_null);
}

TEST_P(SqlValues, BytesOfAnyValueAndLength) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
  const std::string large(std::size_t{1} << 20, '\xfe');
  std::int64_t id = 0;
  for (const std::string& bytes :
       {std::string("a\0b", 3), every, std::string("'); DROP TABLE t; --"), std::string(255, '\xff'),
        std::string(256, 'x'), std::string(257, 'y'), large, std::string("caf\xe9 caf\xc3\xa9")}) {
    ASSERT_TRUE(store(++id, std::monostate{}, std::string_view(bytes)).has_value());
    EXPECT_EQ(load(id).value().data, bytes);
  }
}

TEST_P(SqlValues, LargeAndSmallRowsInOneResult) {
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 20; ++i)
    sent.emplace_back(i % 3 == 0 ? 100000 * (i + 1) : i, static_cast<char>('a' + i));
  for (std::size_t i = 0; i < sent.size(); ++i)
    ASSERT_TRUE(store(static_cast<std::int64_t>(i), std::monostate{}, std::string_view(sent[i])).has_value());
  std::vector<std::string> got;
  const OnRow keep = [&](const SqlRow& row) { got.emplace_back(row.bytes(0)); };
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    got.clear();
    GG_CO_CHECK(co_await c.run("SELECT data FROM t ORDER BY parent", {}, keep));
    co_return result<void>();
  };
  ASSERT_TRUE(run([&] { return driver_->read(body); }).has_value());
  EXPECT_EQ(got, sent);
  ASSERT_TRUE(
      run([&] { return driver_->read(body); }).has_value());  // the kept statement, its buffers trimmed
  EXPECT_EQ(got, sent);
}

TEST_P(SqlValues, NamesAreComparedByTheirBytes) {
  for (const char* name : {"a", "A", "a ", "\xc3\xa4", "\xe4", "a\xcc\x88"})
    EXPECT_TRUE(run([&] { return insert(*driver_, 1, name); }).has_value()) << name;
  const std::string longest(255, '\xff');
  EXPECT_TRUE(run([&] { return insert(*driver_, 1, longest); }).has_value());
  std::int64_t found = 0;
  const OnRow keep = [&](const SqlRow& row) { found = row.integer(0); };
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("SELECT COUNT(*) FROM t WHERE parent = 1 AND name = ?", bound("a"), keep));
    co_return result<void>();
  };
  ASSERT_TRUE(run([&] { return driver_->read(body); }).has_value());
  EXPECT_EQ(found, 1);
}

TEST_P(SqlValues, SumsAndNumbersReadAsEither) {
  ASSERT_TRUE(store(1, std::int64_t{1} << 60, std::string_view("12")).has_value());
  ASSERT_TRUE(store(2, std::int64_t{5}, std::monostate{}).has_value());
  std::int64_t sum = 0;
  std::string text;
  const OnRow keep = [&](const SqlRow& row) {
    sum = row.integer(0);
    text = row.bytes(1);
  };
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("SELECT SUM(size), COUNT(*) FROM t", {}, keep));
    co_return result<void>();
  };
  ASSERT_TRUE(run([&] { return driver_->read(body); }).has_value());
  EXPECT_EQ(sum, (std::int64_t{1} << 60) + 5);
  EXPECT_EQ(text, "2");
}

TEST_P(SqlValues, OutcomesCountMatchedRowsChangedOrNot) {
  for (const char* name : {"a", "b", "c"})
    ASSERT_TRUE(run([&] { return insert(*driver_, 7, name); }).has_value());
  std::vector<std::uint64_t> rows;
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    rows.clear();
    for (const char* sql : {"UPDATE t SET size = 5 WHERE parent = ?",
                            "UPDATE t SET size = 5 WHERE parent = ?", "SELECT id FROM t WHERE parent = ?",
                            "DELETE FROM t WHERE parent = ?", "DELETE FROM t WHERE parent = ?"}) {
      GG_CO_TRY(const SqlOutcome outcome, co_await c.run(sql, bound(7)));
      rows.push_back(outcome.rows);
    }
    co_return result<void>();
  };
  ASSERT_TRUE(run([&] { return driver_->transact({}, body); }).has_value());
  EXPECT_EQ(rows, (std::vector<std::uint64_t>{3, 3, 3, 3, 0}));
}

TEST_P(SqlValues, IdsRiseAndAreNotReused) {
  const std::int64_t first = run([&] { return insert(*driver_, 1, "a"); }).value();
  const std::int64_t second = run([&] { return insert(*driver_, 1, "b"); }).value();
  EXPECT_GT(second, first);
  const SqlBody clear = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("DELETE FROM t"));
    co_return result<void>();
  };
  ASSERT_TRUE(run([&] { return driver_->transact({}, clear); }).has_value());
  EXPECT_GT(run([&] { return insert(*driver_, 1, "a"); }).value(), second);
}

INSTANTIATE_TEST_SUITE_P(Both, SqlValues, testing::Values(SqlDialect::sqlite, SqlDialect::mariadb),
                         dialect_name);

}  // namespace
}  // namespace geogrid::test
