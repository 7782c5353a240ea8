#include <fmt/format.h>

#include "meta/mariadb_driver.hpp"
#include "meta/schema.hpp"

namespace geogrid {
namespace {

// Sets of nodes are 64 bits in a signed integer. Ids, versions and counters fit 63. Times are seconds since
// 1970.
const char* const kMeta =
    "CREATE TABLE IF NOT EXISTS meta (name @name@, value @bytes@, PRIMARY KEY (name)) @keyed@";

const char* const kInode = R"(CREATE TABLE IF NOT EXISTS inode (
  id @id@, parent @int@, name @name@, type @small@,
  mode @uint32@, uid @uint32@, gid @uint32@,
  atime @int@, atime_ns @uint32@, mtime @int@, mtime_ns @uint32@, ctime @int@, ctime_ns @uint32@,
  size @int@, rdev @int@, subfolders @uint32@, moved @int@, link_target @bytes@,
  state @small@, version @int@, digest_algorithm @small@, digest @hash@,
  class @name@, replica_target @small@, backup_target @small@,
  replicas @int@, replica_count @small@, older @int@, backups @int@, backup_count @small@,
  UNIQUE (parent, name)) @rows@)";

const char* const kNode = R"(CREATE TABLE IF NOT EXISTS node (
  kind @small@, number @small@, name @name@, state @small@, zone @name@, weight_millionths @int@, volume_uuid @name@,
  first_walk @nullint@, PRIMARY KEY (kind, number), UNIQUE (kind, name)) @keyed@)";

const char* const kHeartbeat = R"(CREATE TABLE IF NOT EXISTS heartbeat (
  kind @small@, number @small@, at @int@, free_bytes @int@, total_bytes @int@, PRIMARY KEY (kind, number)) @keyed@)";

const char* const kWork = R"(CREATE TABLE IF NOT EXISTS work (
  node @small@, retry_at @int@, urgency @int@, file @int@, attempts @int@,
  PRIMARY KEY (node, retry_at, urgency, file)) @keyed@)";

const char* const kClaim = R"(CREATE TABLE IF NOT EXISTS claim (
  file @int@, node @small@, version @int@, owner @int@, expires @int@, PRIMARY KEY (file, node)) @keyed@)";

const char* const kLease = R"(CREATE TABLE IF NOT EXISTS lease (
  file @int@, owner @int@, expires @int@, PRIMARY KEY (file, owner)) @keyed@)";

const char* const kIntent = R"(CREATE TABLE IF NOT EXISTS intent (
  id @id@, kind @small@, inode @int@, path @bytes@, path_key @hash@, new_path @bytes@, new_path_key @nullhash@,
  at @int@, at_ns @uint32@, owed @int@) @rows@)";

const char* const kOwed =
    "CREATE TABLE IF NOT EXISTS owed (node @small@, intent @int@, PRIMARY KEY (node, intent)) @keyed@";

const char* const kChangelog = R"(CREATE TABLE IF NOT EXISTS changelog (
  id @id@, at @int@ DEFAULT (@now@), origin @int@, kind @small@, inode @int@, parent @int@, name @name@,
  new_parent @int@, new_name @name@, gone_from @nullint@) @rows@)";

const char* const kProvedFolder = R"(CREATE TABLE IF NOT EXISTS proved_folder (
  node @small@, folder @int@, at @int@, PRIMARY KEY (folder, node)) @keyed@)";

const char* const kProvedFile = R"(CREATE TABLE IF NOT EXISTS proved_file (
  node @small@, file @int@, folder @int@, at @int@, PRIMARY KEY (file, node)) @keyed@)";

const char* const kFinding = R"(CREATE TABLE IF NOT EXISTS finding (
  node @small@, path_key @hash@, kind @small@, path @bytes@, detail @bytes@, first_seen @int@, last_seen @int@,
  PRIMARY KEY (node, path_key, kind)) @keyed@)";

const char* const kCheckpoint = R"(CREATE TABLE IF NOT EXISTS checkpoint (
  node @small@, name @name@, value @bytes@, PRIMARY KEY (node, name)) @keyed@)";

const char* const kJob = R"(CREATE TABLE IF NOT EXISTS job (
  id @id@, kind @small@, subject @int@, progress @int@, UNIQUE (kind, subject)) @rows@)";

// Only rows that took a name away are in it: InnoDB has no partial index, but keeps NULLs side by side.
const char* const kGone = "CREATE INDEX IF NOT EXISTS changelog_gone ON changelog (gone_from, id)";
const char* const kOnlyGone = " WHERE gone_from IS NOT NULL";

SchemaStep first_step(SqlDialect dialect) {
  SchemaStep step{1,
                  {kMeta,
                   kInode,
                   "CREATE INDEX IF NOT EXISTS inode_parent ON inode (parent, id)",
                   kNode,
                   kHeartbeat,
                   kWork,
                   "CREATE INDEX IF NOT EXISTS work_file ON work (file)",
                   kClaim,
                   "CREATE INDEX IF NOT EXISTS claim_node ON claim (node, file)",
                   kLease,
                   "CREATE INDEX IF NOT EXISTS lease_owner ON lease (owner)",
                   "CREATE INDEX IF NOT EXISTS lease_expires ON lease (expires)",
                   kIntent,
                   "CREATE INDEX IF NOT EXISTS intent_path ON intent (path_key)",
                   "CREATE INDEX IF NOT EXISTS intent_new_path ON intent (new_path_key)",
                   kOwed,
                   kChangelog,
                   kProvedFolder,
                   kProvedFile,
                   "CREATE INDEX IF NOT EXISTS proved_file_folder ON proved_file (folder, node)",
                   kFinding,
                   kCheckpoint,
                   kJob}};
  step.statements.push_back(std::string(kGone) + (dialect == SqlDialect::sqlite ? kOnlyGone : ""));
  if (dialect == SqlDialect::mariadb) step.statements.emplace_back(operation_log_ddl());
  return step;
}

const char* const kUnhashed = "CREATE TABLE IF NOT EXISTS unhashed (file @int@, PRIMARY KEY (file)) @keyed@";
const char* const kFindUnhashed =
    "INTO unhashed (file) SELECT id FROM inode WHERE type = 2 AND state = 1 AND digest_algorithm = 0";

// Writing: who carries out what is owed, what a writer withdrew and may replace, files without a digest.
SchemaStep second_step(SqlDialect dialect) {
  const bool sqlite = dialect == SqlDialect::sqlite;
  const auto column = [&](const char* table, const char* name) {
    return fmt::format("ALTER TABLE {} ADD COLUMN {} {} @int@ DEFAULT 0", table,
                       sqlite ? "" : "IF NOT EXISTS", name);
  };
  return {2,
          {column("owed", "taker"), column("owed", "taken_until"), column("lease", "version"),
           column("lease", "withdrawn"), column("lease", "asked"), kUnhashed,
           fmt::format("INSERT {} {}", sqlite ? "" : "IGNORE", kFindUnhashed)}};
}

}  // namespace

std::vector<SchemaStep> schema_steps(SqlDialect dialect) {
  return {first_step(dialect), second_step(dialect)};
}

}  // namespace geogrid
