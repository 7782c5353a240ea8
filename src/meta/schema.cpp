#include "meta/schema.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/path.hpp"
#include "meta/sql_text.hpp"

namespace geogrid {
namespace {

constexpr std::string_view kProgram = "geogridd";

using Facts = std::map<std::string, std::string, std::less<>>;

task<result<std::set<std::string>>> table_names(SqlConnection& connection, SqlDialect dialect) {
  std::set<std::string> names;
  const OnRow keep = [&](const SqlRow& row) { names.emplace(row.bytes(0)); };
  const std::string_view sql =
      dialect == SqlDialect::sqlite
          ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
          : "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()";
  GG_CO_CHECK(co_await connection.run(sql, std::span<const SqlValue>(), keep));
  co_return names;
}

// The statements' own list, so that it cannot fall behind them.
std::set<std::string> our_tables(SqlDialect dialect) {
  constexpr std::string_view kCreate = "CREATE TABLE IF NOT EXISTS ";
  std::set<std::string> names;
  for (const SchemaStep& step : schema_steps(dialect))
    for (const std::string& statement : step.statements)
      if (statement.starts_with(kCreate))
        names.insert(statement.substr(kCreate.size(), statement.find(' ', kCreate.size()) - kCreate.size()));
  return names;
}

bool are_ours(const Facts& facts) {
  const std::set<std::string_view> ours{"tree lock", "node lock", "pruned", "uuid",
                                        "cluster",   "schema",    "program"};
  return std::all_of(facts.begin(), facts.end(), [&](const auto& fact) { return ours.contains(fact.first); });
}

task<result<Facts>> read_facts(SqlConnection& connection) {
  Facts facts;
  const OnRow keep = [&](const SqlRow& row) { facts.emplace(row.bytes(0), row.bytes(1)); };
  GG_CO_CHECK(co_await connection.run("SELECT name, value FROM meta", std::span<const SqlValue>(), keep));
  co_return facts;
}

task<result<StoreContents>> inspect(SqlConnection& connection, SqlDialect dialect) {
  GG_CO_TRY(const std::set<std::string> tables, co_await table_names(connection, dialect));
  StoreContents contents;
  const std::set<std::string> ours = our_tables(dialect);
  const bool only_ours = std::includes(ours.begin(), ours.end(), tables.begin(), tables.end());
  if (!tables.contains("meta")) {
    contents.empty = tables.empty();
    co_return contents;
  }
  result<Facts> facts = co_await read_facts(connection);
  if (!facts && facts.error().is(errc::unavailable)) co_return facts.error();
  if (!facts) co_return contents;  // a table of that name with other columns
  // Who it belongs to is written last: without that, an init was cut off (MariaDB cannot undo the tables).
  const bool belongs = facts->contains("program");
  contents.empty = !belongs && only_ours && are_ours(*facts);
  if (!belongs || (*facts)["program"] != kProgram) co_return contents;
  const std::string& schema = (*facts)["schema"];
  ClusterInfo cluster{(*facts)["cluster"], (*facts)["uuid"], 0};
  std::from_chars(schema.data(), schema.data() + schema.size(), cluster.schema);
  contents.cluster = std::move(cluster);
  co_return contents;
}

task<result<void>> apply(SqlConnection& connection, SqlDialect dialect, const SchemaStep& step) {
  for (const std::string& statement : step.statements) {
    const std::string text = in_dialect(dialect, statement);
    if (auto done = co_await connection.run(text, std::span<const SqlValue>(), OnRow()); !done)
      co_return done.error().within(fmt::format("schema step {}", step.version));
  }
  co_return result<void>();
}

task<result<void>> put_fact(SqlConnection& connection, std::string_view name, std::string value) {
  const SqlValue values[] = {to_sql(name), to_sql(value)};
  GG_CO_CHECK(co_await connection.run("REPLACE INTO meta (name, value) VALUES (?,?)", values, OnRow()));
  co_return result<void>();
}

// The root, and rows that exist only to be locked.
task<result<void>> put_first_rows(SqlConnection& connection, SqlDialect dialect) {
  const std::string root = in_dialect(dialect, R"(REPLACE INTO inode (id, parent, name, type, mode, uid, gid,
    atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns, size, rdev, subfolders, moved, link_target, state, version,
    digest_algorithm, digest, class, replica_target, backup_target, replicas, replica_count, older, backups, backup_count)
    VALUES (1, 1, x'', 1, 493, 0, 0, @now@, 0, @now@, 0, @now@, 0, 0, 0, 0, 0, x'', 1, 0, 0, x'', x'', 0, 0, 0, 0, 0, 0, 0))");
  GG_CO_CHECK(co_await connection.run(root, std::span<const SqlValue>(), OnRow()));
  GG_CO_CHECK(co_await put_fact(connection, "tree lock", ""));
  co_return co_await put_fact(connection, "node lock", "");
}

task<result<void>> create(SqlConnection& connection, SqlDialect dialect, std::vector<SchemaStep> steps,
                          ClusterInfo cluster) {
  GG_CO_TRY(const StoreContents now, co_await inspect(connection, dialect));
  if (!now.empty) co_return result<void>();
  for (const SchemaStep& step : steps) GG_CO_CHECK(co_await apply(connection, dialect, step));
  GG_CO_CHECK(co_await put_first_rows(connection, dialect));
  GG_CO_CHECK(co_await put_fact(connection, "pruned", "0"));
  GG_CO_CHECK(co_await put_fact(connection, "uuid", cluster.uuid));
  GG_CO_CHECK(co_await put_fact(connection, "cluster", cluster.name));
  GG_CO_CHECK(co_await put_fact(connection, "schema", fmt::format("{}", steps.back().version)));
  co_return co_await put_fact(connection, "program", std::string(kProgram));
}

task<result<void>> migrate(SqlConnection& connection, SqlDialect dialect, SchemaStep step) {
  GG_CO_TRY(const StoreContents now, co_await inspect(connection, dialect));
  if (!now.cluster || now.cluster->schema != step.version - 1) co_return result<void>();
  GG_CO_CHECK(co_await apply(connection, dialect, step));
  co_return co_await put_fact(connection, "schema", fmt::format("{}", step.version));
}

// MariaDB's statements of a schema end any transaction, so that a lock of the server's has to keep processes
// apart.
using SchemaChange = std::function<task<result<void>>(SqlConnection&)>;
task<result<void>> alone(SqlConnection& connection, SqlDialect dialect, SchemaChange change) {
  if (dialect == SqlDialect::sqlite) co_return co_await change(connection);
  bool locked = false;
  const OnRow keep = [&](const SqlRow& row) { locked = row.integer(0) == 1; };
  GG_CO_CHECK(co_await connection.run("SELECT GET_LOCK(CONCAT(DATABASE(), '.geogrid schema'), 30)",
                                      std::span<const SqlValue>(), keep));
  if (!locked) co_return fail(errc::unavailable, "another geogridd is changing the schema for too long");
  result<void> changed = co_await change(connection);
  GG_CO_CHECK(co_await connection.run("SELECT RELEASE_LOCK(CONCAT(DATABASE(), '.geogrid schema'))",
                                      std::span<const SqlValue>(), OnRow()));
  co_return changed;
}

}  // namespace

