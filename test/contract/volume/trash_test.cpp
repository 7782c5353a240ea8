// The trash of a node.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "contract/volume/volume_contract.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;
const std::string kDate = "2013-08-05";

class Trash : public VolumeContract {
 protected:
  void put_in_trash(const std::string& path, std::string_view content = "x",
                    const std::string& date = kDate) const {
    put(".geogrid/trash/" + date + "/" + path, content);
  }
  bool in_trash(const std::string& path) const { return exists(".geogrid/trash/" + path); }
  TrashPurge purge(std::string_view below, std::size_t limit = 1000) {
    return run(volume->purge_trash(kDate, path_of(below), limit)).value();
  }
};

TEST_P(Trash, IsListedByDate) {
  EXPECT_TRUE(run(volume->trash_dates()).value().empty());
  for (const char* date : {"2013-08-05.10", "2013-08-05.9", "2013-08-05", "2012-01-01"})
    put_in_trash("photos/a", "x", date);
  fs::create_directory(at(".geogrid/trash/not a date"));
  fs::create_directory(at(".geogrid/trash/2013-08-05x"));
  put(".geogrid/trash/2014-01-01", "a file");
  std::vector<std::string> names;
  for (const TrashDate& date : run(volume->trash_dates()).value()) {
    names.push_back(date.name);
    EXPECT_EQ(date.day, date.name.substr(0, 10));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"2012-01-01", "2013-08-05", "2013-08-05.9", "2013-08-05.10"}));
  const auto entries = run(volume->list_trash(kDate, path_of("/photos"))).value();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(run(volume->list_trash(kDate, Path())).value().at(0).type, FileType::folder);
  EXPECT_TRUE(run(volume->list_trash("2013-08-06", Path())).error().is(std::errc::no_such_file_or_directory));
  EXPECT_TRUE(run(volume->list_trash("..", Path())).error().is(errc::invalid_argument));
  fs::remove_all(at(".geogrid/trash"));
  EXPECT_TRUE(run(volume->trash_dates()).value().empty());
}

TEST_P(Trash, GivesBackNeverOverAnything) {
  put_in_trash("photos/a", "old");
  fs::create_symlink("to", at(".geogrid/trash/2013-08-05/photos/link"));
  put("photos/a", "new");
  const auto restore = [&](std::string_view path, std::string_view to) {
    return run(volume->restore_from_trash(kDate, path_of(path), path_of(to)));
  };
  EXPECT_TRUE(restore("/photos/a", "/photos/a").error().is(std::errc::file_exists));
  EXPECT_TRUE(restore("/photos", "/restored").error().is(errc::is_a_folder));
  EXPECT_TRUE(restore("/", "/restored").error().is(errc::is_a_folder));
  EXPECT_TRUE(restore("/no", "/restored").error().is(std::errc::no_such_file_or_directory));
  EXPECT_TRUE(restore("/photos/a", "/.geogrid/x").error().is(errc::invalid_argument));
  ASSERT_TRUE(restore("/photos/a", "/restored/deep/a"));
  EXPECT_EQ(content("restored/deep/a") + content("photos/a"), "oldnew");
  ASSERT_TRUE(restore("/photos/link", "/link"));
  EXPECT_TRUE(fs::is_symlink(at("link")));
}

TEST_P(Trash, IsPurgedInBoundedSteps) {
  for (int i = 0; i < 50; ++i) put_in_trash(fmt::format("f{}/{}", i % 5, i), "1234567890");
  put_in_trash("a", "x", "2013-08-05.1");
  TrashPurge all;
  int steps = 0;
  for (;; ++steps) {
    const TrashPurge step = purge("/", 10);
    EXPECT_LE(step.files, 10U);
    all.files += step.files;
    all.bytes += step.bytes;
    if (!step.more) break;
    ASSERT_LT(steps, 100);
  }
  EXPECT_GE(steps, 5);
  EXPECT_EQ(all.files, 50U);
  EXPECT_EQ(all.bytes, 500U);
  EXPECT_FALSE(in_trash(kDate));
  EXPECT_TRUE(in_trash("2013-08-05.1/a"));
  const TrashPurge none = purge("/");
  EXPECT_EQ(none.files, 0U);
  EXPECT_FALSE(none.more);
  EXPECT_TRUE(run(volume->purge_trash("..", Path(), 10)).error().is(errc::invalid_argument));
  EXPECT_TRUE(run(volume->purge_trash("2013-08-05/..", Path(), 10)).error().is(errc::invalid_argument));
}

TEST_P(Trash, IsPurgedBelowAPath) {
  put_in_trash("photos/a/1");
  put_in_trash("photos/a/2/3");
  put_in_trash("photos/b");
  EXPECT_EQ(purge("/photos/a").files, 2U);
  EXPECT_FALSE(in_trash(kDate + "/photos/a"));
  EXPECT_TRUE(in_trash(kDate + "/photos/b"));
  EXPECT_EQ(purge("/photos/b").files, 1U) << "a file";
  EXPECT_FALSE(in_trash(kDate)) << "nothing was left in it";
}

TEST_P(Trash, PurgingFollowsNoSymlink) {
  put("outside/a", "stays");
  fs::create_directories(at(".geogrid/trash/2013-08-05/f"));
  fs::create_directory_symlink(at("outside"), at(".geogrid/trash/2013-08-05/f/link"));
  fs::create_directory_symlink(at("outside"), at(".geogrid/trash/2013-08-05/top"));
  EXPECT_EQ(purge("/top/a").files, 0U);
  EXPECT_EQ(purge("/top").files, 1U);
  EXPECT_EQ(purge("/").files, 1U);
  EXPECT_EQ(content("outside/a"), "stays");
  EXPECT_FALSE(in_trash(kDate));
}

TEST_P(Trash, PurgesTreesOfAnyDepth) {
  constexpr int kDepth = 600;
  fs::create_directories(at(".geogrid/trash/2013-08-05"));
  int folder = open(at(".geogrid/trash/2013-08-05").c_str(), O_PATH | O_DIRECTORY);
  const std::string name(200, 'n');
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(mkdirat(folder, name.c_str(), 0700), 0);
    const int next = openat(folder, name.c_str(), O_PATH | O_DIRECTORY);
    close(openat(next, "file", O_CREAT | O_WRONLY, 0600));
    close(folder);
    folder = next;
  }
  close(folder);
  std::uint64_t files = 0;
  for (bool more = true; more;) {
    const TrashPurge step = purge("/", 500);
    files += step.files;
    more = step.more;
  }
  EXPECT_EQ(files, std::uint64_t{kDepth});
  EXPECT_FALSE(in_trash(kDate));
}

TEST_P(Trash, PurgesThousandsASecond) {
  constexpr int kFiles = 5000;
  const fs::path folder = at(".geogrid/trash/2013-08-05/photos");
  fs::create_directories(folder);
  for (int i = 0; i < kFiles; ++i)
    close(open((folder / std::to_string(i)).c_str(), O_CREAT | O_WRONLY, 0600));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(purge("/", 100000).files, std::uint64_t{kFiles});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  RecordProperty("files_a_second", static_cast<int>(kFiles / took.count()));
  EXPECT_LT(took, std::chrono::seconds(30)) << "however loaded this machine is";
}

INSTANTIATE_TEST_SUITE_P(All, Trash, testing::ValuesIn(volume_makers()), name_of_maker);

}  // namespace
}  // namespace geogrid::test
