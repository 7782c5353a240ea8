// Whose store it is, and of which schema.

#include "meta/schema.hpp"
#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

class Open : public StoreTest {
 protected:
  void TearDown() override {
    if (extra_) GetParam()->drop_database(*extra_);
    StoreTest::TearDown();
  }
  StoreOptions empty_database() {
    extra_ = GetParam()->make_database();
    StoreOptions o = options();
    o.address = *extra_;
    return o;
  }
  void set_fact(const std::string& name, const std::string& value) {
    const auto driver = open_driver();
    sql(*driver,
        fmt::format("UPDATE meta SET value = x'{}' WHERE name = x'{}'", to_hex(value), to_hex(name)));
    driver->close();
  }
  Error failure_to_open(StoreOptions o) {
    auto opened = run(open_store(std::move(o)));
    return opened ? Error() : opened.error();
  }
  std::optional<StoreAddress> extra_;
};
GG_STORE_SUITE(Open);

TEST_P(Open, AStoreThatWasInitialisedOpens) {
  const auto again = open_another();
  const ClusterInfo cluster = must(again->cluster());
  EXPECT_EQ(cluster.name, "test");
  EXPECT_EQ(cluster.uuid.size(), 36U);
  EXPECT_GE(cluster.schema, 1);
  EXPECT_EQ(cluster.uuid, must(store().cluster()).uuid);
  again->close();
}

TEST_P(Open, InitialisingTwiceChangesNothing) {
  folder(kRootInode, "kept");
  InitialisedStore again = must(initialise_store(options()));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(must(again.store->cluster()).uuid, must(store().cluster()).uuid);
  EXPECT_TRUE(must(again.store->lookup(kRootInode, "kept")));
  again.store->close();
}

TEST_P(Open, OfManyThatInitialiseAtOnceOneDoes) {
  const StoreOptions o = empty_database();
  std::vector<task<result<InitialisedStore>>> inits;
  for (int i = 0; i < 3; ++i) inits.push_back(initialise_store(o));
  int created = 0;
  std::set<std::string> uuids;
  for (auto& done : run_all(std::move(inits))) {
    ASSERT_TRUE(done) << done.error().message;
    created += done->created ? 1 : 0;
    uuids.insert(must(done->store->cluster()).uuid);
    done->store->close();
  }
  EXPECT_EQ(created, 1);
  EXPECT_EQ(uuids.size(), 1U);
}

TEST_P(Open, AnEmptyDatabaseIsNotInitialised) {
  const Error error = failure_to_open(empty_database());
  EXPECT_TRUE(error.is(errc::not_initialised)) << error.message;
  EXPECT_NE(error.message.find("geogridd init"), std::string::npos);
}

TEST_P(Open, AnotherClustersStoreIsForeign) {
  StoreOptions o = options();
  o.cluster = "other";
  EXPECT_TRUE(failure_to_open(o).is(errc::foreign));
  const auto initialised = run(initialise_store(o));
  ASSERT_FALSE(initialised);
  EXPECT_TRUE(initialised.error().is(errc::foreign));
}

TEST_P(Open, ANewerSchemaIsRefused) {
  set_fact("schema", "999");
  const Error error = failure_to_open(options());
  EXPECT_TRUE(error.is(errc::schema_too_new)) << error.message;
  EXPECT_NE(error.message.find("999"), std::string::npos);
}

TEST_P(Open, SomebodyElsesTablesAreForeign) {
  set_fact("program", "wordpress");
  EXPECT_TRUE(failure_to_open(options()).is(errc::foreign));
}

