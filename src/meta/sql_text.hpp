#pragma once
// Statement texts of varying length, and the few places where the two databases speak differently.

#include <bit>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/ids.hpp"
#include "meta/sql.hpp"

namespace geogrid {

/// The text for this database of a statement written with MariaDB's locking suffix (" FOR UPDATE" or " LOCK
/// IN SHARE MODE"): SQLite knows none, its write transactions exclude each other.
std::string_view locking(SqlDialect dialect, std::string_view sql);

/// `text` with each @word@ replaced by what the database calls it: see sql_text.cpp for the words.
std::string in_dialect(SqlDialect dialect, std::string_view text);

// ---- values ----

inline SqlValue to_sql(std::string_view bytes) {
  return bytes;
}
inline SqlValue to_sql(const std::string& bytes) {
  return std::string_view(bytes);
}
inline SqlValue to_sql(const char* text) {
  return std::string_view(text);
}
inline SqlValue to_sql(NodeSet set) {
  return std::bit_cast<std::int64_t>(set.bits());
}
inline SqlValue to_sql(const SqlValue& value) {
  return value;
}
template <std::integral Int>
SqlValue to_sql(Int value) {
  return static_cast<std::int64_t>(value);
}
template <typename Enum>
requires std::is_enum_v<Enum> SqlValue to_sql(Enum value) {
  return static_cast<std::int64_t>(value);
}
template <typename Tag, typename Int>
SqlValue to_sql(StrongId<Tag, Int> id) {
  return static_cast<std::int64_t>(id.value);
}

inline NodeSet node_set(std::int64_t column) {
  return NodeSet(std::bit_cast<std::uint64_t>(column));
}

/// Not a braced list: GCC 12 cannot keep an initializer_list's array across a co_await.
template <typename... Values>
std::vector<SqlValue> bound_values(const Values&... values) {
  std::vector<SqlValue> bound;
  bound.reserve(sizeof...(Values));
  (bound.push_back(to_sql(values)), ...);
  return bound;
}

// ---- statements of many rows ----

/// How many rows or values one statement takes; few sizes, so that few statements are prepared.
std::size_t statement_size(std::size_t left);

/// Rows collected for INSERT statements of several rows each. Bytes must live until flush() is done.
class MultiInsert {
 public:
  /// "INSERT INTO t(a,b) VALUES " and, after the rows, `tail`.
  MultiInsert(std::string_view head, std::size_t columns, std::string_view tail = {})
      : head_(head), tail_(tail), columns_(columns) {}

  template <typename... Values>
  void add(const Values&... values) {
    (values_.push_back(to_sql(values)), ...);
  }
  bool empty() const { return values_.empty(); }
  /// Inserts all, in order, and forgets them. `on_row` gets what a RETURNING in the tail returns.
  task<result<void>> flush(SqlConnection& connection, const OnRow& on_row);
  task<result<void>> flush(SqlConnection& connection);

 private:
  std::string_view head_;
  std::string_view tail_;
  std::size_t columns_;
  std::vector<SqlValue> values_;
};

/// Runs "head (?,…) tail" over all of `listed`, several a statement, with the values of `first` before them.
struct ListStatement {
  std::string_view head;
  std::string_view tail = {};
};
task<result<void>> run_over(SqlConnection& connection, ListStatement statement, std::vector<SqlValue> first,
                            std::vector<SqlValue> listed, const OnRow& on_row);
task<result<void>> run_over(SqlConnection& connection, ListStatement statement, std::vector<SqlValue> first,
                            std::vector<SqlValue> listed);

}  // namespace geogrid
