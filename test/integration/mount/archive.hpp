#pragma once
// A small archive on real disks with a real store, and mounts of it.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fuse/mounts.hpp"
#include "meta/metadata_store.hpp"
#include "support/scratch.hpp"
#include "support/wait.hpp"
#include "volume/volume.hpp"

namespace geogrid::test {

enum class StoreKind { sqlite, mariadb };

/// Nodes "n0", "n1", … in folders of their own, a store, and the changes that some other process makes: each
/// call here is on a store instance that no mount uses.
class Archive {
 public:
  struct Setup {
    std::size_t nodes = 2;
    bool joining = false;  ///< nodes whose first walk is not complete
    StoreKind store = StoreKind::sqlite;
  };
  explicit Archive(Setup setup);
  Archive() : Archive(Setup{}) {}
  explicit Archive(StoreKind kind) : Archive(Setup{.nodes = 2, .joining = false, .store = kind}) {}
  ~Archive();

  const Scratch& scratch() const { return scratch_; }
  MetadataStore& store() { return *store_; }
  NodeIndex node(std::size_t n) const { return nodes_.at(n); }
  /// The folder of a node, and what lies at a path on it.
  std::string root(std::size_t n) const { return roots_.at(n); }
  std::string on_disk(std::size_t n, const std::string& path) const { return roots_.at(n) + path; }

  template <typename T>
  T must(task<result<T>> work) {
    result<T> done = run_to_end(loop_, std::move(work));
    if (!done) throw std::runtime_error("unexpected: " + done.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*done);
  }

  /// Makes the folders above and the file on each of the nodes, and registers all of it.
  InodeId put(const std::string& path, const std::string& content, std::vector<std::size_t> on = {0, 1});
  InodeId make_folder(const std::string& path, mode_t mode = 0755);
  InodeId link(const std::string& path, const std::string& target);
  /// Many empty or small files in one folder, in few transactions; they lie on node 0.
  void put_many(const std::string& folder, std::size_t count, const std::string& content);
  InodeId id(const std::string& path);
  Inode at(const std::string& path);
  /// New content as another client writes it: a new version, published on the given nodes.
  void replace(const std::string& path, const std::string& content, std::vector<std::size_t> on = {0, 1});
  void remove(const std::string& path);
  void rename(const std::string& from, const std::string& to);
  void change(const std::string& path, AttributeChange change);

  std::string folder() const { return scratch_.path().string(); }
  const StoreAddress& address() const { return address_; }

 private:
  FoundEntry found(const std::string& name, const std::string& content) const;
  InodeId register_one(InodeId folder, FoundEntry entry, std::size_t on);

  Scratch scratch_{"mount"};
  StoreAddress address_;
  asio::io_context loop_{1};
  std::unique_ptr<MetadataStore> store_;
  std::vector<std::string> roots_;
  std::vector<VolumeMarker> markers_;
  std::vector<NodeIndex> nodes_;
};

/// The store and the volumes of an archive, for who opens them elsewhere.
StoreOptions store_options(StoreAddress address);
StoreAddress embedded_store(const std::string& folder);
task<result<std::vector<NodeVolume>>> open_volumes(std::string folder, MetadataStore& store);

/// A client: a loop in a thread of its own, with a store, volumes and mounts of its own. Unmounts at its end.
class Client {
 public:
  struct Setup {
    std::vector<std::string> mountpoints{"mnt"};  ///< in the archive's folder
    std::function<void(MountsOptions&)> configure{};
    std::function<void(std::vector<NodeVolume>&)> replace_volumes{};
    bool hears_changes = true;  ///< whether the change feed runs
  };
  /// Throws if it cannot be mounted.
  Client(const std::string& folder, StoreAddress store, Setup setup);
  explicit Client(Archive& archive) : Client(archive, Setup{}) {}
  Client(Archive& archive, Setup setup) : Client(archive.folder(), archive.address(), std::move(setup)) {}
  ~Client();

  const std::string& mountpoint(std::size_t n = 0) const { return mountpoints_.at(n); }
  std::string path(const std::string& path) const { return mountpoints_.front() + path; }
  /// Unmounts as SIGTERM does, and waits for the end.
  void stop();
  /// Whether run() has returned.
  bool ended() const { return ended_; }
  /// Runs on the client's loop.
  template <typename Function>
  auto on_loop(Function function) {
    std::packaged_task<decltype(function(*mounts_))()> job([&] { return function(*mounts_); });
    auto answer = job.get_future();
    asio::post(loop_, [&job] { job(); });
    return answer.get();
  }
  std::uint64_t failovers() {
    return on_loop([](Mounts& mounts) { return mounts.names().counters().failovers.load(); });
  }

 private:
  task<result<void>> serve(MountsOptions options, std::promise<std::string>& started);

  const std::string folder_;
  const StoreAddress store_;
  const Setup setup_;
  asio::io_context loop_{1};
  std::shared_ptr<StopSignal> stop_ = std::make_shared<StopSignal>();
  Mounts* mounts_ = nullptr;
  std::atomic<bool> ended_{false};
  std::vector<std::string> mountpoints_;
  std::thread thread_;
};

/// Tests that run on either kind of store.
class OnEitherStore : public testing::TestWithParam<StoreKind> {};
std::string name_of_store(const testing::TestParamInfo<StoreKind>& info);

// ---- what tests do with paths ----
std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& content);
std::vector<std::string> list_names(const std::string& folder);
/// The errno of a call that returned -1; 0 of one that did not.
int errno_of(long returned);
/// Content that differs for each name and is of this size.
std::string content_for(const std::string& name, std::size_t size);

}  // namespace geogrid::test
