// What replication copies, adopts, puts aside, gives back and refuses.

#include <sys/stat.h>

#include <algorithm>

#include "archive.hpp"
#include "faulty_env.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

class ReplicateTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    for (const char* name : {"cream", "jam", "milk"}) archive->add_node(name);
  }
  TestNode& cream() { return archive->node("cream"); }
  TestNode& jam() { return archive->node("jam"); }
  TestNode& milk() { return archive->node("milk"); }
  void walk_all() {
    for (const auto& [name, node] : archive->nodes) ASSERT_TRUE(archive->walk(node).end);
  }
  bool has_finding(FindingKind kind, NodeIndex node, const std::string& path) {
    return std::ranges::any_of(archive->findings(), [&](const Finding& finding) {
      return finding.kind == kind && finding.node == node && finding.path == path_of(path);
    });
  }
};

TEST_P(ReplicateTest, BringsEveryFileToItsTarget) {
  const auto expected = fill_randomly(*archive, {"cream", "jam", "milk"}, 7, 250);
  walk_all();
  archive->replicate_all();
  const auto files = archive->all_files();
  ASSERT_EQ(files.size(), expected.size());
  for (const auto& [path, inode] : files) {
    EXPECT_GE(inode.replicas.size(), inode.replica_target) << printable(path);
    for (const auto& [name, node] : archive->nodes) {
      ASSERT_EQ(inode.replicas.contains(node.index), archive->exists(node, path))
          << printable(path) << " on " << name;
      if (archive->exists(node, path)) {
        EXPECT_EQ(archive->content(node, path), expected.at(path));
      }
    }
  }
  EXPECT_EQ(archive->must(archive->store->queue_summary()).files, 0U);
  EXPECT_TRUE(archive->findings().empty());
  archive->expect_sound();
  // What was copied looks unchanged to a walk: mtime is kept.
  for (const auto& [name, node] : archive->nodes) EXPECT_EQ(archive->walk(node).digested_files, 0U) << name;
}

