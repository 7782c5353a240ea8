// Walks and replications that end in the middle: stopped politely, or killed; run again, the result is the
// same.

#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <cstdlib>

#include "archive.hpp"
#include "replication/walk_checkpoint.hpp"
#include "support/child_process.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

class InterruptTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    for (const char* name : {"cream", "jam", "milk"}) archive->add_node(name);
  }
  // Runs `work` and stops it after so many steps of the loop.
  template <typename T>
  T run_stopped(task<T> work, std::shared_ptr<StopSignal> stop, unsigned steps) {
    std::optional<T> done;
    asio::co_spawn(archive->loop, std::move(work), [&](std::exception_ptr failure, T value) {
      if (failure) std::rethrow_exception(failure);
      done = std::move(value);
    });
    archive->loop.restart();
    for (unsigned i = 0; i < steps && !done; ++i) archive->loop.run_one();
    stop->stop();
    archive->run_until([&] { return done.has_value(); });
    return std::move(*done);
  }
};

TEST_P(InterruptTest, StoppedWalksAndReplicationsAreCompletedByTheNext) {
  const auto expected = fill_randomly(*archive, {"cream", "jam", "milk"}, 21, 120);
  unsigned cancelled = 0;
  for (const auto& [name, node] : archive->nodes) {
    for (unsigned steps = 1;; steps = steps * 2 + 3) {
      WalkOptions options = Archive::quick();
      options.parallel_folders = 2;
      options.checkpoint_every = std::chrono::milliseconds(1);
      const auto stop = std::make_shared<StopSignal>();
      const WalkReport report =
          run_stopped(geogrid::walk(*archive->store, node.node_volume(), options, stop, Log()), stop, steps);
      if (report.end) {
        EXPECT_TRUE(report.complete);
        break;
      }
      EXPECT_TRUE(report.end.error().is(errc::cancelled)) << report.end.error().message;
      ++cancelled;
    }
  }
  EXPECT_GT(cancelled, 9U);
  ASSERT_EQ(archive->all_files().size(), expected.size());
  for (const auto& [name, node] : archive->nodes) {
    for (unsigned steps = 1;; steps = steps * 2 + 3) {
      ReplicateOptions options;
      options.sources = archive->volumes();
      const auto stop = std::make_shared<StopSignal>();
      const auto replicator = make_replicator(*archive->store, node.node_volume(), options, Log());
      const ReplicateReport report = run_stopped(replicator->run(stop), stop, steps);
      if (report.end) break;
      EXPECT_TRUE(report.end.error().is(errc::cancelled)) << report.end.error().message;
    }
  }
  for (const auto& [path, inode] : archive->all_files())
    EXPECT_EQ(inode.replicas.size(), std::max<int>(inode.replica_target, inode.replicas.size()))
        << printable(path);
  EXPECT_EQ(archive->must(archive->store->queue_summary()).files, 0U);
  archive->expect_sound();
}

TEST_P(InterruptTest, AResumedWalkSkipsWhatIsDone) {
  for (int folder = 0; folder < 20; ++folder)
    for (int i = 0; i < 5; ++i)
      archive->put(archive->node("cream"), "/" + std::to_string(100 + folder) + "/" + std::to_string(i), "x");
  ASSERT_TRUE(archive->walk(archive->node("cream")).end);
  WalkCheckpoint left;
  left.started = system_clock().wall();
  left.position = path_of("/110");
  const NodeIndex cream = archive->node("cream").index;
  archive->must(archive->store->set_checkpoint(cream, kWalkCheckpoint, left.text()));
  const WalkReport resumed = archive->walk(archive->node("cream"));
  EXPECT_TRUE(resumed.resumed);
  EXPECT_EQ(resumed.files, 50U);
  EXPECT_EQ(archive->walk(archive->node("cream")).files, 100U);  // the checkpoint is gone
  left.started.seconds -= 100'000;
  archive->must(archive->store->set_checkpoint(cream, kWalkCheckpoint, left.text()));
  EXPECT_FALSE(archive->walk(archive->node("cream")).resumed);  // too old
}

