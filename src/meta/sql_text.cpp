#include "meta/sql_text.hpp"

#include <array>

namespace geogrid {
namespace {

struct Word {
  std::string_view word;
  std::string_view sqlite;
  std::string_view mariadb;
};

constexpr std::array kWords{
    Word{"@id@", "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"},
    Word{"@int@", "INTEGER NOT NULL", "BIGINT NOT NULL"},
    Word{"@small@", "INTEGER NOT NULL", "SMALLINT NOT NULL"},
    Word{"@uint32@", "INTEGER NOT NULL", "INT UNSIGNED NOT NULL"},
    Word{"@nullint@", "INTEGER", "BIGINT"},
    Word{"@name@", "BLOB NOT NULL", "VARBINARY(255) NOT NULL"},
    Word{"@hash@", "BLOB NOT NULL", "VARBINARY(32) NOT NULL"},
    Word{"@nullhash@", "BLOB", "VARBINARY(32)"},
    Word{"@bytes@", "BLOB NOT NULL", "MEDIUMBLOB NOT NULL"},
    Word{"@rows@", "", "ENGINE=InnoDB"},
    Word{"@keyed@", "WITHOUT ROWID", "ENGINE=InnoDB"},
    Word{"@now@", "unixepoch()", "UNIX_TIMESTAMP()"},
};

constexpr std::string_view kForUpdate = " FOR UPDATE";
constexpr std::string_view kShared = " LOCK IN SHARE MODE";

std::string row_places(std::size_t columns) {
  std::string text = "(";
  for (std::size_t i = 0; i < columns; ++i) text += i == 0 ? "?" : ",?";
  return text + ")";
}

}  // namespace

std::string_view locking(SqlDialect dialect, std::string_view sql) {
  if (dialect == SqlDialect::mariadb) return sql;
  if (sql.ends_with(kForUpdate)) sql.remove_suffix(kForUpdate.size());
  if (sql.ends_with(kShared)) sql.remove_suffix(kShared.size());
  return sql;
}

std::string in_dialect(SqlDialect dialect, std::string_view text) {
  std::string out(text);
  for (const Word& word : kWords) {
    const std::string_view by = dialect == SqlDialect::sqlite ? word.sqlite : word.mariadb;
    for (auto at = out.find(word.word); at != std::string::npos; at = out.find(word.word, at + by.size()))
      out.replace(at, word.word.size(), by);
  }
  return out;
}

std::size_t statement_size(std::size_t left) {
  for (const std::size_t size : {64U, 8U, 4U, 2U})
    if (left >= size) return size;
  return 1;
}

task<result<void>> MultiInsert::flush(SqlConnection& connection, const OnRow& on_row) {
  const std::string row = row_places(columns_);
  std::string text;
  std::size_t rows_in_text = 0;
  for (std::size_t done = 0; done < values_.size();) {
    const std::size_t rows = statement_size((values_.size() - done) / columns_);
    if (rows != rows_in_text) {
      text = head_;
      for (std::size_t i = 0; i < rows; ++i) text.append(i == 0 ? "" : ",").append(row);
      text += tail_;
      rows_in_text = rows;
    }
    const auto values = std::span<const SqlValue>(values_).subspan(done, rows * columns_);
    GG_CO_CHECK(co_await connection.run(text, values, on_row));
    done += rows * columns_;
  }
  values_.clear();
  co_return result<void>();
}

task<result<void>> MultiInsert::flush(SqlConnection& connection) {
  const OnRow none;
  co_return co_await flush(connection, none);
}

task<result<void>> run_over(SqlConnection& connection, ListStatement statement, std::vector<SqlValue> first,
                            std::vector<SqlValue> listed, const OnRow& on_row) {
  std::vector<SqlValue> values = std::move(first);
  const std::size_t fixed = values.size();
  for (std::size_t done = 0; done < listed.size();) {
    const std::size_t count = statement_size(listed.size() - done);
    values.resize(fixed);
    values.insert(values.end(), listed.begin() + static_cast<std::ptrdiff_t>(done),
                  listed.begin() + static_cast<std::ptrdiff_t>(done + count));
    const std::string text = std::string(statement.head) + row_places(count) + std::string(statement.tail);
    GG_CO_CHECK(co_await connection.run(text, std::span<const SqlValue>(values), on_row));
    done += count;
  }
  co_return result<void>();
}

task<result<void>> run_over(SqlConnection& connection, ListStatement statement, std::vector<SqlValue> first,
                            std::vector<SqlValue> listed) {
  const OnRow none;
  co_return co_await run_over(connection, statement, std::move(first), std::move(listed), none);
}

}  // namespace geogrid
