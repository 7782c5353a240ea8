#pragma once
// An archive for tests: a real store, real folders as volumes, and everything that is done to them from
// behind.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "meta/metadata_store.hpp"
#include "os/env.hpp"
#include "replication/replicator.hpp"
#include "replication/verifier.hpp"
#include "replication/walker.hpp"
#include "support/scratch.hpp"
#include "volume/volume.hpp"

namespace geogrid::test {

Path path_of(std::string_view text);

struct TestNode {
  std::string name;
  NodeIndex index;
  std::filesystem::path root;
  std::shared_ptr<Volume> volume;

  NodeVolume node_volume() const { return {index, volume}; }
};

/// A store on SQLite in a scratch folder, or on MariaDB. Classes: `/three/` has 3 copies, `/one/` 1, the
/// rest 2.
class Archive {
 public:
  explicit Archive(const std::string& backend);
  ~Archive();

  static StoreOptions store_options(const StoreAddress& address);

  template <typename T>
  T run(task<T> work) {
    return run_to_end(loop, std::move(work));
  }
  template <typename T>
  T must(task<result<T>> work) {
    result<T> done = run(std::move(work));
    if (!done) throw std::runtime_error("unexpected: " + done.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*done);
  }

  /// Runs the loop until it is true. (Database connections keep it busy for ever, so that run() alone would
  /// not return.)
  template <typename Condition>
  void run_until(Condition done) {
    loop.restart();
    while (!done()) loop.run_one();
  }

  /// A new folder that is a volume of this cluster, and registered.
  TestNode& add_node(const std::string& name, std::shared_ptr<Env> env = nullptr);
  /// The same on a disk of its own, of so many bytes; none where this process may not mount.
  TestNode* add_small_disk(const std::string& name, std::uint64_t bytes);
  TestNode& node(const std::string& name) { return nodes.at(name); }

  // ---- from behind ----
  /// Written with an mtime of 2013 unless told otherwise.
  void put(const TestNode& node, const std::string& path, const std::string& content,
           std::int64_t mtime = 1375696800);
  void touch(const TestNode& node, const std::string& path, std::int64_t mtime);
  bool exists(const TestNode& node, const std::string& path) const;
  std::string content(const TestNode& node, const std::string& path) const;
  std::vector<std::string> files_on(const TestNode& node) const;  ///< paths below the root, without .geogrid

  // ---- what is tested ----
  WalkReport walk(const TestNode& node, WalkOptions options = quick(),
                  std::shared_ptr<StopSignal> stop = nullptr);
  static WalkOptions quick();  ///< without waiting for young files
  ReplicateReport replicate(const TestNode& node, ReplicateOptions options = {},
                            std::shared_ptr<StopSignal> stop = nullptr);
  void replicate_all();
  VerifyReport verify_all(bool deep = true);

  // ---- what metadata has ----
  Inode at(const std::string& path) { return must(store->resolve(path_of(path))); }
  bool known(const std::string& path);
  std::vector<Finding> findings() { return must(store->findings(1000)); }
  /// Every file in metadata, by path.
  std::map<std::string, Inode> all_files();
  /// Totals equal a recount; each counted copy is there with the right bytes; nothing is left in tmp.
  void expect_sound();

  std::vector<NodeVolume> volumes() const;

  asio::io_context loop{1};
  Scratch scratch{"archive"};
  std::vector<std::string> mounted;
  StoreAddress address;
  std::unique_ptr<MetadataStore> store;
  std::map<std::string, TestNode> nodes;
};

/// Tests that run on every kind of store.
class ArchiveTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  void TearDown() override { archive.reset(); }
  std::unique_ptr<Archive> archive;
};
std::vector<std::string> archive_backends();

/// A random tree of files: some on one node, some on several, the same or not; names of all kinds. Returns
/// path -> content of what should be registered.
std::map<std::string, std::string> fill_randomly(Archive& archive, const std::vector<std::string>& nodes,
                                                 unsigned seed, std::size_t files);

}  // namespace geogrid::test