TEST_P(ReplicateTest, KeepsTimeModeAndTheFoldersAttributes) {
  archive->put(cream(), "/f/g/a", "1", 1000);
  ASSERT_EQ(chmod((cream().root / "f/g/a").c_str(), 0604), 0);
  ASSERT_EQ(chmod((cream().root / "f").c_str(), 0711), 0);
  ASSERT_EQ(chmod((cream().root / "f/g").c_str(), 02775), 0);
  walk_all();
  archive->replicate_all();
  const TestNode& other = archive->exists(jam(), "/f/g/a") ? jam() : milk();
  struct stat status {};
  ASSERT_EQ(stat((other.root / "f/g/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0604U);
  EXPECT_EQ(status.st_mtim.tv_sec, 1000);
  EXPECT_EQ(status.st_mtim.tv_nsec, 123456789);
  ASSERT_EQ(stat((other.root / "f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0711U);
  ASSERT_EQ(stat((other.root / "f/g").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0775U);
}

TEST_P(ReplicateTest, LargeFilesPassInPieces) {
  std::string bytes(5'000'001, 'a');
  for (std::size_t i = 0; i < bytes.size(); i += 1001) bytes[i] = static_cast<char>(i / 1001);
  archive->put(cream(), "/large", bytes);
  archive->put(cream(), "/exactly", std::string(1 << 20, 'e'));
  archive->put(cream(), "/pieces", std::string(2 << 20, 'e'));
  archive->put(cream(), "/empty", "");
  walk_all();
  const ReplicateReport report = archive->replicate(jam());
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.copied, 4U);
  EXPECT_EQ(archive->content(jam(), "/large"), bytes);
  archive->expect_sound();
}

TEST_P(ReplicateTest, TheRightBytesThatLieThereAreAdopted) {
  archive->put(cream(), "/a", "same");
  walk_all();
  archive->put(jam(), "/a", "same", 99);  // after the walk: nobody knows of it
  const ReplicateReport report = archive->replicate(jam());
  EXPECT_EQ(report.adopted, 1U);
  EXPECT_EQ(report.copied, 0U);
  EXPECT_EQ(archive->at("/a").replicas.size(), 2);
  EXPECT_EQ(archive->walk(jam()).unchanged, 1U);
  archive->expect_sound();
}

TEST_P(ReplicateTest, OtherContentIsPutAsideNeverOverwritten) {
  archive->put(cream(), "/f/a", "right");
  walk_all();
  archive->put(jam(), "/f/a", "wrong");
  fs::create_symlink("f/a", jam().root / "l");
  const ReplicateReport report = archive->replicate(jam());
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.conflicts, 1U);
  EXPECT_EQ(report.copied, 1U);
  EXPECT_EQ(archive->content(jam(), "/f/a"), "right");
  EXPECT_TRUE(has_finding(FindingKind::conflict, jam().index, "/f/a") || !report.findings.empty());
  bool kept = false;
  for (const auto& entry : fs::recursive_directory_iterator(jam().root / ".geogrid/conflicts"))
    if (entry.is_regular_file())
      kept = archive->content(jam(), "/" + fs::relative(entry.path(), jam().root).string()) == "wrong";
  EXPECT_TRUE(kept);
  archive->expect_sound();
}

TEST_P(ReplicateTest, AFolderInTheWayIsLeftAlone) {
  archive->put(cream(), "/a", "right");
  walk_all();
  archive->put(jam(), "/a/inside", "x");
  const ReplicateReport report = archive->replicate(jam());
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_TRUE(has_finding(FindingKind::type_conflict, jam().index, "/a"));
  EXPECT_TRUE(archive->exists(jam(), "/a/inside"));
  EXPECT_EQ(archive->at("/a").replicas, NodeSet::of(cream().index));
  // And a file where a folder belongs.
  archive->put(cream(), "/f/b", "right");
  ASSERT_TRUE(archive->walk(cream()).end);
  archive->put(milk(), "/f", "a file");
  EXPECT_EQ(archive->replicate(milk()).failed, 1U);
  EXPECT_EQ(archive->content(milk(), "/f"), "a file");
}

TEST_P(ReplicateTest, ADamagedSourceIsWithdrawnAndAnotherOneServes) {
  for (int i = 0; i < 20; ++i)
    archive->put(cream(), "/three/" + std::to_string(i), "right" + std::to_string(i));
  for (int i = 0; i < 20; ++i)
    archive->put(jam(), "/three/" + std::to_string(i), "right" + std::to_string(i));
  walk_all();
  for (int i = 0; i < 20; ++i)
    archive->put(cream(), "/three/" + std::to_string(i), "wrong" + std::to_string(i));
  const ReplicateReport report = archive->replicate(milk());
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.copied, 20U);
  EXPECT_GT(report.bad_sources, 0U);  // those that were asked first at cream
  std::uint64_t withdrawn = 0;
  for (int i = 0; i < 20; ++i) {
    const Inode inode = archive->at("/three/" + std::to_string(i));
    EXPECT_EQ(archive->content(milk(), "/three/" + std::to_string(i)), "right" + std::to_string(i));
    if (inode.replicas.contains(cream().index)) continue;
    ++withdrawn;
    EXPECT_TRUE(has_finding(FindingKind::damaged, cream().index, "/three/" + std::to_string(i)));
  }
  EXPECT_EQ(withdrawn, report.bad_sources);
}

TEST_P(ReplicateTest, AnUnreadableSourceIsReportedAndAnotherOneServes) {
  const auto env = std::make_shared<FaultyEnv>();
  TestNode& faulty = archive->add_node("faulty", env);
  for (int i = 0; i < 10; ++i)
    archive->put(cream(), "/three/" + std::to_string(i), "right" + std::to_string(i));
  for (int i = 0; i < 10; ++i)
    archive->put(faulty, "/three/" + std::to_string(i), "right" + std::to_string(i));
  walk_all();
  for (int i = 0; i < 10; ++i) env->refuse("three/" + std::to_string(i), EIO);
  const ReplicateReport report = archive->replicate(milk());
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.copied, 10U);
  EXPECT_GT(report.source_errors, 0U);
  EXPECT_EQ(archive->findings().size(), report.source_errors);
  for (const Finding& finding : archive->findings()) EXPECT_EQ(finding.kind, FindingKind::unreadable);
  // A copy that cannot be read now still counts: a disk may come back.
  for (const auto& [path, inode] : archive->all_files()) EXPECT_EQ(inode.replicas.size(), 3);
}

TEST_P(ReplicateTest, WithoutASoundSourceNothingIsCopied) {
  archive->put(cream(), "/a", "right");
  archive->put(cream(), "/large", std::string(3 << 20, 'r'));
  walk_all();
  archive->put(cream(), "/a", "changed", 5);
  archive->put(cream(), "/large", std::string(3 << 20, 'w'));
  const ReplicateReport report = archive->replicate(jam());
  EXPECT_EQ(report.copied, 0U);
  EXPECT_EQ(report.without_source, 2U);
  EXPECT_TRUE(archive->files_on(jam()).empty());
  EXPECT_TRUE(has_finding(FindingKind::changed_outside, cream().index, "/a"));
  EXPECT_TRUE(has_finding(FindingKind::damaged, cream().index, "/large"));
  EXPECT_EQ(report.exit_status(), 1);
}

TEST_P(ReplicateTest, AnAbsentSourceIsAskedOnceAndTheFilesComeLater) {
  for (int i = 0; i < 30; ++i) archive->put(cream(), "/" + std::to_string(i), "x");
  walk_all();
  fs::rename(cream().root, archive->scratch.path() / "away");
  const ReplicateReport report = archive->replicate(jam());
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.without_source, 30U);
  EXPECT_LE(report.source_errors, 8U);
  for (const auto& [path, inode] : archive->all_files()) EXPECT_EQ(inode.replicas.size(), 1);
  EXPECT_EQ(archive->replicate(jam()).taken, 0U);  // backing off
}

TEST_P(ReplicateTest, AnAbsentDestinationEndsTheRun) {
  for (int i = 0; i < 30; ++i) archive->put(cream(), "/" + std::to_string(i), "x");
  walk_all();
  fs::rename(jam().root, archive->scratch.path() / "away");
  const ReplicateReport report = archive->replicate(jam());
  ASSERT_TRUE(!report.end);
  EXPECT_TRUE(report.end.error().is(errc::volume_absent));
  // Nothing was lost to it: as soon as it is back, all are copied.
  fs::rename(archive->scratch.path() / "away", jam().root);
  EXPECT_EQ(archive->replicate(jam()).copied, 30U);
  archive->expect_sound();
}

TEST_P(ReplicateTest, BelowMinFreeNothingIsTaken) {
  archive->put(cream(), "/a", "x");
  walk_all();
  ReplicateOptions options;
  options.min_free = std::uint64_t{1} << 60;
  const ReplicateReport report = archive->replicate(jam(), options);
  ASSERT_TRUE(!report.end);
  EXPECT_TRUE(report.end.error().is(errc::low_space));
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_EQ(report.taken, 0U);
  EXPECT_EQ(archive->replicate(jam()).copied, 1U);
}

TEST_P(ReplicateTest, AFullDiskEndsTheRunWithNothingHalfCounted) {
  TestNode* small = archive->add_small_disk("small", 4 << 20);
  if (small == nullptr) GTEST_SKIP() << "may not mount";
  for (int i = 0; i < 60; ++i)
    archive->put(cream(), "/three/" + std::to_string(i), std::string(100'000 + i, 'x'));
  archive->put(cream(), "/three/large", std::string(20 << 20, 'x'));
  ASSERT_TRUE(archive->walk(cream()).end);
  const ReplicateReport report = archive->replicate(*small);
  ASSERT_TRUE(!report.end);
  EXPECT_TRUE(report.end.error().is(errc::low_space)) << report.end.error().message;
  EXPECT_GT(report.copied, 10U);
  EXPECT_LT(report.copied, 45U);
  EXPECT_EQ(archive->files_on(*small).size(), report.copied);
  archive->expect_sound();
}

TEST_P(ReplicateTest, AVolumeRenamedAwayInTheMiddleLosesNothing) {
  for (int i = 0; i < 200; ++i) archive->put(cream(), "/" + std::to_string(i), std::string(3000, 'x'));
  ASSERT_TRUE(archive->walk(cream()).end);
  ReplicateOptions options;
  options.sources = archive->volumes();
  const auto replicator = make_replicator(*archive->store, jam().node_volume(), options, Log());
  for (const char* gone : {"jam", "cream"}) {
    SCOPED_TRACE(gone);
    std::optional<ReplicateReport> report;
    asio::co_spawn(archive->loop, replicator->run(std::make_shared<StopSignal>()),
                   [&](std::exception_ptr, ReplicateReport done) { report = std::move(done); });
    archive->loop.restart();
    for (int i = 0; i < 120 && !report; ++i) archive->loop.run_one();
    fs::rename(archive->node(gone).root, archive->scratch.path() / "away");
    archive->run_until([&] { return report.has_value(); });
    EXPECT_TRUE(report->end || report->end.error().is(errc::volume_absent)) << report->end.error().message;
    fs::rename(archive->scratch.path() / "away", archive->node(gone).root);
    archive->must(jam().volume->clean_temporary());
    archive->expect_sound();
  }
  EXPECT_TRUE(archive->replicate(jam()).end);
  archive->expect_sound();
}

TEST_P(ReplicateTest, OneProcessANode) {
  const auto lock = archive->must(jam().volume->lock("replicate"));
  EXPECT_TRUE(archive->replicate(jam()).end.error().is(errc::busy));
}

TEST_P(ReplicateTest, TwoNodesThatRaceNeverMakeTooManyCopies) {
  for (int i = 0; i < 300; ++i)
    archive->put(cream(), "/" + std::to_string(i), "bytes of " + std::to_string(i));
  ASSERT_TRUE(archive->walk(cream()).end);
  ReplicateOptions options;
  options.sources = archive->volumes();
  const auto to_jam = make_replicator(*archive->store, jam().node_volume(), options, Log());
  const auto to_milk = make_replicator(*archive->store, milk().node_volume(), options, Log());
  const auto stop = std::make_shared<StopSignal>();
  std::uint64_t copied = 0;
  int ended = 0;
  for (const auto& replicator : {to_jam, to_milk})
    asio::co_spawn(archive->loop, replicator->run(stop), [&](std::exception_ptr, ReplicateReport report) {
      EXPECT_TRUE(report.end) << report.end.error().message;
      copied += report.copied;
      ++ended;
    });
  archive->run_until([&] { return ended == 2; });
  EXPECT_EQ(copied, 300U);
  EXPECT_EQ(archive->files_on(jam()).size() + archive->files_on(milk()).size(), 300U);
  EXPECT_FALSE(archive->files_on(jam()).empty());
  EXPECT_FALSE(archive->files_on(milk()).empty());
  archive->expect_sound();
}

TEST_P(ReplicateTest, AFileRemovedOrMovedMeanwhileIsTakenBack) {
  for (int i = 0; i < 40; ++i) archive->put(cream(), "/f/" + std::to_string(i), "x" + std::to_string(i));
  ASSERT_TRUE(archive->walk(cream()).end);
  ReplicateOptions options;
  options.sources = archive->volumes();
  const auto replicator = make_replicator(*archive->store, jam().node_volume(), options, Log());
  std::optional<ReplicateReport> report;
  asio::co_spawn(archive->loop, replicator->run(std::make_shared<StopSignal>()),
                 [&](std::exception_ptr, ReplicateReport done) { report = std::move(done); });
  // In the middle of it, metadata moves the folder.
  archive->loop.restart();
  for (int i = 0; i < 60 && !report; ++i) archive->loop.run_one();
  std::optional<result<Renamed>> renamed;
  asio::co_spawn(archive->loop,
                 archive->store->rename(kRootInode, "f", kRootInode, "g", RenameMode::replace,
                                        Timestamp{1, 0}, LeaseOwner(), false),
                 [&](std::exception_ptr, result<Renamed> done) { renamed = std::move(done); });
  archive->run_until([&] { return renamed && report; });
  ASSERT_TRUE(*renamed);
  EXPECT_EQ(report->copied + report->dropped + report->failed, 40U);
  // Whatever lies on jam counts, or an intent is owed for it.
  std::size_t counted = 0;
  for (const auto& [path, inode] : archive->all_files())
    counted += inode.replicas.contains(jam().index) ? 1U : 0U;
  EXPECT_EQ(counted, report->copied);
  EXPECT_EQ(archive->files_on(jam()).size(), counted);
}

TEST_P(ReplicateTest, TheRateIsKept) {
  for (int i = 0; i < 10; ++i) archive->put(cream(), "/" + std::to_string(i), std::string(100'000, 'x'));
  walk_all();
  ReplicateOptions options;
  options.rate = 1'000'000;
  const ReplicateReport report = archive->replicate(jam(), options);
  EXPECT_EQ(report.copied, 10U);
  EXPECT_GE(report.duration.count(), 350);  // 1 MB at 1 MB/s, half a second of it at once
}

INSTANTIATE_TEST_SUITE_P(Stores, ReplicateTest, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
