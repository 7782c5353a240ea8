#include "meta/mariadb_statement.hpp"

#include <charconv>

namespace geogrid {
namespace {

constexpr std::size_t kFirstBuffer = 256;       // holds any name
constexpr std::size_t kKeptBuffer = 64 * 1024;  // larger ones are given back

bool is_integer(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_YEAR:
      return true;
    default:
      return false;
  }
}

MYSQL_BIND value_bind(const SqlValue& value) {
  MYSQL_BIND bind{};
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    bind.buffer_type = MYSQL_TYPE_LONGLONG;
    bind.buffer = const_cast<std::int64_t*>(integer);
  } else if (const auto* bytes = std::get_if<std::string_view>(&value)) {
    bind.buffer_type = MYSQL_TYPE_BLOB;
    bind.buffer = const_cast<char*>(bytes->empty() ? "" : bytes->data());
    bind.buffer_length = bytes->size();
  } else {
    bind.buffer_type = MYSQL_TYPE_NULL;
  }
  return bind;
}

}  // namespace

// Numbers that are no integers for the server, such as SUM(), which is a DECIMAL, come as text.
std::int64_t MariadbStatement::Row::integer(int column) const {
  const Column& c = at(column);
  if (c.null) return 0;
  if (c.number) return c.integer;
  std::int64_t value = 0;
  const std::string_view text = bytes(column);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view MariadbStatement::Row::bytes(int column) const {
  const Column& c = at(column);
  if (c.null) return {};
  if (!c.number) return {c.buffer.data(), c.length};
  digits_ = std::to_string(c.integer);
  return digits_;
}

bool MariadbStatement::bind_values(std::span<const SqlValue> values) {
  values_.clear();
  for (const SqlValue& value : values) values_.push_back(value_bind(value));
  return values_.empty() || mysql_stmt_bind_param(handle_.get(), values_.data()) == 0;
}

void MariadbStatement::shape_columns() {
  // Asked for each time: the server prepares anew by itself when a table was changed, and then types may
  // differ.
  const std::size_t count = mysql_stmt_field_count(handle_.get());
  const MYSQL_FIELD* fields = mariadb_stmt_fetch_fields(handle_.get());
  row_.columns.resize(count);
  binds_.assign(count, MYSQL_BIND{});
  for (std::size_t i = 0; i < count; ++i) {
    Column& column = row_.columns[i];
    MYSQL_BIND& bind = binds_[i];
    column.number = is_integer(fields[i].type);
    if (column.number) {
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bind.buffer = &column.integer;
      bind.is_unsigned = (fields[i].flags & UNSIGNED_FLAG) != 0;
    } else {
      if (column.buffer.empty()) column.buffer.resize(kFirstBuffer);
      bind.buffer_type = MYSQL_TYPE_BLOB;
      bind.buffer = column.buffer.data();
      bind.buffer_length = column.buffer.size();
    }
    bind.length = &column.length;
    bind.is_null = &column.null;
    bind.error = &column.cut;
  }
}

bool MariadbStatement::bind_columns() {
  shape_columns();
  return mysql_stmt_bind_result(handle_.get(), binds_.data()) == 0;
}

bool MariadbStatement::complete_row() {
  bool grown = false;
  for (std::size_t i = 0; i < row_.columns.size(); ++i) {
    Column& column = row_.columns[i];
    if (column.number || column.null || column.length <= column.buffer.size()) continue;
    column.buffer.resize(column.length);
    MYSQL_BIND whole = binds_[i];
    whole.buffer = column.buffer.data();
    whole.buffer_length = column.buffer.size();
    if (mysql_stmt_fetch_column(handle_.get(), &whole, static_cast<unsigned>(i), 0) != 0) return false;
    binds_[i].buffer = whole.buffer;
    binds_[i].buffer_length = whole.buffer_length;
    grown = true;
  }
  return !grown || mysql_stmt_bind_result(handle_.get(), binds_.data()) == 0;
}

void MariadbStatement::trim() {
  for (Column& column : row_.columns) {
    if (column.buffer.size() <= kKeptBuffer) continue;
    column.buffer.resize(kFirstBuffer);
    column.buffer.shrink_to_fit();
  }
}

}  // namespace geogrid
