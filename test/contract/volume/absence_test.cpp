// A volume that goes away, or that turns out to be another, while it is in use.

#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "contract/volume/volume_contract.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

class Absence : public VolumeContract {
 protected:
  void SetUp() override {
    VolumeContract::SetUp();
    put("photos/a", "picture");
    ASSERT_TRUE(run(volume->stat(path_of("/photos/a"))));
  }

  // Every call answers with this code, and none with ENOENT or an empty list.
  void expect_all(errc code) {
    const Path path = path_of("/photos/a");
    const auto is = [code](const auto& outcome) {
      return !outcome && outcome.error().is(code) ? "" : outcome ? "succeeded" : outcome.error().message;
    };
    EXPECT_EQ(is(run(volume->probe())), "");
    EXPECT_EQ(is(run(volume->stat(path))), "");
    EXPECT_EQ(is(run(volume->list(path_of("/photos")))), "");
    EXPECT_EQ(is(run(volume->list(Path()))), "");
    EXPECT_EQ(is(run(volume->open(path))), "");
    EXPECT_EQ(is(run(volume->read_whole(path, 100, DigestAlgorithm::md5))), "");
    EXPECT_EQ(is(run(volume->digest({path}, DigestAlgorithm::md5, true)).at(0)), "");
    EXPECT_EQ(is(run(volume->receive(10))), "");
    EXPECT_EQ(is(run(volume->receive_whole(bytes_of("x")))), "");
    EXPECT_EQ(is(run(volume->put_aside(path, AsideReason::conflict, {}))), "");
    EXPECT_EQ(is(run(volume->take_back(path, {}))), "");
    EXPECT_EQ(is(run(volume->make_folder(path_of("/f"), own()))), "");
    EXPECT_EQ(is(run(volume->make_symlink(path_of("/l"), "t", own()))), "");
    EXPECT_EQ(is(run(volume->set_mtime(path, {}))), "");
    EXPECT_EQ(is(run(volume->clean_temporary())), "");
    EXPECT_EQ(is(run(volume->lock("walk"))), "");
  }
  Error probe_error() { return run(volume->probe()).error(); }
};

TEST_P(Absence, RenamedAwayIsNoticedAndComesBack) {
  const fs::path away = scratch.path() / "away";
  const auto open_before = run(volume->open(path_of("/photos/a"))).value();
  const auto received = receive("new");
  fs::rename(root, away);
  expect_all(errc::volume_absent);
  EXPECT_TRUE(run(volume->publish({{.file = received, .path = path_of("/b"), .attributes = own()}}))
                  .at(0)
                  .error()
                  .is(errc::volume_absent));
  fs::rename(away, root);
  EXPECT_TRUE(run(volume->probe()));
  EXPECT_EQ(read("/photos/a").value(), "picture");
  EXPECT_TRUE(run(volume->publish({{.file = received, .path = path_of("/b"), .attributes = own()}})).at(0));
}

TEST_P(Absence, AnEmptyFolderInItsPlaceIsAbsentNotEmpty) {
  fs::rename(root, scratch.path() / "away");
  fs::create_directory(root);
  expect_all(errc::volume_absent);
  EXPECT_TRUE(fs::is_empty(root)) << "nothing is written to where no disk is mounted";
  EXPECT_NE(probe_error().message.find("mounted"), std::string::npos) << probe_error().message;
}

TEST_P(Absence, AFileInItsPlaceIsAbsent) {
  fs::rename(root, scratch.path() / "away");
  std::ofstream(root) << "not a folder";
  expect_all(errc::volume_absent);
}

TEST_P(Absence, WithoutItsMarkerItIsAbsent) {
  fs::rename(at(".geogrid/volume"), at(".geogrid/volume.old"));
  expect_all(errc::volume_absent);
  fs::rename(at(".geogrid/volume.old"), at(".geogrid/volume"));
  EXPECT_TRUE(run(volume->probe()));
}

