#pragma once
// MariaDB's error numbers as this project's errors.

#include <string_view>

#include "base/error.hpp"

namespace geogrid {

/// What an error means for the transaction that met it.
enum class MariadbTrouble {
  none,   ///< nothing: the statement is at fault
  again,  ///< a deadlock or a lock that was waited for in vain: the transaction is worth another try
  lost,   ///< the connection, or the server behind it, is of no use any more: another connection may do
};
MariadbTrouble mariadb_trouble(unsigned number) noexcept;

/// Whether a refused connection stays refused until a person changes something (password, grants, database
/// name).
bool mariadb_refusal_is_final(unsigned number) noexcept;

/// The error of a number (server: https://mariadb.com/kb/en/mariadb-error-codes/; client: errmsg.h), with the
/// server's text and, where the operator can do something, what. `action` says what was being done; it holds
/// no password.
Error mariadb_error(unsigned number, std::string_view text, std::string_view action);

}  // namespace geogrid
