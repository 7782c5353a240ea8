#include "meta/mariadb_error.hpp"

#include <errmsg.h>
#include <mysqld_error.h>

#include "base/path.hpp"

namespace geogrid {
namespace {

struct Meaning {
  errc code;
  std::string_view hint;
};

Meaning meaning_of(unsigned number) {
  switch (number) {
    case ER_DUP_ENTRY:
    case ER_DUP_ENTRY_WITH_KEY_NAME:
      return {errc::already_exists, ""};
    case ER_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
      return {errc::unavailable, "check the user in metadata.url and the password in metadata.password_file"};
    case ER_DBACCESS_DENIED_ERROR:
      return {errc::unavailable,
              "grant the user all rights on the database, or correct its name in metadata.url"};
    case ER_TABLEACCESS_DENIED_ERROR:
      return {errc::unavailable, "grant the user all rights on the database"};
    case ER_BAD_DB_ERROR:
      return {errc::unavailable, "create the database on the server, or correct its name in metadata.url"};
    case ER_HOST_NOT_PRIVILEGED:
    case ER_HOST_IS_BLOCKED:
      return {errc::unavailable, "let this machine connect to the server (CREATE USER …@host, FLUSH HOSTS)"};
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
      return {errc::unavailable, "raise max_connections on the server, or lower the pool's size"};
    case ER_UNKNOWN_COM_ERROR:
      return {errc::unavailable, "the server is not (or not yet) part of its cluster's primary component"};
    case CR_UNKNOWN_HOST:
    case CR_CONN_HOST_ERROR:
    case CR_CONNECTION_ERROR:
      return {errc::unavailable, "check that the server runs and that metadata.url names its host and port"};
    case CR_SSL_CONNECTION_ERROR:
      return {errc::unavailable, "check metadata.tls.ca and the server's certificate"};
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
      return {errc::low_space, "the database server's disk is full"};
    case ER_STATEMENT_TIMEOUT:
      return {errc::timed_out, ""};
    default:
      break;
  }
  switch (mariadb_trouble(number)) {
    case MariadbTrouble::again:
      return {errc::busy, ""};
    case MariadbTrouble::lost:
      return {errc::unavailable, ""};
    case MariadbTrouble::none:
      break;
  }
  return {errc::internal, ""};
}

}  // namespace

MariadbTrouble mariadb_trouble(unsigned number) noexcept {
  switch (number) {
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_CHECKREAD:  // innodb_snapshot_isolation: a row changed since the snapshot
    case ER_XA_RBDEADLOCK:
    case ER_QUERY_INTERRUPTED:  // KILL QUERY; Galera's way to abort a local transaction
      return MariadbTrouble::again;
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_CONN_HOST_ERROR:
    case CR_CONNECTION_ERROR:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_MALFORMED_PACKET:
    case CR_ERR_NET_READ:
    case CR_ERR_NET_WRITE:
    case CR_STMT_CLOSED:
    case CR_COMMANDS_OUT_OF_SYNC:  // a call before this one was broken off
    case ER_SERVER_SHUTDOWN:
    case ER_NORMAL_SHUTDOWN:
    case ER_CONNECTION_KILLED:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
    case ER_UNKNOWN_COM_ERROR:          // Galera: "has not yet prepared node for application use"
    case ER_OPTION_PREVENTS_STATEMENT:  // --read-only: this host is no longer the primary
      return MariadbTrouble::lost;
    default:
      return MariadbTrouble::none;
  }
}

bool mariadb_refusal_is_final(unsigned number) noexcept {
  switch (number) {
    case ER_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_BAD_DB_ERROR:
    case ER_HOST_NOT_PRIVILEGED:
    case CR_SSL_CONNECTION_ERROR:
      return true;
    default:
      return false;
  }
}

Error mariadb_error(unsigned number, std::string_view text, std::string_view action) {
  const Meaning meaning = meaning_of(number);
  const std::string shown = printable(text);
  if (meaning.hint.empty()) return fail(meaning.code, "{}: {} (MariaDB {})", action, shown, number);
  return fail(meaning.code, "{}: {} (MariaDB {}); {}", action, shown, number, meaning.hint);
}

}  // namespace geogrid
