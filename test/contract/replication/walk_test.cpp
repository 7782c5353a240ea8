// What a walk registers, counts, withdraws and reports.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "archive.hpp"
#include "faulty_env.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

class WalkTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    for (const char* name : {"cream", "jam", "milk"}) archive->add_node(name);
  }
  TestNode& cream() { return archive->node("cream"); }
  TestNode& jam() { return archive->node("jam"); }
  TestNode& milk() { return archive->node("milk"); }
  std::vector<FindingKind> kinds() {
    std::vector<FindingKind> all;
    for (const Finding& finding : archive->findings()) all.push_back(finding.kind);
    return all;
  }
};

TEST_P(WalkTest, RegistersWhatNobodyKnew) {
  archive->put(cream(), "/photos/01/a.jpg", "bytes of a", 1000);
  archive->put(cream(), "/b.jpg", "b");
  fs::create_directories(cream().root / "empty/below");
  fs::create_symlink("../b.jpg", cream().root / "photos/link");
  ASSERT_EQ(chmod((cream().root / "photos/01/a.jpg").c_str(), 0640), 0);
  const WalkReport report = archive->walk(cream());
  ASSERT_TRUE(report.end) << report.end.error().message;
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.registered_files, 2U);
  EXPECT_EQ(report.registered_folders, 4U);
  EXPECT_EQ(report.registered_symlinks, 1U);
  const Inode a = archive->at("/photos/01/a.jpg");
  EXPECT_EQ(a.size, 10U);
  EXPECT_EQ(a.digest, digest_of("bytes of a"));
  EXPECT_EQ(a.attributes.mtime, (Timestamp{1000, 123456789}));
  EXPECT_EQ(a.attributes.mode, 0640U);
  EXPECT_EQ(a.attributes.uid, getuid());
  EXPECT_EQ(a.replicas, NodeSet::of(cream().index));
  EXPECT_EQ(archive->at("/photos/link").link_target, "../b.jpg");
  EXPECT_TRUE(archive->at("/empty/below").is_folder());
  archive->expect_sound();
}

TEST_P(WalkTest, ASecondWalkDigestsNothing) {
  fill_randomly(*archive, {"cream"}, 1, 60);
  const WalkReport first = archive->walk(cream());
  ASSERT_TRUE(first.end);
  EXPECT_EQ(first.digested_files, first.files);
  const WalkReport second = archive->walk(cream());
  ASSERT_TRUE(second.end);
  EXPECT_EQ(second.digested_files, 0U);
  EXPECT_EQ(second.unchanged, first.files);
  EXPECT_EQ(second.registered_files + second.claimed + second.withdrawn(), 0U);
  EXPECT_TRUE(archive->findings().empty());
}

TEST_P(WalkTest, CountsTheSameBytesOnOtherNodesAndGivesThemTheRecordedTime) {
  const auto expected = fill_randomly(*archive, {"cream", "jam", "milk"}, 2, 200);
  for (const char* name : {"cream", "jam", "milk"}) {
    const WalkReport report = archive->walk(archive->node(name));
    ASSERT_TRUE(report.end) << report.end.error().message;
    EXPECT_EQ(report.conflicts, 0U);
  }
  const auto files = archive->all_files();
  ASSERT_EQ(files.size(), expected.size());
  for (const auto& [path, bytes] : expected) {
    EXPECT_EQ(files.at(path).digest, digest_of(bytes)) << printable(path);
    for (const auto& [name, node] : archive->nodes)
      EXPECT_EQ(files.at(path).replicas.contains(node.index), archive->exists(node, path)) << printable(path);
  }
  // Files lie with different times on different nodes; after one walk of each a stat is enough.
  for (const char* name : {"cream", "jam", "milk"})
    EXPECT_EQ(archive->walk(archive->node(name)).digested_files, 0U);
  archive->expect_sound();
}