TEST_P(Open, OlderSchemasComeForwardByThemselves) {
  const auto driver = open_driver();
  std::vector<SchemaStep> steps = schema_steps(driver->dialect());
  const int newest = steps.back().version;
  steps.push_back({newest + 1, {"CREATE TABLE IF NOT EXISTS new_table (a @int@, b @bytes@) @rows@"}});
  steps.push_back({newest + 2, {"INSERT INTO new_table (a, b) VALUES (5, x'00ff')"}});
  folder(kRootInode, "kept");
  must(migrate_schema(*driver, steps));
  must(migrate_schema(*driver, steps));
  int rows = 0;
  sql(*driver, "SELECT a, b FROM new_table", [&](const SqlRow& row) {
    ++rows;
    EXPECT_EQ(row.integer(0), 5);
    EXPECT_EQ(row.bytes(1), std::string_view("\0\xff", 2));
  });
  EXPECT_EQ(rows, 1) << "a step is taken once";
  driver->close();
  EXPECT_TRUE(failure_to_open(options()).is(errc::schema_too_new));
  EXPECT_EQ(must(store().resolve(*Path::parse("/kept"))).name, "kept");
}

// As a store was before anybody could write through a mount.
TEST_P(Open, TheFirstSchemaComesForwardWithAllThatIsInIt) {
  const StoreOptions o = empty_database();
  const auto driver = open_driver(o.address);
  std::vector<SchemaStep> steps = schema_steps(driver->dialect());
  steps.resize(1);
  must(create_schema(*driver, steps, {"test", "00000000-0000-0000-0000-000000000000", 0}));
  const auto put_file = [&](int id, int algorithm) {
    sql(*driver,
        fmt::format("INSERT INTO inode (id, parent, name, type, mode, uid, gid, atime, atime_ns, mtime, "
                    "mtime_ns, ctime, ctime_ns, size, rdev, subfolders, moved, link_target, state, version, "
                    "digest_algorithm, digest, class, replica_target, backup_target, replicas, "
                    "replica_count, older, backups, backup_count) VALUES "
                    "({0}, 1, x'6{0}', 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, x'', 1, 1, {1}, x'', "
                    "x'6f74686572', 2, 0, 1, 1, 0, 0, 0)",
                    id, algorithm));
  };
  put_file(2, 0);
  put_file(3, 1);
  sql(*driver,
      "INSERT INTO intent (kind,inode,path,path_key,new_path,new_path_key,at,at_ns,owed) VALUES "
      "(1, 9, x'2f61', x'00', x'', NULL, 5, 0, 1)");
  sql(*driver, "INSERT INTO owed (node, intent) VALUES (0, 1)");
  sql(*driver, "INSERT INTO lease (file, owner, expires) VALUES (2, 5, 99999999999)");
  driver->close();

  const auto opened = must(open_store(o));
  EXPECT_EQ(must(opened->cluster()).schema, 2);
  const auto unhashed = must(opened->unhashed(NodeIndex(0), InodeId(), 10));
  ASSERT_EQ(unhashed.size(), 1U);
  EXPECT_EQ(unhashed[0].path.str(), "/b");
  const auto owed = must(opened->take_owed(NodeIndex(0), LeaseOwner(4), 10, std::chrono::seconds(60)));
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].path.str(), "/a");
  must(opened->cancel_publication(InodeId(2), LeaseOwner(5), NodeSet(1), Version(1)));
  opened->close();
}

TEST_P(Open, AStepThatFailsIsNotTaken) {
  const auto driver = open_driver();
  std::vector<SchemaStep> steps = schema_steps(driver->dialect());
  steps.push_back({steps.back().version + 1, {"CREATE TABLE nonsense ("}});
  EXPECT_FALSE(run(migrate_schema(*driver, steps)));
  driver->close();
  EXPECT_EQ(failure_to_open(options()).code, std::error_code());
}

TEST_P(Open, AddressesAreShownWithoutThePassword) {
  const std::string shown = address().str();
  EXPECT_TRUE(shown.starts_with(address().embedded ? "sqlite:/" : "mariadb://geogrid@127.0.0.1:")) << shown;
  EXPECT_TRUE(address().password.empty() || shown.find(address().password) == std::string::npos);
}

}  // namespace
}  // namespace geogrid::test
