#pragma once
// What every test of the contract stands on: an empty database of either kind, and stores opened on it.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "meta/metadata_store.hpp"
#include "meta/sql.hpp"

namespace geogrid::test {

/// A kind of database that tests can have any number of.
class StoreBackend {
 public:
  virtual ~StoreBackend() = default;
  virtual std::string name() const = 0;
  /// The address of a new, empty database.
  virtual StoreAddress make_database() = 0;
  virtual void drop_database(const StoreAddress& address) = 0;
};
std::vector<std::shared_ptr<StoreBackend>> store_backends();

/// One event loop, one database, cluster "test", the classes of default_classes(), and one store that is
/// initialised.
class StoreTest : public testing::TestWithParam<std::shared_ptr<StoreBackend>> {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Runs a coroutine to its end on the test's loop.
  template <typename T>
  T run(task<T> work) {
    return run_to_end(loop_, std::move(work));
  }
  /// The same, which must succeed.
  template <typename T>
  T must(task<result<T>> work) {
    result<T> done = run(std::move(work));
    if (!done) throw std::runtime_error("unexpected: " + done.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*done);
  }
  /// Runs several at once, to the end of all.
  template <typename T>
  std::vector<T> run_all(std::vector<task<T>> works);

  /// The code of an expected failure.
  template <typename T>
  static std::error_code code_of(const result<T>& done) {
    return done ? std::error_code() : done.error().code;
  }

  StoreOptions options() const;
  /// Another process on the same database.
  std::unique_ptr<MetadataStore> open_another();
  MetadataStore& store() { return *store_; }
  asio::io_context& loop() { return loop_; }
  const StoreAddress& address() const { return address_; }

  // ---- short forms ----
  /// A file as a client makes it: pending, held by `owner`.
  Inode create(InodeId parent, const std::string& name, LeaseOwner owner,
               std::chrono::seconds lease = std::chrono::seconds(60));
  /// Content that lies where the file's path is now.
  Publication publication(const Inode& base, const std::string& bytes, NodeSet replicas, LeaseOwner owner);
  Published publish(Publication content) { return must(store().publish(std::move(content), false)); }
  PublicationPlace begin(InodeId id, NodeSet nodes, LeaseOwner owner,
                         std::chrono::seconds lease = std::chrono::seconds(60)) {
    return must(store().begin_publication(id, owner, nodes, lease));
  }
  std::vector<Intent> owed(NodeIndex node) { return must(store().owed_by(node, IntentId(), 1000)); }
  /// The node does all that it owes.
  void finish_all(NodeIndex node);
  NodeIndex add_node(const std::string& name, bool empty_volume = true);
  InodeId folder(InodeId parent, const std::string& name);
  Inode get(InodeId id) { return must(store().get(id)); }
  Inode at(const std::string& path) { return must(store().resolve(*Path::parse(path))); }
  /// What a walk of `node` found; everything must be registered.
  std::vector<InodeId> found(NodeIndex node, InodeId folder, std::vector<FoundEntry> entries);
  InodeId found_file(NodeIndex node, InodeId folder, const std::string& name,
                     const std::string& content = "content");
  ClaimOutcome claim(NodeIndex node, const Inode& inode, const std::string& path,
                     const std::string& content = "content");
  std::vector<WorkItem> take(NodeIndex node, std::size_t limit = 100, std::uint64_t owner = 1);
  std::vector<Change> all_changes();
  void run_jobs();

  /// A connection to the database below the store.
  std::unique_ptr<SqlDriver> open_driver() const { return open_driver(address_); }
  static std::unique_ptr<SqlDriver> open_driver(const StoreAddress& address);
  /// Runs a statement there.
  void sql(SqlDriver& driver, const std::string& statement, const OnRow& on_row = {});
  /// Counts again what the tables say twice: counts of sets, subfolders, the queue, what is owed.
  void check_consistency();

  static FoundEntry file_entry(const std::string& name, const std::string& content = "content");
  static FoundEntry folder_entry(const std::string& name);
  static Timestamp time(std::int64_t seconds) { return {seconds, 5}; }

 private:
  asio::io_context loop_{1};
  StoreAddress address_;
  std::shared_ptr<const StorageClasses> classes_;
  std::unique_ptr<MetadataStore> store_;
};

/// original (3 copies, 2 backups) for *_original.jpg, temporary (1, 0) below /tmp/, others (2, 1).
StorageClasses default_classes();

template <typename T>
std::vector<T> StoreTest::run_all(std::vector<task<T>> works) {
  std::vector<std::optional<T>> done(works.size());
  std::size_t left = works.size();
  for (std::size_t i = 0; i < works.size(); ++i)
    asio::co_spawn(loop_, std::move(works[i]), [&, i](std::exception_ptr error, T value) {
      if (error) std::rethrow_exception(error);
      done[i].emplace(std::move(value));
      if (--left == 0) loop_.stop();
    });
  loop_.restart();
  loop_.run();
  std::vector<T> out;
  for (auto& value : done) out.push_back(std::move(*value));
  return out;
}

#define GG_STORE_SUITE(Suite)                                                                 \
  INSTANTIATE_TEST_SUITE_P(Stores, Suite, testing::ValuesIn(geogrid::test::store_backends()), \
                           [](const auto& tested) { return tested.param->name(); })

}  // namespace geogrid::test