TEST_P(WalkTest, OtherBytesAreAConflictAndNeverCount) {
  archive->put(cream(), "/a", "right");
  archive->put(jam(), "/a", "wrong");
  archive->put(jam(), "/longer", "other size");
  archive->put(cream(), "/longer", "size");
  ASSERT_TRUE(archive->walk(cream()).end);
  const WalkReport report = archive->walk(jam());
  EXPECT_EQ(report.conflicts, 2U);
  EXPECT_EQ(report.claimed, 0U);
  EXPECT_EQ(archive->at("/a").replicas, NodeSet::of(cream().index));
  EXPECT_EQ(kinds(), (std::vector{FindingKind::conflict, FindingKind::conflict}));
  EXPECT_EQ(archive->content(jam(), "/a"), "wrong");
}

TEST_P(WalkTest, WhatIsOverIsSettled) {
  archive->put(cream(), "/a", "right");
  archive->put(jam(), "/a", "wrong");
  archive->put(jam(), "/b", "x");
  ASSERT_EQ(mkfifo((jam().root / "pipe").c_str(), 0600), 0);
  ASSERT_TRUE(archive->walk(cream()).end);
  ASSERT_TRUE(archive->walk(jam()).end);
  fs::remove(jam().root / "b");
  ASSERT_TRUE(archive->walk(jam()).end);
  EXPECT_EQ(archive->findings().size(), 3U);  // conflict, special, missing
  fs::remove(jam().root / "a");
  fs::remove(jam().root / "pipe");
  archive->put(jam(), "/b", "x");
  ASSERT_TRUE(archive->walk(jam()).end);
  EXPECT_TRUE(archive->findings().empty());
}

TEST_P(WalkTest, AChangedFileIsWithdrawnAndReportedAndNeverSpread) {
  archive->put(cream(), "/a", "one");
  archive->put(jam(), "/a", "one");
  ASSERT_TRUE(archive->walk(cream()).end);
  ASSERT_TRUE(archive->walk(jam()).end);
  archive->put(cream(), "/a", "two", 1500000000);
  const WalkReport report = archive->walk(cream());
  EXPECT_EQ(report.changed_outside, 1U);
  EXPECT_EQ(archive->at("/a").replicas, NodeSet::of(jam().index));
  EXPECT_EQ(archive->at("/a").digest, digest_of("one"));
  EXPECT_EQ(kinds(), std::vector{FindingKind::changed_outside});
  EXPECT_EQ(archive->content(cream(), "/a"), "two");
}

TEST_P(WalkTest, ATouchedFileIsDigestedOnceAndGetsItsTimeBack) {
  archive->put(cream(), "/a", "one");
  ASSERT_TRUE(archive->walk(cream()).end);
  archive->touch(cream(), "/a", 1600000000);
  const WalkReport report = archive->walk(cream());
  EXPECT_EQ(report.aligned, 1U);
  EXPECT_EQ(report.withdrawn(), 0U);
  EXPECT_EQ(archive->walk(cream()).digested_files, 0U);
  EXPECT_EQ(archive->at("/a").attributes.mtime.seconds, 1375696800);
}

TEST_P(WalkTest, OnlyADeepWalkFindsBitRot) {
  archive->put(cream(), "/a", "one");
  archive->put(cream(), "/b", "bbb");
  ASSERT_TRUE(archive->walk(cream()).end);
  archive->put(cream(), "/a", "onf");  // same size and time
  EXPECT_EQ(archive->walk(cream()).digested_files, 0U);
  WalkOptions deep = Archive::quick();
  deep.deep = true;
  const WalkReport report = archive->walk(cream(), deep);
  EXPECT_EQ(report.damaged, 1U);
  EXPECT_EQ(report.proved, 1U);
  EXPECT_EQ(kinds(), std::vector{FindingKind::damaged});
  EXPECT_TRUE(archive->at("/a").replicas.empty());
}

