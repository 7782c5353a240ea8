#include "meta/sql_text.hpp"

#include <gtest/gtest.h>

namespace geogrid {
namespace {

TEST(SqlText, LocksAreLeftOutForSqlite) {
  const std::string_view sql = "SELECT 1 FOR UPDATE";
  EXPECT_EQ(locking(SqlDialect::mariadb, sql), sql);
  EXPECT_EQ(locking(SqlDialect::sqlite, sql), "SELECT 1");
  EXPECT_EQ(locking(SqlDialect::sqlite, "SELECT 1 LOCK IN SHARE MODE"), "SELECT 1");
  EXPECT_EQ(locking(SqlDialect::sqlite, "SELECT 1"), "SELECT 1");
}

TEST(SqlText, WordsBecomeWhatTheDatabaseCallsThem) {
  EXPECT_EQ(in_dialect(SqlDialect::sqlite, "a @name@, b @int@, c @int@"),
            "a BLOB NOT NULL, b INTEGER NOT NULL, c INTEGER NOT NULL");
  EXPECT_EQ(in_dialect(SqlDialect::mariadb, "a @name@ @rows@"), "a VARBINARY(255) NOT NULL ENGINE=InnoDB");
  EXPECT_EQ(in_dialect(SqlDialect::mariadb, "no word"), "no word");
}

TEST(SqlText, FewSizesOfStatements) {
  for (std::size_t left = 1; left <= 1000; ++left) {
    const std::size_t size = statement_size(left);
    EXPECT_TRUE(size == 1 || size == 2 || size == 4 || size == 8 || size == 64);
    EXPECT_LE(size, left);
  }
}

TEST(SqlText, SetsKeepAllTheirBits) {
  const NodeSet all(~std::uint64_t{0});
  EXPECT_EQ(node_set(std::get<std::int64_t>(to_sql(all))), all);
  const NodeSet last = NodeSet::of(NodeIndex(63));
  EXPECT_EQ(node_set(std::get<std::int64_t>(to_sql(last))), last);
}

// Takes down what it is given.
class Recorder final : public SqlConnection {
 public:
  using SqlConnection::run;
  task<result<SqlOutcome>> run(std::string_view sql, std::span<const SqlValue> values,
                               const OnRow&) override {
    texts.emplace_back(sql);
    for (const SqlValue& value : values) bound.push_back(std::get<std::int64_t>(value));
    co_return SqlOutcome();
  }
  std::vector<std::string> texts;
  std::vector<std::int64_t> bound;
};

TEST(SqlText, ManyRowsGoInFewStatementsInOrder) {
  Recorder recorder;
  MultiInsert rows("INSERT INTO t (a,b) VALUES ", 2, " RETURNING a");
  for (int i = 0; i < 75; ++i) rows.add(i, -i);
  asio::io_context loop;
  ASSERT_TRUE(run_to_end(loop, rows.flush(recorder)));
  EXPECT_TRUE(rows.empty());
  ASSERT_EQ(recorder.texts.size(), 4U);  // 64 + 8 + 2 + 1
  EXPECT_EQ(recorder.texts[3], "INSERT INTO t (a,b) VALUES (?,?) RETURNING a");
  ASSERT_EQ(recorder.bound.size(), 150U);
  for (std::size_t i = 0; i < 75; ++i) EXPECT_EQ(recorder.bound[2 * i], static_cast<std::int64_t>(i));
}

TEST(SqlText, ListsRepeatTheFixedValues) {
  Recorder recorder;
  asio::io_context loop;
  std::vector<SqlValue> listed;
  for (int i = 0; i < 9; ++i) listed.push_back(to_sql(i));
  ASSERT_TRUE(
      run_to_end(loop, run_over(recorder, ListStatement{"DELETE FROM t WHERE n = ? AND id IN ", " -- end"},
                                bound_values(100), std::move(listed))));
  ASSERT_EQ(recorder.texts.size(), 2U);
  EXPECT_EQ(recorder.texts[1], "DELETE FROM t WHERE n = ? AND id IN (?) -- end");
  EXPECT_EQ(recorder.bound, (std::vector<std::int64_t>{100, 0, 1, 2, 3, 4, 5, 6, 7, 100, 8}));
}

}  // namespace
}  // namespace geogrid