TEST_P(InterruptTest, ACancelledCallerStopsTheWalkCleanly) {
  fill_randomly(*archive, {"cream"}, 3, 100);
  asio::cancellation_signal cancel;
  std::optional<WalkReport> report;
  asio::co_spawn(archive->loop,
                 geogrid::walk(*archive->store, archive->node("cream").node_volume(), Archive::quick(),
                               std::make_shared<StopSignal>(), Log()),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](std::exception_ptr, WalkReport done) { report = std::move(done); }));
  archive->loop.restart();
  for (int i = 0; i < 30; ++i) archive->loop.run_one();
  cancel.emit(asio::cancellation_type::terminal);
  archive->run_until([&] { return report.has_value(); });
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(!report->end && report->end.error().is(errc::cancelled));
  EXPECT_TRUE(archive->walk(archive->node("cream")).end);
  archive->expect_sound();
}

// Not a test: what the child of the next one runs, over and over, until it is killed.
TEST(Child, DISABLED_WalksAndReplicates) {
  const std::string root = std::getenv("GEOGRID_TEST_ARCHIVE");
  StoreAddress address;
  address.file = root + "/metadata.db";
  asio::io_context loop{1};
  auto store = run_to_end(loop, open_store(Archive::store_options(address)));
  ASSERT_TRUE(store) << store.error().message;
  auto nodes = run_to_end(loop, (*store)->nodes(NodeKind::storage));
  ASSERT_TRUE(nodes);
  std::vector<NodeVolume> volumes;
  for (const NodeRecord& node : *nodes)
    volumes.push_back({node.index, open_local_volume({root + "/" + node.name, node.name, 4, nullptr},
                                                     *read_volume_marker(root + "/" + node.name))});
  for (const NodeVolume& volume : volumes) {
    auto stop = std::make_shared<StopSignal>();
    WalkOptions options = Archive::quick();
    options.checkpoint_every = std::chrono::milliseconds(5);
    ASSERT_TRUE(run_to_end(loop, geogrid::walk(**store, volume, options, stop, Log())).end);
  }
  for (const NodeVolume& volume : volumes) {
    ReplicateOptions options;
    options.sources = volumes;
    options.hold = std::chrono::seconds(1);
    const auto replicator = make_replicator(**store, volume, options, Log());
    ASSERT_TRUE(run_to_end(loop, replicator->run(std::make_shared<StopSignal>())).end);
  }
  (*store)->close();
}

TEST(KillTest, AfterAnyKillTheNextRunMakesItRight) {
  Archive archive("sqlite");
  for (const char* name : {"cream", "jam", "milk"}) archive.add_node(name);
  const auto expected = fill_randomly(archive, {"cream", "jam", "milk"}, 77, 300);
  archive.store->close();
  archive.store.reset();
  setenv("GEOGRID_TEST_ARCHIVE", archive.scratch.path().c_str(), 1);
  const std::vector<std::string> command{fs::read_symlink("/proc/self/exe"),
                                         "--gtest_also_run_disabled_tests",
                                         "--gtest_filter=Child.DISABLED_WalksAndReplicates"};
  int killed = 0;
  bool finished = false;
  for (int after = 20; !finished; after = after * 5 / 4) {
    ChildProcess child(command, archive.scratch.file("child.log"));
    const int status = child.wait(std::chrono::milliseconds(after));  // kills it then
    finished = WIFEXITED(status);
    ASSERT_TRUE(!finished || WEXITSTATUS(status) == 0);
    killed += finished ? 0 : 1;
    ASSERT_LT(killed, 60);
  }
  EXPECT_GT(killed, 3);
  archive.store = archive.must(open_store(Archive::store_options(archive.address)));
  for (const auto& [name, node] : archive.nodes) {
    archive.must(node.volume->clean_temporary());
    EXPECT_TRUE(archive.walk(node).end);
    EXPECT_TRUE(archive.replicate(node).end);
  }
  const auto files = archive.all_files();
  ASSERT_EQ(files.size(), expected.size());
  for (const auto& [path, inode] : files) {
    EXPECT_GE(inode.replicas.size(), inode.replica_target) << printable(path);
    EXPECT_EQ(inode.digest, digest_of(expected.at(path))) << printable(path);
  }
  EXPECT_TRUE(archive.findings().empty());
  archive.expect_sound();
}

INSTANTIATE_TEST_SUITE_P(Stores, InterruptTest, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