TEST_P(Absence, AnotherNodesVolumeIsForeign) {
  const fs::path cream = scratch.path() / "cream";
  fs::create_directory(cream);
  ASSERT_TRUE(initialise_volume(
      cream.string(), {.cluster_uuid = "5f1c", .cluster_name = "geograph", .node = "cream", .uuid = "88bb"}));
  fs::rename(root, scratch.path() / "away");
  fs::rename(cream, root);
  expect_all(errc::foreign);
  EXPECT_NE(probe_error().message.find("cream"), std::string::npos) << probe_error().message;
  EXPECT_NE(probe_error().message.find("jam"), std::string::npos) << probe_error().message;
}

TEST_P(Absence, ACloneOfAnotherVolumeIsForeign) {
  const fs::path milk = scratch.path() / "milk";
  fs::copy(root, milk, fs::copy_options::recursive);
  VolumeMarker expected = marker;
  expected.node = "milk";
  expected.uuid = "99cc";
  const auto cloned = GetParam().open(milk.string(), expected);
  const auto probed = run(cloned->probe());
  EXPECT_TRUE(probed.error().is(errc::foreign));
  EXPECT_NE(probed.error().message.find("'jam'"), std::string::npos) << probed.error().message;
  EXPECT_NE(probed.error().message.find("'milk'"), std::string::npos) << probed.error().message;
}

TEST_P(Absence, AnotherVolumeOfTheSameNodeIsForeign) {
  fs::remove(at(".geogrid/volume"));
  VolumeMarker other = marker;
  other.uuid = "another";
  ASSERT_TRUE(initialise_volume(root.string(), other));
  expect_all(errc::foreign);
}

TEST_P(Absence, AnotherClustersVolumeIsForeign) {
  fs::remove(at(".geogrid/volume"));
  VolumeMarker other = marker;
  other.cluster_uuid = "another";
  other.cluster_name = "geobild";
  ASSERT_TRUE(initialise_volume(root.string(), other));
  expect_all(errc::foreign);
  EXPECT_NE(probe_error().message.find("geobild"), std::string::npos) << probe_error().message;
}

TEST_P(Absence, ADamagedMarkerIsCorrupt) {
  const std::string good = content(".geogrid/volume");
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("[]"), good.substr(0, good.size() / 2),
        std::string(100'000, ' '), std::string("{\"format\":2}"), std::string("{\"format\":\"x\"}"),
        std::string("{\"format\":1,\"node\":7}"), std::string(1000, '['), std::string("\xff\xfe\0", 3)}) {
    put(".geogrid/volume", bad);
    EXPECT_TRUE(probe_error().is(errc::corrupt)) << bad.substr(0, 30) << ": " << probe_error().message;
  }
  expect_all(errc::corrupt);
  put(".geogrid/volume", good);
  EXPECT_TRUE(run(volume->probe()));
}

TEST_P(Absence, AMarkerThatIsNoFileIsCorrupt) {
  fs::rename(at(".geogrid/volume"), at("elsewhere"));
  fs::create_symlink("../elsewhere", at(".geogrid/volume"));
  EXPECT_TRUE(probe_error().is(errc::corrupt)) << probe_error().message;
  fs::remove(at(".geogrid/volume"));
  fs::create_directory(at(".geogrid/volume"));
  EXPECT_TRUE(probe_error().is(errc::corrupt)) << probe_error().message;
}

TEST_P(Absence, AnUnmountedDiskIsAbsentAndAnIdleOneCanBeUnmounted) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount";
  const fs::path disk = scratch.path() / "disk";
  fs::create_directory(disk);
  const auto mount_it = [&] { return mount("none", disk.c_str(), "tmpfs", 0, "size=4m"); };
  ASSERT_EQ(mount_it(), 0);
  ASSERT_TRUE(initialise_volume(disk.string(), marker));
  volume = GetParam().open(disk.string(), marker);
  EXPECT_TRUE(publish("/photos/a", "picture"));
  EXPECT_TRUE(run(volume->stat(path_of("/photos/a"))));
  const bool unmounted = umount(disk.c_str()) == 0;
  EXPECT_TRUE(unmounted) << "nothing of it is held open";
  if (!unmounted) umount2(disk.c_str(), MNT_DETACH);
  expect_all(errc::volume_absent);
}

INSTANTIATE_TEST_SUITE_P(All, Absence, testing::ValuesIn(volume_makers()), name_of_maker);

}  // namespace
}  // namespace geogrid::test
