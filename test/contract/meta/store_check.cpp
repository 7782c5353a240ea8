// Below the store: a connection of the tests' own, and the checks that need one.

#include "meta/mariadb_driver.hpp"
#include "meta/sqlite_driver.hpp"
#include "policy/replication.hpp"
#include "store_fixture.hpp"

namespace geogrid::test {

std::unique_ptr<SqlDriver> StoreTest::open_driver(const StoreAddress& address) {
  if (address.embedded) {
    SqliteDriverOptions o;
    o.file = address.file;
    o.create = true;
    return make_sqlite_driver(o).value();
  }
  MariadbTarget target;
  target.host = address.hosts.at(0).name;
  target.port = address.hosts.at(0).port;
  target.user = address.user;
  target.password = address.password;
  target.database = address.database;
  MariadbDriverOptions o;
  o.targets.push_back(target);
  o.connections = 1;
  o.hint_sql = "SELECT 1";
  return make_mariadb_driver(o);
}

void StoreTest::sql(SqlDriver& driver, const std::string& statement, const OnRow& on_row) {
  using Statement = task<result<void>> (*)(SqlConnection&, const std::string&, const OnRow&);
  const Statement run_it = [](SqlConnection& connection, const std::string& text,
                              const OnRow& each) -> task<result<void>> {
    GG_CO_CHECK(co_await connection.run(text, std::span<const SqlValue>(), each));
    co_return result<void>();
  };
  SqlBody body = [&](SqlConnection& connection) { return run_it(connection, statement, on_row); };
  must(driver.transact({}, body));
}

namespace {

struct Row {
  std::int64_t parent = 0;
  bool folder = false;
  bool queued = false;
  NodeSet replicas;
  int target = 0;
  std::int64_t subfolders = 0;
};

NodeSet bits(const SqlRow& row, int column) {
  return NodeSet(static_cast<std::uint64_t>(row.integer(column)));
}

}  // namespace

void StoreTest::check_consistency() {
  const std::unique_ptr<SqlDriver> driver = open_driver();
  std::map<std::int64_t, Row> rows;
  sql(*driver,
      "SELECT "
      "id,parent,type,state,digest_algorithm,replicas,replica_count,backups,backup_count,replica_target,"
      "subfolders "
      "FROM inode",
      [&](const SqlRow& r) {
        Row row;
        row.parent = r.integer(1);
        row.folder = r.integer(2) == 1;
        row.replicas = bits(r, 5);
        row.target = static_cast<int>(r.integer(9));
        row.subfolders = r.integer(10);
        EXPECT_EQ(r.integer(6), row.replicas.size()) << r.integer(0);
        EXPECT_EQ(r.integer(8), bits(r, 7).size()) << r.integer(0);
        row.queued =
            r.integer(2) == 2 && r.integer(3) == 1 && r.integer(4) != 0 && row.replicas.size() < row.target;
        rows.emplace(r.integer(0), row);
      });
  std::map<std::int64_t, std::int64_t> subfolders;
  for (const auto& [id, row] : rows)
    if (row.folder && id != 1) ++subfolders[row.parent];
  for (const auto& [id, row] : rows) {
    EXPECT_TRUE(rows.contains(row.parent)) << id << " hangs in the air";
    EXPECT_EQ(row.subfolders, row.folder ? subfolders[id] : 0) << id;
  }

  std::vector<PlacementNode> nodes;
  for (const NodeRecord& record : must(store().nodes(NodeKind::storage))) {
    PlacementNode node;
    node.index = record.index;
    node.takes_copies = record.takes_copies();
    node.zone = record.zone;
    node.weight = record.weight;
    if (record.state != NodeState::retired) nodes.push_back(node);
  }
  std::map<std::int64_t, std::set<std::int64_t>> work;
  std::map<std::int64_t, std::set<std::int64_t>> expected;
  sql(*driver, "SELECT file, node, urgency FROM work", [&](const SqlRow& r) {
    EXPECT_TRUE(work[r.integer(0)].insert(r.integer(1)).second) << r.integer(0) << " is queued twice";
    const Row& row = rows[r.integer(0)];
    EXPECT_EQ(r.integer(2), repair_urgency(row.replicas.size(), row.target));
  });
  for (const auto& [id, row] : rows) {
    if (!row.queued) continue;
    const NodeSet able = row.replicas.empty() ? NodeSet() : helpers(nodes, row.replicas);
    for (const NodeIndex node : able) expected[id].insert(node.value);
    if (able.empty()) expected[id].insert(kMaxNodes);
  }
  EXPECT_EQ(work, expected);

  std::set<std::pair<std::int64_t, std::int64_t>> owed;
  std::set<std::pair<std::int64_t, std::int64_t>> owed_by_sets;
  sql(*driver, "SELECT node, intent FROM owed",
      [&](const SqlRow& r) { owed.emplace(r.integer(0), r.integer(1)); });
  sql(*driver, "SELECT id, owed FROM intent", [&](const SqlRow& r) {
    EXPECT_FALSE(bits(r, 1).empty());
    for (const NodeIndex node : bits(r, 1)) owed_by_sets.emplace(node.value, r.integer(0));
  });
  EXPECT_EQ(owed, owed_by_sets);
  std::set<std::int64_t> pending_digests;
  sql(*driver, "SELECT id FROM inode WHERE type = 2 AND state = 1 AND digest_algorithm = 0",
      [&](const SqlRow& r) { pending_digests.insert(r.integer(0)); });
  std::set<std::int64_t> unhashed;
  sql(*driver, "SELECT file FROM unhashed", [&](const SqlRow& r) { unhashed.insert(r.integer(0)); });
  EXPECT_EQ(unhashed, pending_digests);
  for (const char* table : {"claim", "lease", "proved_file"})
    sql(*driver, std::string("SELECT file FROM ") + table, [&](const SqlRow& r) {
      if (r.integer(0) == 0 && std::string(table) == "lease") return;  // an owner that lives
      EXPECT_TRUE(rows.contains(r.integer(0))) << table << " of a file that is gone: " << r.integer(0);
    });
  driver->close();
}

}  // namespace geogrid::test
