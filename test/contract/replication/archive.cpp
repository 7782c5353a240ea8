#include "archive.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "support/mariadb_server.hpp"

namespace geogrid::test {

namespace fs = std::filesystem;

Path path_of(std::string_view text) {
  return Path::parse(text).value();
}

StoreOptions Archive::store_options(const StoreAddress& address) {
  StoreOptions options;
  options.address = address;
  options.cluster = "test";
  options.classes = std::make_shared<const StorageClasses>(
      StorageClasses::make({{.name = "three", .match = "^/three/", .replicas = 3, .backups = 0},
                            {.name = "one", .match = "^/one/", .replicas = 1, .backups = 0},
                            {.name = "others", .match = {}, .replicas = 2, .backups = 0}})
          .value());
  return options;
}

Archive::Archive(const std::string& backend) {
  if (backend == "sqlite") {
    address.file = scratch.file("metadata.db");
  } else {
    MariaDbServer& server = MariaDbServer::shared();
    address.embedded = false;
    address.hosts = {{"127.0.0.1", server.port()}};
    address.user = MariaDbServer::kUser;
    address.password = MariaDbServer::kPassword;
    address.database = server.create_database();
  }
  store = std::move(must(initialise_store(store_options(address))).store);
}

Archive::~Archive() {
  if (store) store->close();
  nodes.clear();
  for (const std::string& root : mounted) umount2(root.c_str(), MNT_DETACH);
}

TestNode* Archive::add_small_disk(const std::string& name, std::uint64_t bytes) {
  const fs::path root = scratch.path() / name;
  fs::create_directory(root);
  if (mount("none", root.c_str(), "tmpfs", 0, ("size=" + std::to_string(bytes)).c_str()) != 0) return nullptr;
  mounted.push_back(root.string());
  return &add_node(name);
}

TestNode& Archive::add_node(const std::string& name, std::shared_ptr<Env> env) {
  TestNode node;
  node.name = name;
  node.root = scratch.path() / name;
  fs::create_directories(node.root);
  VolumeMarker marker{must(store->cluster()).uuid, "test", name, "uuid of " + name};
  const auto made = initialise_volume(node.root.string(), marker);
  if (!made) throw std::runtime_error(made.error().message);
  NewStorageNode registration;
  registration.name = name;
  registration.volume_uuid = made->marker.uuid;
  registration.empty_volume = true;
  const NodeRecord record = must(store->add_node(registration));
  must(store->heartbeat(record.index, std::uint64_t{1} << 40, std::uint64_t{1} << 41));
  node.index = record.index;
  LocalVolumeOptions options;
  options.root = node.root.string();
  options.node = name;
  options.env = std::move(env);
  node.volume = open_local_volume(options, made->marker);
  return nodes[name] = node;
}

void Archive::put(const TestNode& node, const std::string& path, const std::string& content,
                  std::int64_t mtime) {
  const fs::path file = node.root / path.substr(1);
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  if (!fs::exists(file)) throw std::runtime_error("could not write " + file.string());
  touch(node, path, mtime);
}

void Archive::touch(const TestNode& node, const std::string& path, std::int64_t mtime) {
  const timespec times[2] = {{mtime, 123456789}, {mtime, 123456789}};
  if (utimensat(AT_FDCWD, (node.root / path.substr(1)).c_str(), times, 0) != 0)
    throw std::runtime_error("utimensat: " + path);
}

bool Archive::exists(const TestNode& node, const std::string& path) const {
  return fs::exists(fs::symlink_status(node.root / path.substr(1)));
}

std::string Archive::content(const TestNode& node, const std::string& path) const {
  std::ifstream file(node.root / path.substr(1), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> Archive::files_on(const TestNode& node) const {
  std::vector<std::string> found;
  for (auto it = fs::recursive_directory_iterator(node.root); it != fs::recursive_directory_iterator();
       ++it) {
    if (it->path().filename() == ".geogrid" && it.depth() == 0)
      it.disable_recursion_pending();
    else if (it->is_regular_file())
      found.push_back("/" + fs::relative(it->path(), node.root).string());
  }
  std::ranges::sort(found);
  return found;
}

WalkOptions Archive::quick() {
  WalkOptions options;
  options.settle = std::chrono::milliseconds(0);
  return options;
}

WalkReport Archive::walk(const TestNode& node, WalkOptions options, std::shared_ptr<StopSignal> stop) {
  if (!stop) stop = std::make_shared<StopSignal>();
  return run(geogrid::walk(*store, node.node_volume(), std::move(options), std::move(stop), Log()));
}

ReplicateReport Archive::replicate(const TestNode& node, ReplicateOptions options,
                                   std::shared_ptr<StopSignal> stop) {
  if (!stop) stop = std::make_shared<StopSignal>();
  options.sources = volumes();
  const auto replicator = make_replicator(*store, node.node_volume(), std::move(options), Log());
  return run(replicator->run(std::move(stop)));
}

void Archive::replicate_all() {
  for (const auto& [name, node] : nodes) {
    const ReplicateReport report = replicate(node);
    EXPECT_TRUE(report.end) << report.end.error().message;
    EXPECT_EQ(report.failed, 0U) << name;
  }
}

VerifyReport Archive::verify_all(bool deep) {
  VerifyOptions options;
  options.deep = deep;
  return run(verify(*store, volumes(), std::move(options), std::make_shared<StopSignal>(), Log()));
}

bool Archive::known(const std::string& path) {
  const auto inode = run(store->resolve(path_of(path)));
  return inode.has_value();
}

std::vector<NodeVolume> Archive::volumes() const {
  std::vector<NodeVolume> all;
  for (const auto& [name, node] : nodes) all.push_back(node.node_volume());
  return all;
}

std::map<std::string, Inode> Archive::all_files() {
  std::map<std::string, Inode> files;
  std::vector<std::pair<Path, InodeId>> folders{{Path(), kRootInode}};
  while (!folders.empty()) {
    const auto [path, id] = folders.back();
    folders.pop_back();
    for (const Inode& inode : must(store->list(id, InodeId{}, 100'000))) {
      if (inode.is_folder()) folders.emplace_back(path.child(inode.name), inode.id);
      if (inode.is_file()) files.emplace(path.child(inode.name).str(), inode);
    }
  }
  return files;
}

void Archive::expect_sound() {
  std::map<NodeIndex, std::uint64_t> files, bytes;
  std::uint64_t under = 0;
  for (const auto& [path, inode] : all_files()) {
    for (const NodeIndex holder : inode.replicas) {
      ++files[holder];
      bytes[holder] += inode.size;
    }
    if (inode.replicas.size() < inode.replica_target) ++under;
  }
  for (const NodeTotals& totals : must(store->totals()).nodes) {
    EXPECT_EQ(totals.files, files[totals.node]);
    EXPECT_EQ(totals.bytes, bytes[totals.node]);
  }
  EXPECT_EQ(must(store->queue_summary()).files, under);
  const VerifyReport report = verify_all();
  EXPECT_TRUE(report.end);
  for (const VerifyProblem& problem : report.problems)
    if (problem.kind != VerifyKind::unknown && problem.kind != VerifyKind::uncounted)
      ADD_FAILURE() << name_of(problem.kind) << " on node " << int{problem.node.value} << ": "
                    << printable(problem.path.str()) << ": " << problem.detail;
  for (const auto& [name, node] : nodes) EXPECT_TRUE(fs::is_empty(node.root / ".geogrid/tmp")) << name;
}

std::vector<std::string> archive_backends() {
  std::vector<std::string> backends{"sqlite"};
  for (const char* server : {"/usr/sbin/mariadbd", "/usr/sbin/mysqld"})
    if (access(server, X_OK) == 0) {
      backends.emplace_back("mariadb");
      break;
    }
  return backends;
}

void ArchiveTest::SetUp() {
  archive = std::make_unique<Archive>(GetParam());
}

std::map<std::string, std::string> fill_randomly(Archive& archive, const std::vector<std::string>& nodes,
                                                 unsigned seed, std::size_t files) {
  std::mt19937 random(seed);
  const std::vector<std::string> folders{"/",       "/a/",         "/a/b c/", "/a/\xff\xfe/",
                                         "/three/", "/three/x/y/", "/one/",   "/z\n/"};
  const std::vector<std::string> odd{"new\nline", "quote'\"", "\xc3\x28 bad",       "-rf",
                                     "* ?",       "\\x41",    std::string(255, 'n')};
  std::map<std::string, std::string> expected;
  for (std::size_t i = 0; i < files; ++i) {
    std::string name =
        random() % 10 == 0 ? odd[random() % odd.size()] : "photo_" + std::to_string(i) + ".jpg";
    const std::string path = folders[random() % folders.size()] + name;
    if (expected.contains(path)) continue;
    std::string bytes(random() % 50 == 0 ? 1'500'000 + random() % 1'000'000 : random() % 5000, 'x');
    for (std::size_t at = 0; at < bytes.size(); at += 97) bytes[at] = static_cast<char>(random());
    const std::size_t holders = 1 + random() % std::min<std::size_t>(2, nodes.size());
    for (std::size_t h = 0; h < holders; ++h)
      archive.put(archive.node(nodes[(i + h) % nodes.size()]), path, bytes,
                  1375696800 + static_cast<std::int64_t>(h));
    expected.emplace(path, std::move(bytes));
  }
  return expected;
}

}  // namespace geogrid::test
