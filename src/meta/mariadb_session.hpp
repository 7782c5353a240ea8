#pragma once
// Connecting to one MariaDB server: name lookup, handshake, session settings. Blocks.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"

struct st_mysql;

namespace geogrid {

struct MariadbTarget {
  std::string host;  ///< a name or an address; with a leading '/', the path of a Unix socket
  std::uint16_t port = 3306;
  std::string user;
  std::string password;  ///< never shown
  std::string database;
  std::string
      tls_ca;  ///< the file of the CA that must have signed the server's certificate; empty: no TLS asked for
  std::chrono::seconds connect_timeout{5};
  std::chrono::seconds statement_timeout{30};

  /// "host:port", safe to show.
  std::string str() const;
};

struct CloseMysql {
  void operator()(st_mysql* handle) const noexcept;
};
using MysqlHandle = std::unique_ptr<st_mysql, CloseMysql>;

struct OpenedSession {
  MysqlHandle handle;  ///< null if it failed
  Error error;
  bool final = false;  ///< trying again is of no use until a person changes something
};

/// For a thread that may block: for the system's DNS timeouts, then for connect_timeout, then for
/// statement_timeout. The session is strict, binary (bytes pass as they are), READ COMMITTED, UTC, counts
/// matched rows, gives up a statement after statement_timeout on the server too, and reads what its cluster
/// committed before (Galera).
OpenedSession open_mariadb_session(const MariadbTarget& target);

}  // namespace geogrid