TEST_P(WalkTest, MissingFilesAndFoldersAreWithdrawn) {
  for (int i = 0; i < 8; ++i) archive->put(cream(), "/f/" + std::to_string(i), "x");
  archive->put(cream(), "/g/h/i", "y");
  ASSERT_TRUE(archive->walk(cream()).end);
  fs::remove(cream().root / "f/3");
  fs::remove_all(cream().root / "g");
  const WalkReport report = archive->walk(cream());
  ASSERT_TRUE(report.end) << report.end.error().message;
  EXPECT_EQ(report.missing, 2U);
  EXPECT_TRUE(archive->at("/f/3").replicas.empty());
  EXPECT_TRUE(archive->at("/g/h/i").replicas.empty());
  EXPECT_EQ(kinds(), (std::vector{FindingKind::missing, FindingKind::missing}));
  archive->expect_sound();
}

TEST_P(WalkTest, ManyMissingFilesStopForTheOperatorsWord) {
  for (int i = 0; i < 100; ++i)
    archive->put(cream(), "/" + std::to_string(i % 10) + "/" + std::to_string(i), "x");
  ASSERT_TRUE(archive->walk(cream()).end);
  for (int folder = 0; folder < 3; ++folder) fs::remove_all(cream().root / std::to_string(folder));
  const WalkReport report = archive->walk(cream());
  ASSERT_TRUE(!report.end);
  EXPECT_TRUE(report.end.error().is(errc::refused));
  EXPECT_EQ(report.exit_status(), 3);
  EXPECT_EQ(report.missing + report.held_back, 30U);
  EXPECT_LE(report.missing, 10U);
  // It stays on: a second walk does not nibble on.
  const WalkReport second = archive->walk(cream());
  EXPECT_EQ(second.missing, 0U);
  EXPECT_TRUE(!second.end && second.end.error().is(errc::refused));
  WalkOptions accept = Archive::quick();
  accept.accept_missing = true;
  const WalkReport third = archive->walk(cream(), accept);
  EXPECT_TRUE(third.end);
  EXPECT_EQ(report.missing + third.missing, 30U);
  EXPECT_TRUE(archive->walk(cream()).end);
  archive->expect_sound();
}

TEST_P(WalkTest, TheBrakeGivesWayWhenTheFilesAreBack) {
  for (int i = 0; i < 60; ++i) archive->put(cream(), "/f/" + std::to_string(i), "x");
  ASSERT_TRUE(archive->walk(cream()).end);
  fs::rename(cream().root / "f", cream().root / ".geogrid/away");
  EXPECT_TRUE(!archive->walk(cream()).end);
  fs::rename(cream().root / ".geogrid/away", cream().root / "f");
  EXPECT_TRUE(archive->walk(cream()).end);
  fs::remove(cream().root / "f/1");
  const WalkReport report = archive->walk(cream());
  EXPECT_TRUE(report.end);
  EXPECT_EQ(report.missing, 1U);
}

TEST_P(WalkTest, AnUnmountedDiskIsAbsentAndNotEmpty) {
  archive->put(cream(), "/a", "one");
  ASSERT_TRUE(archive->walk(cream()).end);
  fs::rename(cream().root, archive->scratch.path() / "away");
  const WalkReport report = archive->walk(cream());
  ASSERT_TRUE(!report.end);
  EXPECT_TRUE(report.end.error().is(errc::volume_absent)) << report.end.error().message;
  fs::create_directory(cream().root);
  EXPECT_TRUE(archive->walk(cream()).end.error().is(errc::volume_absent));
  EXPECT_EQ(archive->at("/a").replicas.size(), 1);
}

TEST_P(WalkTest, TypesThatClashAndSpecialFilesAreReported) {
  archive->put(cream(), "/file", "x");
  archive->put(cream(), "/folder/inside", "x");
  ASSERT_TRUE(archive->walk(cream()).end);
  archive->put(jam(), "/file/inside", "x");
  archive->put(jam(), "/folder", "x");
  ASSERT_EQ(mkfifo((jam().root / "pipe").c_str(), 0600), 0);
  const WalkReport report = archive->walk(jam());
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.type_conflicts, 2U);
  EXPECT_EQ(report.specials, 1U);
  EXPECT_FALSE(archive->known("/pipe"));
  EXPECT_FALSE(archive->known("/file/inside"));
  // A counted file that a folder has displaced does not count any more.
  fs::remove(cream().root / "file");
  fs::create_directory(cream().root / "file");
  EXPECT_EQ(archive->walk(cream()).type_conflicts, 1U);
  EXPECT_TRUE(archive->at("/file").replicas.empty());
}

