// The storage loops: what appears on one node gets its copies on the others, without anybody asking.

#include <boost/asio/bind_cancellation_slot.hpp>

#include "archive.hpp"
#include "meta/change_feed.hpp"
#include "replication/storage_loops.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class LoopsTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    for (const char* name : {"cream", "jam", "milk"}) archive->add_node(name);
    feed_ = make_change_feed(*archive->store, Log(), {});
    StorageLoopsOptions options;
    options.own = options.all = archive->volumes();
    options.walk_cycle = 1h;
    options.heartbeat_every = 50ms;
    loops_ = make_storage_loops(*archive->store, *feed_, options, Log());
  }
  void start() {
    asio::co_spawn(
        archive->loop, feed_->run(),
        asio::bind_cancellation_slot(feed_cancel_.slot(), [](std::exception_ptr, const result<void>&) {}));
    asio::co_spawn(archive->loop, loops_->run(stop_),
                   [this](std::exception_ptr failure, const result<void>&) {
                     if (failure) std::rethrow_exception(failure);
                     ended_ = true;
                   });
    archive->loop.restart();
  }
  // Runs the loop until it is true.
  template <typename Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      archive->loop.run_for(5ms);
    }
    return true;
  }
  // Asks the store without running another loop inside this one.
  template <typename T>
  T ask(task<result<T>> work) {
    std::optional<result<T>> done;
    asio::co_spawn(archive->loop, std::move(work),
                   [&](std::exception_ptr, result<T> value) { done = std::move(value); });
    while (!done) archive->loop.run_one();
    return std::move(done->value());
  }
  void end() {
    stop_->stop();
    EXPECT_TRUE(until([&] { return ended_; }));
    feed_cancel_.emit(asio::cancellation_type::terminal);
    archive->loop.run_for(50ms);
  }
  std::size_t copies(const std::string& path) {
    std::size_t count = 0;
    for (const auto& [name, node] : archive->nodes) count += archive->exists(node, path) ? 1U : 0U;
    return count;
  }

  std::unique_ptr<ChangeFeed> feed_;
  std::unique_ptr<StorageLoops> loops_;
  std::shared_ptr<StopSignal> stop_ = std::make_shared<StopSignal>();
  asio::cancellation_signal feed_cancel_;
  bool ended_ = false;
};

TEST_P(LoopsTest, WalkThenReplicateAtOnceThenStop) {
  for (int i = 0; i < 20; ++i)
    archive->put(archive->node("cream"), "/a/" + std::to_string(i), "x" + std::to_string(i));
  start();
  EXPECT_TRUE(until([&] { return ask(archive->store->queue_summary()).files == 0 && copies("/a/19") == 2; }));
  EXPECT_EQ(loops_->status().size(), 22U);  // seven workers a node, and the jobs
  // Another process walks a new photo: the replicators hear of it, far sooner than their poll.
  archive->put(archive->node("jam"), "/three/new", "new");
  WalkOptions options = Archive::quick();
  options.start = path_of("/three");
  bool walked = false;
  asio::co_spawn(archive->loop,
                 walk(*archive->store, archive->node("jam").node_volume(), options,
                      std::make_shared<StopSignal>(), Log()),
                 [&](std::exception_ptr, const WalkReport& report) { walked = report.end.has_value(); });
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_TRUE(until([&] { return copies("/three/new") == 3; }));
  EXPECT_TRUE(walked);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 25s);  // the safety net is 30 s
  end();
  archive->expect_sound();
}

TEST_P(LoopsTest, AnAbsentVolumeHasNoHeartbeatAndComesBack) {
  start();
  const auto beat = [&] { return ask(archive->store->nodes(NodeKind::storage))[0].free_bytes; };
  EXPECT_TRUE(until([&] { return beat() != std::uint64_t{1} << 40; }));  // what the test registered
  fs::rename(archive->node("cream").root, archive->scratch.path() / "away");
  EXPECT_TRUE(until([&] { return loops_->status()[0].find(" free") == std::string::npos; }));
  fs::rename(archive->scratch.path() / "away", archive->node("cream").root);
  EXPECT_TRUE(until([&] { return loops_->status()[0].find(" free") != std::string::npos; }));
  end();
}

INSTANTIATE_TEST_SUITE_P(Stores, LoopsTest, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
