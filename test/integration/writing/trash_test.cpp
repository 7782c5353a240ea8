// What was replaced or removed is found in the trash of each node that had it.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "at_rest.hpp"
#include "place.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

ClusterSetup two_nodes() {
  ClusterSetup setup;
  setup.nodes = 2;
  setup.clients = 1;
  return setup;
}

/// What lies at `path` in all trashes, sorted.
std::vector<std::string> contents_in_trash(const Cluster& archive, const std::string& path) {
  std::vector<std::string> contents;
  for (const std::string& file : kept_aside(archive, "trash", path)) contents.push_back(get(file));
  std::sort(contents.begin(), contents.end());
  return contents;
}

class Trash : public testing::Test {
 protected:
  Trash() { archive.start(); }
  std::string path(const std::string& path) const { return archive.mount(0) + path; }
  void expect_in_trash(const std::string& path, const std::vector<std::string>& contents) {
    EXPECT_TRUE(
        wait_until([&] { return contents_in_trash(archive, path) == contents; }, std::chrono::seconds(10)))
        << path << ": " << testing::PrintToString(contents_in_trash(archive, path)) << archive.logs();
  }
  void end() {
    const TreePicture picture = picture_of(archive.mount(0));
    EXPECT_TRUE(archive.wait_replicated());
    archive.stop();
    expect_at_rest(archive, picture, 2);
  }

  Cluster archive{two_nodes()};
};

TEST_F(Trash, HoldsOldVersions) {
  make_folder(path("/d"));
  put(path("/d/f"), "first");
  ASSERT_TRUE(archive.wait_replicated());
  put(path("/d/f"), "second");
  expect_in_trash("/d/f", {"first", "first"});
  ASSERT_TRUE(archive.wait_replicated());
  {
    const UniqueFd file = open_file(path("/d/f"), O_WRONLY | O_APPEND);
    say(file, " and more");
  }
  expect_in_trash("/d/f", {"first", "first", "second", "second"});
  EXPECT_EQ(get(path("/d/f")), "second and more");
  end();
}

TEST_F(Trash, HoldsWhatWasRemoved) {
  make_folder(path("/d"));
  make_folder(path("/d/e"));
  put(path("/d/f"), "removed");
  put(path("/d/e/g"), "removed with its folder");
  put(path("/over"), "renamed over");
  put(path("/never replicated"), "once");
  put(path("/empty"), "");
  ASSERT_TRUE(archive.wait_replicated());
  ASSERT_EQ(errno_of(::unlink(path("/d/f").c_str())), 0);
  ASSERT_EQ(errno_of(::unlink(path("/d/e/g").c_str())), 0);
  ASSERT_EQ(errno_of(::rmdir(path("/d/e").c_str())), 0);
  put(path("/new"), "new");
  ASSERT_EQ(errno_of(::rename(path("/new").c_str(), path("/over").c_str())), 0);
  expect_in_trash("/d/f", {"removed", "removed"});
  expect_in_trash("/d/e/g", {"removed with its folder", "removed with its folder"});
  expect_in_trash("/over", {"renamed over", "renamed over"});
  EXPECT_EQ(get(path("/over")), "new");
  end();
}

TEST_F(Trash, HoldsEachOfManyOfOneName) {
  std::vector<std::string> expected;
  for (int n = 0; n < 4; ++n) {
    const std::string content = "content " + std::to_string(n);
    put(path("/f"), content);
    ASSERT_TRUE(archive.wait_replicated());
    ASSERT_EQ(errno_of(::unlink(path("/f").c_str())), 0);
    expected.insert(expected.end(), 2, content);
    expect_in_trash("/f", expected);
  }
  end();
}

TEST_F(Trash, TakesWhatWasMovedUnderItsLastName) {
  make_folder(path("/a"));
  put(path("/a/f"), "content");
  ASSERT_TRUE(archive.wait_replicated());
  ASSERT_EQ(errno_of(::rename(path("/a").c_str(), path("/b").c_str())), 0);
  ASSERT_EQ(errno_of(::unlink(path("/b/f").c_str())), 0);
  expect_in_trash("/b/f", {"content", "content"});
  end();
}

TEST_F(Trash, LeavesRemovedFilesToTheirReaders) {
  const std::string content = content_for("f", 3000000);
  put(path("/f"), content);
  ASSERT_TRUE(archive.wait_replicated());
  const UniqueFd reader = open_file(path("/f"), O_RDONLY);
  char byte = 0;
  ASSERT_EQ(::read(reader.get(), &byte, 1), 1);
  ASSERT_EQ(errno_of(::unlink(path("/f").c_str())), 0);
  expect_in_trash("/f", {content, content});
  EXPECT_TRUE(get(reader) == content);
}

TEST_F(Trash, TakesWhatANodeOwesWhenItReturns) {
  make_folder(path("/d"));
  put(path("/d/f"), "first");
  put(path("/d/gone"), "gone");
  put(path("/d/moved"), "moved");
  ASSERT_TRUE(archive.wait_replicated());
  archive.stop_storage(1);
  const std::string away = archive.root(1) + ".away";
  ASSERT_EQ(errno_of(::rename(archive.root(1).c_str(), away.c_str())), 0);
  put(path("/d/f"), "second");
  ASSERT_EQ(errno_of(::unlink(path("/d/gone").c_str())), 0);
  ASSERT_EQ(errno_of(::rename(path("/d").c_str(), path("/e").c_str())), 0);
  put(path("/e/new"), "new");
  EXPECT_EQ(get(path("/e/f")), "second");
  EXPECT_EQ(get(path("/e/moved")), "moved");
  ASSERT_EQ(errno_of(::rename(away.c_str(), archive.root(1).c_str())), 0);
  archive.start_storage(1);
  EXPECT_TRUE(wait_until([&] { return exists(archive.root(1) + "/e/moved"); })) << archive.logs();
  expect_in_trash("/d/gone", {"gone", "gone"});
  end();
}

}  // namespace
}  // namespace geogrid::test