TEST_P(WalkTest, IgnoredNamesAreLeftAlone) {
  archive->put(cream(), "/.nfs0001", "x");
  archive->put(cream(), "/lost+found/x", "x");
  archive->put(cream(), "/a/Thumbs.db", "x");
  archive->put(cream(), "/a/photo.jpg", "x");
  WalkOptions options = Archive::quick();
  options.ignore = IgnoreRules({"Thumbs.db"});
  const WalkReport report = archive->walk(cream(), options);
  EXPECT_EQ(report.registered_files, 1U);
  EXPECT_EQ(report.ignored, 3U);
}

TEST_P(WalkTest, WhatCannotBeReadConcludesNothing) {
  const auto env = std::make_shared<FaultyEnv>();
  TestNode& faulty = archive->add_node("faulty", env);
  archive->put(faulty, "/a/x", "x");
  archive->put(faulty, "/b/y", "y");
  ASSERT_TRUE(archive->walk(faulty).end);
  archive->put(faulty, "/c/z", "z");
  archive->put(faulty, "/c/bad", "bad");
  env->refuse("a", EACCES);
  env->refuse("c/bad", EIO);
  const WalkReport report = archive->walk(faulty);
  EXPECT_TRUE(report.end);
  EXPECT_EQ(report.unreadable_folders, 1U);
  EXPECT_EQ(report.unreadable_files, 1U);
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.exit_status(), 1);
  EXPECT_EQ(report.registered_files, 1U);
  EXPECT_EQ(archive->at("/a/x").replicas.size(), 1);
  EXPECT_EQ(kinds(), (std::vector{FindingKind::unreadable, FindingKind::unreadable}));
  env->refuse("a", 0);
  env->refuse("c/bad", 0);
  EXPECT_TRUE(archive->walk(faulty).complete);
  EXPECT_TRUE(archive->findings().empty());
  archive->expect_sound();
}

TEST_P(WalkTest, ASubtreeOrAFileAlone) {
  archive->put(cream(), "/a/b/c", "1");
  archive->put(cream(), "/a/d", "2");
  archive->put(cream(), "/e", "3");
  WalkOptions options = Archive::quick();
  options.start = path_of("/a/b");
  ASSERT_TRUE(archive->walk(cream(), options).end);
  EXPECT_TRUE(archive->known("/a/b/c"));
  EXPECT_FALSE(archive->known("/a/d"));
  EXPECT_FALSE(archive->known("/e"));
  archive->put(cream(), "/a/b/new", "4");
  archive->touch(cream(), "/a/b/c", 9);
  options.start = path_of("/a/b/c");
  const WalkReport one = archive->walk(cream(), options);
  EXPECT_TRUE(one.end) << one.end.error().message;
  EXPECT_EQ(one.digested_files, 1U);
  EXPECT_FALSE(archive->known("/a/b/new"));
  options.start = path_of("/nowhere");
  EXPECT_TRUE(archive->walk(cream(), options).end.error().is(errc::not_found));
}

