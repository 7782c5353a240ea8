#pragma once
// The MariaDB driver: Connector/C's non-blocking calls on the event loop, a pool, several hosts.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "meta/mariadb_session.hpp"
#include "meta/sql.hpp"
#include "os/clock.hpp"

namespace geogrid {

struct MariadbDriverOptions {
  std::vector<MariadbTarget> targets;  ///< tried in this order
  unsigned connections = 4;
  std::string hint_sql;                              ///< what change_hint() asks: a SELECT of one integer
  std::chrono::milliseconds retry_for{10000};        ///< deadlocks, lost connections
  std::chrono::milliseconds acquire_timeout{30000};  ///< how long a free connection of the pool is waited for
  std::chrono::seconds script_timeout{
      3600};  ///< of execute_script(): a migration of a large table takes long
  Log log;
  Random* random = &system_random();
};

/// The table that `exactly_once` needs, as CREATE TABLE IF NOT EXISTS; the driver prunes it.
std::string_view operation_log_ddl();

/// Does not connect yet: the first call does, and fails at once (errc::unavailable, with what the operator
/// can do) if no server can be used. Once a server was reached, calls wait through an outage for retry_for;
/// while it lasts, later calls fail quickly.
///
/// All calls come from one loop. A body must not call the driver itself: the pool may be at its end. After
/// close(), run the loop until the calls in flight have returned before the loop goes away. With TLS the
/// process must ignore SIGPIPE.
///
/// Bytes are binary strings: columns are VARBINARY and BLOB. Affected rows of INSERT … ON DUPLICATE KEY
/// UPDATE are 1 for an insert, 2 for an update, 1 for an update that changed nothing. execute_script() takes
/// one statement.
std::unique_ptr<SqlDriver> make_mariadb_driver(MariadbDriverOptions options);

}  // namespace geogrid
