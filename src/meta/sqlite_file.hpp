#pragma once
// The database file: made with the right mode, and known to be geogridd's before anything is changed in it.

#include <string>

#include "meta/sqlite_connection.hpp"

namespace geogrid {

/// Checks that the file exists, or makes it, with mode 0600 (which SQLite gives to -wal and -shm too), where
/// `create` asks. Errors: errc::not_initialised; errno.
result<void> prepare_sqlite_file(const std::string& file, bool create);

/// Makes all that was committed power-safe, by whichever connection, whatever `synchronous` says: a commit is
/// in the log or, after a checkpoint, in a database that was synced. Blocking; beside the connections, which
/// hold no locks on the log's own file (SQLite's are in -shm).
result<void> sync_sqlite_log(const std::string& log_file);

/// Makes an empty database geogridd's where `create` asks, and puts it into WAL mode. Changes nothing in
/// another program's. Errors: errc::not_initialised, foreign, not_supported; see sqlite_error().
result<void> adopt_sqlite_database(SqliteConnection& connection, const std::string& file, bool create);

}  // namespace geogrid