TEST_P(WalkTest, ADryRunChangesNothing) {
  archive->put(cream(), "/a/b", "1", 5000);
  archive->put(cream(), "/gone", "1");
  archive->put(cream(), "/changed", "1");
  WalkOptions options = Archive::quick();
  options.start = path_of("/gone");
  ASSERT_TRUE(archive->walk(cream()).end);
  archive->put(cream(), "/new/file", "1");
  archive->touch(cream(), "/a/b", 6000);
  fs::remove(cream().root / "gone");
  archive->put(cream(), "/changed", "22", 7000);
  const auto before = archive->must(archive->store->latest_change());
  WalkOptions dry = Archive::quick();
  dry.dry_run = true;
  const WalkReport report = archive->walk(cream(), dry);
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.registered_files, 1U);
  EXPECT_EQ(report.registered_folders, 1U);
  EXPECT_EQ(report.missing, 1U);
  EXPECT_EQ(report.changed_outside, 1U);
  EXPECT_EQ(report.aligned, 1U);
  EXPECT_EQ(archive->must(archive->store->latest_change()), before);
  EXPECT_TRUE(archive->findings().empty());
  EXPECT_FALSE(archive->known("/new/file"));
  struct stat status {};
  ASSERT_EQ(stat((cream().root / "a/b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtime, 6000);
}

TEST_P(WalkTest, OnlyOneWalkOfANode) {
  for (int i = 0; i < 50; ++i) archive->put(cream(), "/" + std::to_string(i), "x");
  const auto lock = archive->must(cream().volume->lock("walk"));
  const WalkReport report = archive->walk(cream());
  EXPECT_TRUE(!report.end && report.end.error().is(errc::busy));
}

TEST_P(WalkTest, DeepTreesAndOddNames) {
  // Deeper than one system call's path: 300 levels of 20 bytes.
  std::string path;
  ASSERT_EQ(chdir(cream().root.c_str()), 0);
  for (int i = 0; i < 300; ++i) {
    const std::string name = "a folder of 20 bytes";
    path += "/" + name;
    ASSERT_EQ(mkdir(name.c_str(), 0755), 0);
    ASSERT_EQ(chdir(name.c_str()), 0);
  }
  FILE* file = fopen("at the bottom", "w");
  ASSERT_NE(file, nullptr);
  fputs("deep", file);
  fclose(file);
  ASSERT_EQ(chdir("/"), 0);
  ASSERT_GT(path.size(), 4096U);
  const WalkReport report = archive->walk(cream());
  ASSERT_TRUE(report.end) << report.end.error().message;
  EXPECT_EQ(report.registered_folders, 300U);
  EXPECT_EQ(archive->at(path + "/at the bottom").digest, digest_of("deep"));
  const ReplicateReport copied = archive->replicate(jam());
  EXPECT_EQ(copied.copied, 1U);
  EXPECT_EQ(archive->walk(jam()).unchanged, 1U);
  EXPECT_EQ(archive->at(path + "/at the bottom").replicas.size(), 2);
}

TEST_P(WalkTest, YoungFilesAreLookedAtAgainUntilTheyAreQuiet) {
  archive->put(cream(), "/a", "1");
  WalkOptions options;
  options.settle = std::chrono::milliseconds(1000);
  const WalkReport report = archive->walk(cream(), options);
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.registered_files, 1U);
  EXPECT_EQ(report.changed_meanwhile, 0U);
  EXPECT_GE(report.duration.count(), 1000);
}

TEST_P(WalkTest, TheFirstWalkEndsTheJoining) {
  TestNode& late = archive->add_node("late");
  NodeChange joining;
  joining.state = NodeState::joining;
  ASSERT_TRUE(archive->run(archive->store->change_node("late", joining)));
  archive->put(late, "/a", "1");
  ASSERT_TRUE(archive->walk(late).end);
  for (const NodeRecord& node : archive->must(archive->store->nodes(NodeKind::storage)))
    EXPECT_TRUE(node.index != late.index || node.state == NodeState::active);
}

TEST_P(WalkTest, ProofsAreNoted) {
  archive->put(cream(), "/a", "1");
  ASSERT_TRUE(archive->walk(cream()).end);
  const auto proofs = archive->must(archive->store->proved_times(archive->at("/a").id));
  ASSERT_EQ(proofs.size(), 1U);
  EXPECT_EQ(proofs[0].node, cream().index);
}

INSTANTIATE_TEST_SUITE_P(Stores, WalkTest, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
