#include "meta/mariadb_session.hpp"

#include <mysql.h>
#include <mysqld_error.h>

#include "base/path.hpp"
#include "meta/mariadb_error.hpp"

namespace geogrid {
namespace {

OpenedSession failed(MYSQL* handle, const MariadbTarget& target) {
  const unsigned number = mysql_errno(handle);
  Error error = mariadb_error(number, mysql_error(handle), "metadata server " + target.str());
  // Whatever the number, nothing was done yet: it is the server that cannot be used.
  if (!error.is(errc::unavailable)) error.code = make_error_code(errc::unavailable);
  return {.handle = nullptr, .error = std::move(error), .final = mariadb_refusal_is_final(number)};
}

void set_options(MYSQL* handle, const MariadbTarget& target) {
  const auto connect_seconds = static_cast<unsigned>(target.connect_timeout.count());
  const auto statement_seconds = static_cast<unsigned>(target.statement_timeout.count());
  mysql_optionsv(handle, MYSQL_OPT_NONBLOCK, nullptr);
  mysql_optionsv(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  mysql_optionsv(handle, MYSQL_OPT_READ_TIMEOUT, &statement_seconds);
  mysql_optionsv(handle, MYSQL_OPT_WRITE_TIMEOUT, &statement_seconds);
  mysql_optionsv(handle, MYSQL_SET_CHARSET_NAME, "binary");
  const my_bool no = 0;
  mysql_optionsv(handle, MYSQL_OPT_RECONNECT,
                 &no);  // which would lose the session's settings and transaction
  const my_bool verify = target.tls_ca.empty() ? 0 : 1;
  mysql_optionsv(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (verify) {
    mysql_optionsv(handle, MYSQL_OPT_SSL_CA, target.tls_ca.c_str());
    mysql_optionsv(handle, MYSQL_OPT_SSL_ENFORCE, &verify);
  }
}

bool dial(MYSQL* handle, const MariadbTarget& target) {
  const bool local = target.host.starts_with('/');
  // "localhost" would mean a Unix socket, whatever the port.
  const unsigned protocol = local ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_optionsv(handle, MYSQL_OPT_PROTOCOL, &protocol);
  return mysql_real_connect(handle, local ? nullptr : target.host.c_str(), target.user.c_str(),
                            target.password.c_str(), target.database.c_str(), target.port,
                            local ? target.host.c_str() : nullptr, CLIENT_FOUND_ROWS) != nullptr;
}

bool set_up(MYSQL* handle, const MariadbTarget& target) {
  const std::string settings = fmt::format(
      "SET NAMES binary, SESSION sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', SESSION "
      "time_zone='+00:00', "
      "SESSION autocommit=1, SESSION tx_isolation='READ-COMMITTED', SESSION max_statement_time={}",
      target.statement_timeout.count());
  if (mysql_real_query(handle, settings.data(), settings.size()) != 0) return false;
  // So that a read sees what another member of the cluster has committed. A server built without Galera does
  // not know it.
  static constexpr std::string_view kWait = "SET SESSION wsrep_sync_wait=1";
  return mysql_real_query(handle, kWait.data(), kWait.size()) == 0 ||
         mysql_errno(handle) == ER_UNKNOWN_SYSTEM_VARIABLE;
}

}  // namespace

std::string MariadbTarget::str() const {
  return host.starts_with('/') ? printable(host) : fmt::format("{}:{}", printable(host), port);
}

void CloseMysql::operator()(MYSQL* handle) const noexcept {
  mysql_close(handle);
}

OpenedSession open_mariadb_session(const MariadbTarget& target) {
  MysqlHandle handle(mysql_init(nullptr));
  if (!handle) return {.handle = nullptr, .error = fail(errc::unavailable, "out of memory"), .final = false};
  set_options(handle.get(), target);
  if (!dial(handle.get(), target) || !set_up(handle.get(), target)) return failed(handle.get(), target);
  return {.handle = std::move(handle), .error = {}, .final = false};
}

}  // namespace geogrid
