// Files come back from the trash: on the nodes that have them, under names that are free.

#include "contract/intents/owing.hpp"
#include "replication/trash_restorer.hpp"

namespace geogrid::test {
namespace {

class Restoring : public OwingTest {
 protected:
  result<RestoreReport> restore(RestoreRequest request) {
    return archive->run(restore_from_trash(*archive->store, archive->volumes(), std::move(request),
                                           std::make_shared<StopSignal>(), Log()));
  }
  RestoreReport must_restore(const std::string& path, const std::string& to = "") {
    RestoreRequest request;
    request.path = path_of(path);
    if (!to.empty()) request.to = path_of(to);
    auto report = restore(std::move(request));
    if (!report) throw std::runtime_error(report.error().message);
    return std::move(*report);
  }
  void remove(const std::string& path) {
    unlink(path);
    EXPECT_TRUE(drain(cream()));
    EXPECT_TRUE(drain(jam()));
  }
};

TEST_P(Restoring, AFileComesBackOnEveryNodeThatHasIt) {
  const Inode before = put("/a/b/1", "one");
  unlink("/a/b/1", LeaseOwner{});  // the restorer does what is owed and nobody has taken
  const RestoreReport report = must_restore("/a/b/1");
  ASSERT_EQ(report.files.size(), 1U);
  EXPECT_FALSE(report.files[0].error) << report.files[0].error->message;
  EXPECT_EQ(report.files[0].nodes, NodeSet::of(cream().index).with(jam().index));
  const Inode now = archive->at("/a/b/1");
  EXPECT_NE(now.id, before.id);
  EXPECT_EQ(now.digest, before.digest);
  EXPECT_EQ(now.attributes.mtime, before.attributes.mtime);
  EXPECT_EQ(archive->content(jam(), "/a/b/1"), "one");
  archive->expect_sound();
}

TEST_P(Restoring, AFolderComesBackWholeAndElsewhere) {
  put("/a/1", "one");
  put("/a/b/2", "two");
  remove("/a/1");
  remove("/a/b/2");
  archive->must(archive->store->remove_folder(folder("/a"), "b", now(), kMe));
  archive->must(archive->store->remove_folder(kRootInode, "a", now(), kMe));
  const RestoreReport report = must_restore("/a", "/back/to");
  EXPECT_EQ(report.files.size(), 2U);
  EXPECT_EQ(report.refused(), 0U);
  EXPECT_EQ(archive->content(cream(), "/back/to/b/2"), "two");
  EXPECT_FALSE(archive->known("/a"));
  EXPECT_EQ(archive->at("/back/to/1").replicas.size(), 2);
  archive->expect_sound();
}

TEST_P(Restoring, NothingIsReplaced) {
  put("/a", "old");
  remove("/a");
  put("/a", "new");
  const RestoreReport report = must_restore("/a");
  ASSERT_EQ(report.refused(), 1U);
  EXPECT_TRUE(report.files[0].error->is(errc::already_exists));
  EXPECT_EQ(archive->content(cream(), "/a"), "new");
  EXPECT_EQ(archive->content(cream(), in_trash("/a")), "old");
  EXPECT_EQ(must_restore("/a", "/b").refused(), 0U);
  EXPECT_EQ(archive->content(jam(), "/b"), "old");
  archive->expect_sound();
}

TEST_P(Restoring, TheNewestIsTakenAndOthersThatDifferStay) {
  put("/a", "first");
  remove("/a");
  put("/a", "second");
  unlink("/a");
  EXPECT_TRUE(drain(cream()));
  EXPECT_TRUE(drain(jam()));
  const RestoreReport report = must_restore("/a");
  EXPECT_EQ(report.refused(), 0U);
  EXPECT_EQ(archive->content(cream(), "/a"), "second");
  EXPECT_EQ(archive->content(jam(), "/a"), "second");
  archive->expect_sound();
}

TEST_P(Restoring, WhatIsNotThereIsAnError) {
  RestoreRequest request;
  request.path = path_of("/nothing");
  const auto report = restore(std::move(request));
  ASSERT_FALSE(report);
  EXPECT_TRUE(report.error().is(errc::not_found));
}

TEST_P(Restoring, ADryRunChangesNothing) {
  put("/a/1", "one");
  remove("/a/1");
  RestoreRequest request;
  request.path = path_of("/a/1");
  request.to = path_of("/x/y/z");
  request.dry_run = true;
  const auto report = restore(std::move(request));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->files.size(), 1U);
  EXPECT_FALSE(archive->known("/x"));
  EXPECT_EQ(archive->content(cream(), in_trash("/a/1")), "one");
}

INSTANTIATE_TEST_SUITE_P(Stores, Restoring, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
