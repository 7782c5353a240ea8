#pragma once
// A prepared statement of MariaDB with the buffers of its values and columns. No I/O: the connection does
// that.

#include <mysql.h>

#include <span>
#include <vector>

#include "meta/sql.hpp"

namespace geogrid {

/// Moves, so that a cache can keep it; one thread.
class MariadbStatement {
 public:
  explicit MariadbStatement(MYSQL_STMT* handle) : handle_(handle) {}

  MYSQL_STMT* handle() const { return handle_.get(); }
  std::size_t places() const { return mysql_stmt_param_count(handle_.get()); }
  /// Binds values for the next execution; they must live until it is done. REQUIRES: values.size() ==
  /// places().
  bool bind_values(std::span<const SqlValue> values);
  bool returns_rows() const { return mysql_stmt_field_count(handle_.get()) > 0; }
  /// Binds buffers for the columns that the execution answered with.
  bool bind_columns();
  /// Gets what did not fit into its buffer, after a fetch. Later rows find larger buffers.
  bool complete_row();
  /// The row that was fetched last.
  const SqlRow& row() const { return row_; }
  /// Gives back buffers that one large value has grown.
  void trim();

 private:
  struct Close {
    void operator()(MYSQL_STMT* handle) const noexcept { mysql_stmt_close(handle); }
  };
  struct Column {
    bool number = false;  // bound as a 64-bit integer; else as bytes
    std::int64_t integer = 0;
    std::vector<char> buffer;
    unsigned long length = 0;
    my_bool null = 0;
    my_bool cut = 0;
  };
  class Row final : public SqlRow {
   public:
    explicit Row(std::vector<Column> c) : columns(std::move(c)) {}
    bool null(int column) const override { return at(column).null != 0; }
    std::int64_t integer(int column) const override;
    std::string_view bytes(int column) const override;

    std::vector<Column> columns;

   private:
    const Column& at(int column) const { return columns.at(static_cast<std::size_t>(column)); }
    mutable std::string digits_;
  };

  void shape_columns();

  std::unique_ptr<MYSQL_STMT, Close> handle_;
  std::vector<MYSQL_BIND> values_;
  std::vector<MYSQL_BIND> binds_;
  Row row_{{}};
};

}  // namespace geogrid
