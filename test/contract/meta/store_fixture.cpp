#include "store_fixture.hpp"

#include <cstdlib>
#include <filesystem>

#include "support/mariadb_server.hpp"

namespace geogrid::test {
namespace {

class SqliteBackend final : public StoreBackend {
 public:
  std::string name() const override { return "sqlite"; }
  StoreAddress make_database() override {
    std::string folder = (std::filesystem::temp_directory_path() / "geogrid-store-XXXXXX").string();
    if (!mkdtemp(folder.data())) throw std::runtime_error("mkdtemp failed");
    StoreAddress address;
    address.file = folder + "/metadata.db";
    return address;
  }
  void drop_database(const StoreAddress& address) override {
    std::filesystem::remove_all(std::filesystem::path(address.file).parent_path());
  }
};

class MariaDbBackend final : public StoreBackend {
 public:
  std::string name() const override { return "mariadb"; }
  StoreAddress make_database() override {
    MariaDbServer& server = MariaDbServer::shared();
    StoreAddress address;
    address.embedded = false;
    address.hosts.push_back({"127.0.0.1", server.port()});
    address.user = MariaDbServer::kUser;
    address.password = MariaDbServer::kPassword;
    address.database = server.create_database();
    return address;
  }
  void drop_database(const StoreAddress& address) override {
    MariaDbServer::shared().execute("DROP DATABASE `" + address.database + "`");
  }
};

}  // namespace

std::vector<std::shared_ptr<StoreBackend>> store_backends() {
  static const std::vector<std::shared_ptr<StoreBackend>> backends{std::make_shared<SqliteBackend>(),
                                                                   std::make_shared<MariaDbBackend>()};
  return backends;
}

StorageClasses default_classes() {
  return StorageClasses::make({{.name = "original", .match = "_original\\.jpg$", .replicas = 3, .backups = 2},
                               {.name = "temporary", .match = "^/tmp/", .replicas = 1, .backups = 0},
                               {.name = "others", .match = {}, .replicas = 2, .backups = 1}})
      .value();
}

void StoreTest::SetUp() {
  address_ = GetParam()->make_database();
  classes_ = std::make_shared<StorageClasses>(default_classes());
  InitialisedStore made = must(initialise_store(options()));
  ASSERT_TRUE(made.created);
  store_ = std::move(made.store);
}

void StoreTest::TearDown() {
  if (store_) store_->close();
  store_.reset();
  if (!address_.file.empty() || !address_.hosts.empty()) GetParam()->drop_database(address_);
}

StoreOptions StoreTest::options() const {
  StoreOptions o;
  o.address = address_;
  o.cluster = "test";
  o.classes = classes_;
  return o;
}

std::unique_ptr<MetadataStore> StoreTest::open_another() {
  return must(open_store(options()));
}

NodeIndex StoreTest::add_node(const std::string& name, bool empty_volume) {
  NewStorageNode node;
  node.name = name;
  node.volume_uuid = "uuid of " + name;
  node.empty_volume = empty_volume;
  return must(store().add_node(node)).index;
}

InodeId StoreTest::folder(InodeId parent, const std::string& name) {
  NewNode node;
  node.parent = parent;
  node.name = name;
  node.attributes.mode = 0755;
  return must(store().make_node(node)).id;
}

Inode StoreTest::create(InodeId parent, const std::string& name, LeaseOwner owner,
                        std::chrono::seconds lease) {
  NewFile file;
  file.parent = parent;
  file.name = name;
  file.owner = owner;
  file.lease = lease;
  file.exclusive = true;
  return must(store().create_file(file)).inode;
}

Publication StoreTest::publication(const Inode& base, const std::string& bytes, NodeSet replicas,
                                   LeaseOwner owner) {
  Publication p;
  p.id = base.id;
  p.owner = owner;
  p.base = base.version;
  p.path = must(store().path_of(base.id));
  p.size = bytes.size();
  p.digest = digest_of(bytes);
  p.mtime = time(500);
  p.ctime = time(600);
  p.replicas = replicas;
  return p;
}

void StoreTest::finish_all(NodeIndex node) {
  std::vector<IntentId> ids;
  for (const Intent& intent : owed(node)) ids.push_back(intent.id);
  must(store().finish_intents(node, ids));
}

std::vector<InodeId> StoreTest::found(NodeIndex node, InodeId folder, std::vector<FoundEntry> entries) {
  const ChangeId seen = must(store().latest_change());
  std::vector<InodeId> ids;
  for (const Registration& r : must(store().register_found(node, folder, seen, std::move(entries)))) {
    EXPECT_EQ(r.outcome, RegisterOutcome::registered);
    ids.push_back(r.id);
  }
  return ids;
}

InodeId StoreTest::found_file(NodeIndex node, InodeId folder, const std::string& name,
                              const std::string& content) {
  std::vector<FoundEntry> entries;
  entries.push_back(file_entry(name, content));
  return found(node, folder, std::move(entries)).at(0);
}

ClaimOutcome StoreTest::claim(NodeIndex node, const Inode& inode, const std::string& path,
                              const std::string& content) {
  CopyClaim claim;
  claim.id = inode.id;
  claim.version = inode.version;
  claim.path = *Path::parse(path);
  claim.size = content.size();
  claim.digest = digest_of(content);
  std::vector<CopyClaim> claims;
  claims.push_back(std::move(claim));
  return must(store().claim_copies(node, std::move(claims), false)).at(0);
}

std::vector<WorkItem> StoreTest::take(NodeIndex node, std::size_t limit, std::uint64_t owner) {
  return must(store().take_work(node, owner, limit, std::chrono::seconds(600)));
}

std::vector<Change> StoreTest::all_changes() {
  std::vector<Change> all;
  for (ChangeId after;;) {
    const std::vector<Change> page = must(store().changes_after(after, 1000));
    if (page.empty()) return all;
    after = page.back().id;
    all.insert(all.end(), page.begin(), page.end());
  }
}

void StoreTest::run_jobs() {
  for (int page = 0; must(store().run_jobs()); ++page) ASSERT_LT(page, 10000);
}

FoundEntry StoreTest::file_entry(const std::string& name, const std::string& content) {
  FoundEntry entry;
  entry.name = name;
  entry.attributes.mtime = time(1000);
  entry.size = content.size();
  entry.digest = digest_of(content);
  return entry;
}

FoundEntry StoreTest::folder_entry(const std::string& name) {
  FoundEntry entry;
  entry.name = name;
  entry.type = FileType::folder;
  entry.attributes.mode = 0755;
  return entry;
}

}  // namespace geogrid::test
