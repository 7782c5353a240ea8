#include <sys/stat.h>

#include "contract/volume/volume_contract.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

TEST_P(VolumeContract, PublishesWithAttributesAndParents) {
  Attributes attributes = own();
  attributes.mode = 06755;
  ASSERT_EQ(publish("/photos/01/02/a.jpg", "picture", attributes).value(), PublishOutcome::published);
  EXPECT_EQ(content("photos/01/02/a.jpg"), "picture");
  const DiskEntry entry = run(volume->stat(path_of("/photos/01/02/a.jpg"))).value();
  EXPECT_EQ(entry.attributes.mtime, attributes.mtime);
  EXPECT_EQ(entry.attributes.mode, 0755U) << "set-id bits are never set";
  EXPECT_EQ(run(volume->stat(path_of("/photos/01"))).value().attributes.mode, 0755U);
  EXPECT_TRUE(temporaries().empty());
}

TEST_P(VolumeContract, NothingIsVisibleBeforeThePublication) {
  const auto file = receive("picture");
  EXPECT_TRUE(names("/").value().empty());
  EXPECT_EQ(temporaries().size(), 1U);
}

TEST_P(VolumeContract, AnOccupiedPathStaysAsItIs) {
  put("a", "first");
  EXPECT_EQ(publish("/a", "second").value(), PublishOutcome::occupied);
  EXPECT_EQ(content("a"), "first");
  fs::create_directory(at("folder"));
  EXPECT_EQ(publish("/folder", "second").value(), PublishOutcome::occupied);
  fs::create_symlink("nowhere", at("link"));
  EXPECT_EQ(publish("/link", "second").value(), PublishOutcome::occupied);
  EXPECT_FALSE(exists("nowhere"));
}

TEST_P(VolumeContract, AFileThatFoundItsPathOccupiedCanBePublishedElsewhere) {
  put("a", "first");
  const auto file = receive("second");
  EXPECT_EQ(run(volume->publish({{.file = file, .path = path_of("/a"), .attributes = own()}})).at(0).value(),
            PublishOutcome::occupied);
  EXPECT_EQ(run(volume->publish({{.file = file, .path = path_of("/b"), .attributes = own()}})).at(0).value(),
            PublishOutcome::published);
  EXPECT_EQ(content("b"), "second");
  // Once only.
  EXPECT_FALSE(run(volume->publish({{.file = file, .path = path_of("/c"), .attributes = own()}})).at(0));
}

TEST_P(VolumeContract, BatchesAnswerEachInOrder) {
  put("taken/7", "old");
  put("file", "not a folder");
  std::vector<PublishRequest> requests;
  for (int i = 0; i < 200; ++i)
    requests.push_back({.file = receive(fmt::format("content {}", i)),
                        .path = path_of(i == 7   ? "/taken/7"
                                        : i == 8 ? "/file/8"
                                                 : fmt::format("/new/{}/{}", i % 20, i)),
                        .attributes = own()});
  const auto outcomes = run(volume->publish(std::move(requests)));
  ASSERT_EQ(outcomes.size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) {
    if (i == 7) {
      EXPECT_EQ(outcomes[i].value(), PublishOutcome::occupied);
    } else if (i == 8) {
      EXPECT_TRUE(outcomes[i].error().is(std::errc::not_a_directory)) << outcomes[i].error().message;
    } else {
      EXPECT_EQ(outcomes[i].value(), PublishOutcome::published);
      EXPECT_EQ(content(fmt::format("new/{}/{}", i % 20, i)), fmt::format("content {}", i));
    }
  }
  EXPECT_TRUE(run(volume->publish({})).empty());
}

TEST_P(VolumeContract, OfTwoForOnePathOneIsPublished) {
  const auto outcomes =
      run(volume->publish({{.file = receive("1"), .path = path_of("/p/a"), .attributes = own()},
                           {.file = receive("2"), .path = path_of("/p/a"), .attributes = own()}}));
  EXPECT_NE(outcomes[0].value(), outcomes[1].value());
  EXPECT_EQ(content("p/a"), outcomes[0].value() == PublishOutcome::published ? "1" : "2");
}

TEST_P(VolumeContract, ReceivesInPieces) {
  const auto file = run(volume->receive(1000)).value();
  ASSERT_TRUE(run(file->append(bytes_of("one "))));
  ASSERT_TRUE(run(file->append(bytes_of("two"))));
  ASSERT_TRUE(run(volume->publish({{.file = file, .path = path_of("/a"), .attributes = own()}})).at(0));
  EXPECT_EQ(content("a"), "one two");
  struct stat found {};
  ASSERT_EQ(stat(at("a").c_str(), &found), 0);
  EXPECT_LE(found.st_blocks, 8) << "what was reserved beyond the end was given back";
}

TEST_P(VolumeContract, OwnPathsAndTheRootTakeNoFiles) {
  for (const char* path : {"/", "/.geogrid", "/.geogrid/volume", "/.geogrid/tmp/x"})
    EXPECT_TRUE(publish(path, "x").error().is(errc::invalid_argument)) << path;
  EXPECT_FALSE(exists(".geogrid/tmp/x"));
}

}  // namespace
}  // namespace geogrid::test
