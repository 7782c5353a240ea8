#pragma once
// The tables, and the way from any older schema to the present one. docs/metadata.md says what each table is
// for.

#include <optional>
#include <string>
#include <vector>

#include "meta/records.hpp"
#include "meta/sql.hpp"

namespace geogrid {

/// What turns schema `version - 1` into `version`. Statements may use the words of in_dialect(). MariaDB
/// commits each statement of a schema by itself, so each must be safe to run again after a crash (IF NOT
/// EXISTS).
struct SchemaStep {
  int version = 0;
  std::vector<std::string> statements;
};

/// The steps from nothing to the present, in order; versions count from 1.
std::vector<SchemaStep> schema_steps(SqlDialect dialect);

/// What is in a database.
struct StoreContents {
  bool empty = false;                  ///< nothing, or no more than the start of an `init` that was cut off
  std::optional<ClusterInfo> cluster;  ///< none, though not empty: somebody else's tables
};
task<result<StoreContents>> inspect_store(SqlDriver& driver);

/// Creates the schema and writes who it belongs to, unless another process has done so meanwhile. REQUIRES:
/// the store is empty.
task<result<void>> create_schema(SqlDriver& driver, std::vector<SchemaStep> steps, ClusterInfo cluster);

/// Brings a store forward, a transaction a step; several processes may do so at once. Nothing to do: does
/// nothing.
task<result<void>> migrate_schema(SqlDriver& driver, std::vector<SchemaStep> steps);

/// Whether this program may use what it found: the cluster's name is `name`, and the schema is no newer than
/// `newest`. Errors: errc::not_initialised, foreign, schema_too_new; each says what to do.
result<void> check_contents(const StoreContents& contents, const std::string& name, int newest,
                            const std::string& address);

}  // namespace geogrid
