#include "meta/mariadb_operations.hpp"

#include "meta/mariadb_driver.hpp"

namespace geogrid {
namespace {

constexpr std::uint64_t kPruneOwnEvery = 256;
constexpr std::uint64_t kPruneOldEvery = 4096;  // what processes left behind that ended

}  // namespace

std::string_view operation_log_ddl() {
  return "CREATE TABLE IF NOT EXISTS operation_log ("
         "origin BIGINT NOT NULL, number BIGINT NOT NULL, at DATETIME NOT NULL, "
         "PRIMARY KEY (origin, number), KEY by_time (at)) ENGINE=InnoDB";
}

task<result<void>> MariadbOperations::note(MariadbConnection& connection, std::int64_t number) {
  ++noted_;
  GG_CO_CHECK(
      co_await connection.run("INSERT INTO operation_log (origin, number, at) VALUES (?, ?, UTC_TIMESTAMP())",
                              bound(origin_, number)));
  co_return result<void>();
}

task<result<void>> MariadbOperations::prune(MariadbConnection& connection) {
  if (noted_ % kPruneOwnEvery == 0) {
    const std::int64_t lowest = in_use_.empty() ? next_ : *in_use_.begin();
    GG_CO_CHECK(co_await connection.run("DELETE FROM operation_log WHERE origin = ? AND number < ?",
                                        bound(origin_, lowest)));
  }
  if (noted_ % kPruneOldEvery == 1) {
    GG_CO_CHECK(co_await connection.run(
        "DELETE FROM operation_log WHERE at < UTC_TIMESTAMP() - INTERVAL 1 DAY ORDER BY at LIMIT 1000"));
  }
  co_return result<void>();
}

}  // namespace geogrid
