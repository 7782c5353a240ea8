#pragma once
// SQLite's result codes as this project's errors.

#include <string_view>

#include "base/error.hpp"

struct sqlite3;

namespace geogrid {

/// Whether the code says that another connection holds a lock that was waited for in vain.
bool is_sqlite_busy(int code) noexcept;

/// The error of an extended result code (https://sqlite.org/rescode.html), with SQLite's own text and, where
/// the operator can do something, what. `action` says what was being done. `db` may be null.
Error sqlite_error(int code, sqlite3* db, std::string_view action);

}  // namespace geogrid
