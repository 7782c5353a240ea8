#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/volume/volume_contract.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;
constexpr Timestamp kDay{1375696800, 0};  // 2013-08-05

TEST_P(VolumeContract, PutsAsideByReasonAndDate) {
  put("photos/a", "1");
  put("photos/b", "2");
  put("photos/c", "3");
  EXPECT_EQ(run(volume->put_aside(path_of("/photos/a"), AsideReason::conflict, kDay)).value(),
            ".geogrid/conflicts/2013-08-05/photos/a");
  EXPECT_EQ(run(volume->put_aside(path_of("/photos/b"), AsideReason::damaged, kDay)).value(),
            ".geogrid/conflicts/2013-08-05/photos/b");
  EXPECT_EQ(run(volume->put_aside(path_of("/photos/c"), AsideReason::stale_version, kDay)).value(),
            ".geogrid/trash/2013-08-05/photos/c");
  EXPECT_EQ(content(".geogrid/conflicts/2013-08-05/photos/a"), "1");
  EXPECT_EQ(content(".geogrid/trash/2013-08-05/photos/c"), "3");
  EXPECT_TRUE(fs::is_empty(at("photos")));
}

TEST_P(VolumeContract, PuttingAsideNeverReplacesAnything) {
  std::vector<std::string> places;
  for (const char* content : {"1", "2", "3"}) {
    put("a", content);
    places.push_back(run(volume->put_aside(path_of("/a"), AsideReason::stale_version, kDay)).value());
  }
  EXPECT_EQ(places, (std::vector<std::string>{".geogrid/trash/2013-08-05/a", ".geogrid/trash/2013-08-05.1/a",
                                              ".geogrid/trash/2013-08-05.2/a"}));
  EXPECT_EQ(content(places[0]) + content(places[1]) + content(places[2]), "123");
  // What was a file is a folder now.
  put("a/b", "4");
  EXPECT_EQ(run(volume->put_aside(path_of("/a/b"), AsideReason::stale_version, kDay)).value(),
            ".geogrid/trash/2013-08-05.3/a/b");
}

TEST_P(VolumeContract, PutsFoldersAsideWhole) {
  put("a/b/c", "1");
  const std::string place = run(volume->put_aside(path_of("/a"), AsideReason::conflict, kDay)).value();
  EXPECT_EQ(content(place + "/b/c"), "1");
  EXPECT_FALSE(exists("a"));
}

TEST_P(VolumeContract, PutsNothingAsideThatIsNotThereOrIsOurs) {
  const auto missing = run(volume->put_aside(path_of("/no"), AsideReason::conflict, kDay));
  EXPECT_TRUE(missing.error().is(std::errc::no_such_file_or_directory));
  EXPECT_TRUE(fs::is_empty(at(".geogrid/conflicts")));
  EXPECT_TRUE(run(volume->put_aside(Path(), AsideReason::conflict, kDay)).error().is(errc::invalid_argument));
  EXPECT_TRUE(run(volume->put_aside(path_of("/.geogrid/volume"), AsideReason::conflict, kDay))
                  .error()
                  .is(errc::invalid_argument));
}

TEST_P(VolumeContract, TakesBackTheVeryFileOnly) {
  ASSERT_TRUE(publish("/p/a", "mine"));
  const DiskEntry mine = run(volume->stat(path_of("/p/a"))).value();
  put("p/new", "somebody else's");
  fs::rename(at("p/new"), at("p/a"));
  EXPECT_TRUE(run(volume->take_back(path_of("/p/a"), mine)).error().is(errc::stale));
  EXPECT_EQ(content("p/a"), "somebody else's");

  const DiskEntry theirs = run(volume->stat(path_of("/p/a"))).value();
  EXPECT_TRUE(run(volume->take_back(path_of("/p/a"), theirs)));
  EXPECT_FALSE(exists("p/a"));
  EXPECT_TRUE(exists("p"));
  EXPECT_TRUE(run(volume->take_back(path_of("/p/a"), mine)).error().is(std::errc::no_such_file_or_directory));
  EXPECT_TRUE(temporaries().empty());
  const DiskEntry folder = run(volume->stat(path_of("/p"))).value();
  EXPECT_TRUE(run(volume->take_back(path_of("/p"), folder)).error().is(errc::stale))
      << "folders are never removed";
}

TEST_P(VolumeContract, MakesFolders) {
  Attributes attributes = own();
  attributes.mode = 02750;
  ASSERT_TRUE(run(volume->make_folder(path_of("/a/b"), attributes)));
  const DiskEntry made = run(volume->stat(path_of("/a/b"))).value();
  EXPECT_EQ(made.type, FileType::folder);
  EXPECT_EQ(made.attributes.mode, 0750U);
  EXPECT_EQ(made.attributes.mtime, attributes.mtime);
  // One that is there stays as it is.
  attributes.mode = 0700;
  EXPECT_TRUE(run(volume->make_folder(path_of("/a/b"), attributes)));
  EXPECT_EQ(run(volume->stat(path_of("/a/b"))).value().attributes.mode, 0750U);

  attributes.mode = 0555;
  EXPECT_TRUE(run(volume->make_folder(path_of("/unwritable"), attributes)));
  EXPECT_EQ(run(volume->stat(path_of("/unwritable"))).value().attributes.mode, 0555U);
  EXPECT_TRUE(temporaries().empty());

  put("file", "x");
  EXPECT_TRUE(run(volume->make_folder(path_of("/file"), attributes)).error().is(errc::already_exists));
  fs::create_symlink("a", at("link"));
  EXPECT_TRUE(run(volume->make_folder(path_of("/link"), attributes)).error().is(errc::already_exists));
  EXPECT_TRUE(
      run(volume->make_folder(path_of("/.geogrid/x"), attributes)).error().is(errc::invalid_argument));
}

TEST_P(VolumeContract, MakesSymlinks) {
  const std::string target = "../not/there\xff";
  ASSERT_TRUE(run(volume->make_symlink(path_of("/a/l"), target, own())));
  const DiskEntry made = run(volume->stat(path_of("/a/l"))).value();
  EXPECT_EQ(made.type, FileType::symlink);
  EXPECT_EQ(made.link_target, target);
  EXPECT_EQ(made.attributes.mtime, own().mtime);
  EXPECT_TRUE(run(volume->make_symlink(path_of("/a/l"), target, own()))) << "the same again";
  EXPECT_TRUE(run(volume->make_symlink(path_of("/a/l"), "other", own())).error().is(errc::already_exists));
  put("file", "x");
  EXPECT_TRUE(run(volume->make_symlink(path_of("/file"), target, own())).error().is(errc::already_exists));
  EXPECT_TRUE(run(volume->make_symlink(path_of("/e"), "", own())).error().is(errc::invalid_argument));
}

TEST_P(VolumeContract, SetsTimesBefore1970AndAfter2106) {
  put("a", "x");
  for (const Timestamp time :
       {Timestamp{-86400, 5}, Timestamp{4'300'000'000, 999'999'999}, Timestamp{0, 0}}) {
    ASSERT_TRUE(run(volume->set_mtime(path_of("/a"), time)));
    EXPECT_EQ(run(volume->stat(path_of("/a"))).value().attributes.mtime, time);
  }
  EXPECT_TRUE(run(volume->set_mtime(path_of("/no"), {})).error().is(std::errc::no_such_file_or_directory));
}

}  // namespace
}  // namespace geogrid::test
