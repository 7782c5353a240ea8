#pragma once
// The database file: made with the right mode, and known to be geogridd's before anything is changed in it.

#include <string>

#include "meta/sqlite_connection.hpp"

namespace geogrid {

/// Checks that the file exists, or makes it, with mode 0600 (which SQLite gives to -wal and -shm too), where
/// `create` asks. Errors: errc::not_initialised; errno.
result<void> prepare_sqlite_file(const std::string& file, bool create);

/// Makes an empty database geogridd's where `create` asks, and puts it into WAL mode. Changes nothing in
/// another program's. Errors: errc::not_initialised, foreign, not_supported; see sqlite_error().
result<void> adopt_sqlite_database(SqliteConnection& connection, const std::string& file, bool create);

}  // namespace geogrid
