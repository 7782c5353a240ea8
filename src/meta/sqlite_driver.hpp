#pragma once
// The SQLite driver: one file, several processes of one machine.

#include <chrono>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "meta/sql.hpp"

namespace geogrid {

/// PRAGMA application_id of geogridd's databases ("geog"): tells them from other programs' (see file(1)).
inline constexpr std::int32_t kSqliteApplicationId = 0x67656f67;

struct SqliteDriverOptions {
  std::string file;
  bool create = false;  ///< make the file (mode 0600), and make an empty database geogridd's
  Log log;
  std::chrono::milliseconds retry_for{10000};  ///< how long locks of other processes are waited for
};

/// Opens the database; blocks for as long as the disk takes (a log left by a crash is read). Nothing is
/// changed in a database that is not geogridd's. While it is open, nothing else of this process may open the
/// file, since closing it would drop SQLite's POSIX locks; the exception is another driver.
///
/// Writes run on a thread of their own, reads on the calling loop, on a connection of their own; each
/// statement of a read sees what was committed before it. Bytes are BLOBs: see SqliteConnection.
///
/// Errors: errc::not_initialised (no file, or an empty one, and not `create`), foreign (no SQLite database,
/// or another program's), unavailable (cannot be written, locked for too long), not_supported (no WAL on that
/// file system), or errno where the file cannot be made.
result<std::unique_ptr<SqlDriver>> make_sqlite_driver(SqliteDriverOptions options);

}  // namespace geogrid
