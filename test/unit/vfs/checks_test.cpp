#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "vfs/replica_health.hpp"
#include "vfs/stream_check.hpp"
#include "vfs/unregistered.hpp"
#include "vfs/watchlist.hpp"

namespace geogrid {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(StreamCheck, TellsAtTheBlockThatCompletesTheFile) {
  StreamCheck good(9, digest_of("onetwosix"));
  EXPECT_EQ(good.add(0, bytes("one")), StreamCheck::Verdict::open);
  EXPECT_EQ(good.add(3, bytes("two")), StreamCheck::Verdict::open);
  EXPECT_EQ(good.add(6, bytes("six")), StreamCheck::Verdict::good);
  StreamCheck bad(9, digest_of("onetwosix"));
  EXPECT_EQ(bad.add(0, bytes("onetwo")), StreamCheck::Verdict::open);
  EXPECT_EQ(bad.add(6, bytes("si!")), StreamCheck::Verdict::damaged);
  EXPECT_EQ(bad.add(6, bytes("si!")), StreamCheck::Verdict::open) << "once";
}

TEST(StreamCheck, TakesBlocksInAnyOrderAndTwice) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<std::size_t, std::size_t>> blocks;
    for (std::size_t at = 0; at < text.size(); at += blocks.back().second)
      blocks.push_back({at, 1 + random() % 9});
    std::shuffle(blocks.begin(), blocks.end(), random);
    blocks.push_back(blocks.front());
    StreamCheck check(text.size(), digest_of(text));
    int verdicts = 0;
    for (const auto& [at, size] : blocks) {
      const auto verdict = check.add(at, bytes(std::string_view(text).substr(at, size)));
      ASSERT_NE(verdict, StreamCheck::Verdict::damaged);
      verdicts += verdict == StreamCheck::Verdict::good ? 1 : 0;
    }
    ASSERT_EQ(verdicts, 1);
  }
}

TEST(StreamCheck, EndsWithoutAVerdictForWhoSkips) {
  StreamCheck check(3 * StreamCheck::kMostHeld, digest_of("other"));
  const std::string block(StreamCheck::kMostHeld / 2 + 1, 'x');
  EXPECT_EQ(check.add(block.size(), bytes(block)), StreamCheck::Verdict::open);
  EXPECT_EQ(check.add(2 * block.size(), bytes(block)), StreamCheck::Verdict::open);
  EXPECT_EQ(check.add(0, bytes(std::string(3 * StreamCheck::kMostHeld, 'x'))), StreamCheck::Verdict::open);
}

TEST(ReplicaHealth, ShutsOutWhoIsLateAndWhoFailsAgainAndAgain) {
  ReplicaHealth health;
  EXPECT_FALSE(health.failed());
  EXPECT_FALSE(health.failed());
  health.answered(std::chrono::milliseconds(1));
  EXPECT_FALSE(health.failed()) << "an answer in between begins anew";
  EXPECT_FALSE(health.failed());
  EXPECT_FALSE(health.is_shut_out());
  EXPECT_TRUE(health.failed());
  EXPECT_FALSE(health.failed()) << "told once";
  EXPECT_EQ(health.penalty(), kUnusable);
  health.probed();
  EXPECT_NE(health.penalty(), kUnusable);
  EXPECT_TRUE(health.late_or_absent());
  EXPECT_FALSE(health.late_or_absent());
}

TEST(ReplicaHealth, TakesAllFastOnesForEqual) {
  ReplicaHealth fast, slow;
  EXPECT_EQ(fast.penalty(), 1.0);
  for (int n = 0; n < 100; ++n) {
    fast.answered(std::chrono::microseconds(300));
    slow.answered(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(fast.penalty(), 1.0);
  EXPECT_NEAR(slow.penalty(), 20.0, 1.0);
}

TEST(Unregistered, HasNumbersThatAreNoRowsAndStayTheSame) {
  const Path path = *Path::parse("/photos/new.jpg");
  const InodeId id = Unregistered::id_of(path);
  EXPECT_TRUE(Unregistered::is(id));
  EXPECT_EQ(Unregistered::id_of(path), id);
  EXPECT_NE(Unregistered::id_of(*Path::parse("/photos/old.jpg")), id);
  EXPECT_LT(id.value + 1, std::uint64_t{1} << 63) << "a listing's offset is signed";
  EXPECT_FALSE(Unregistered::is(InodeId(1)));

  Unregistered names;
  EXPECT_EQ(names.find(id), nullptr);
  DiskEntry entry;
  entry.size = 5;
  const InodeRef inode = names.remember(InodeId(3), path, NodeIndex(2), entry);
  EXPECT_EQ(inode->id, id);
  EXPECT_EQ(inode->name, "new.jpg");
  EXPECT_EQ(inode->replicas, NodeSet::of(NodeIndex(2)));
  ASSERT_NE(names.find(id), nullptr);
  EXPECT_EQ(names.find(id)->path, path);
}

TEST(Unregistered, LeavesOutWhatAWalkLeavesOut) {
  const auto shown = [](const char* path, FileType type = FileType::file) {
    DiskEntry entry;
    const Path at = *Path::parse(path);
    entry.name = std::string(at.filename());
    entry.type = type;
    return Unregistered::is_shown(at, entry);
  };
  EXPECT_TRUE(shown("/a"));
  EXPECT_TRUE(shown("/a", FileType::folder));
  EXPECT_TRUE(shown("/a", FileType::symlink));
  EXPECT_FALSE(shown("/a", FileType::fifo));
  EXPECT_FALSE(shown("/.geogrid", FileType::folder));
  EXPECT_FALSE(shown("/.geogrid/trash"));
  EXPECT_FALSE(shown("/a/.nfs00012"));
  EXPECT_FALSE(shown("/lost+found", FileType::folder));
  EXPECT_TRUE(shown("/a/lost+found", FileType::folder));
}

class Operation : public Watched {
 public:
  bool done() const override { return done_; }
  void late() override { ++late_; }
  bool done_ = false;
  int late_ = 0;
};

TEST(Watchlist, TellsOfWhatIsLateAndOfNothingElse) {
  asio::io_context loop;
  Watchlist watchlist(loop.get_executor(), std::chrono::milliseconds(20));
  const auto waits = std::make_shared<Operation>(), ends = std::make_shared<Operation>();
  auto dies = std::make_shared<Operation>();
  watchlist.add(ends);
  watchlist.add(dies);
  watchlist.add(waits);
  ends->done_ = true;
  dies.reset();
  loop.run();  // ends when nothing is watched any more
  EXPECT_EQ(waits->late_, 1);
  EXPECT_EQ(ends->late_, 0);
  watchlist.add(waits);
  watchlist.stop();
  loop.restart();
  loop.run();
  EXPECT_EQ(waits->late_, 1) << "stopped";
}

}  // namespace
}  // namespace geogrid