task<result<StoreContents>> inspect_store(SqlDriver& driver) {
  auto contents = std::make_shared<StoreContents>();
  const SqlDialect dialect = driver.dialect();
  using Work = task<result<void>> (*)(SqlConnection&, SqlDialect, std::shared_ptr<StoreContents>);
  const Work work = [](SqlConnection& connection, SqlDialect d,
                       std::shared_ptr<StoreContents> out) -> task<result<void>> {
    GG_CO_TRY(*out, co_await inspect(connection, d));
    co_return result<void>();
  };
  SqlBody body = [=](SqlConnection& connection) { return work(connection, dialect, contents); };
  GG_CO_CHECK(co_await driver.read(std::move(body)));
  co_return *contents;
}

task<result<void>> create_schema(SqlDriver& driver, std::vector<SchemaStep> steps, ClusterInfo cluster) {
  const SqlDialect dialect = driver.dialect();
  const SchemaChange change = [=](SqlConnection& connection) {
    return create(connection, dialect, steps, cluster);
  };
  SqlBody body = [=](SqlConnection& connection) { return alone(connection, dialect, change); };
  co_return co_await driver.transact({.durable = true}, std::move(body));
}

task<result<void>> migrate_schema(SqlDriver& driver, std::vector<SchemaStep> steps) {
  GG_CO_TRY(const StoreContents contents, co_await inspect_store(driver));
  if (!contents.cluster) co_return fail(errc::internal, "no schema to bring forward");
  const SqlDialect dialect = driver.dialect();
  for (const SchemaStep& step : steps) {
    if (step.version <= contents.cluster->schema) continue;
    const SchemaChange change = [=](SqlConnection& connection) { return migrate(connection, dialect, step); };
    SqlBody body = [=](SqlConnection& connection) { return alone(connection, dialect, change); };
    GG_CO_CHECK(co_await driver.transact({.durable = true}, std::move(body)));
  }
  co_return result<void>();
}

result<void> check_contents(const StoreContents& contents, const std::string& name, int newest,
                            const std::string& address) {
  if (contents.empty)
    return fail(errc::not_initialised, "the metadata store {} is empty: run `geogridd init` first", address);
  if (!contents.cluster)
    return fail(errc::foreign,
                "{} holds tables that are not geogridd's: name an empty database in metadata.url", address);
  if (contents.cluster->name != name)
    return fail(
        errc::foreign,
        "the metadata store {} belongs to the cluster '{}', but the configuration names '{}': correct "
        "`cluster` or `metadata.url`",
        address, printable(contents.cluster->name), printable(name));
  if (contents.cluster->schema > newest)
    return fail(
        errc::schema_too_new,
        "the metadata store {} has schema {}, and this geogridd knows schemas up to {}: update geogridd on "
        "this machine",
        address, contents.cluster->schema, newest);
  return result<void>();
}

}  // namespace geogrid
