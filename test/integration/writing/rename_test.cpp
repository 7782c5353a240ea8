// rename(2) and renameat2(2).

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <thread>

#include "place.hpp"

namespace geogrid::test {
namespace {

class Renaming : public Posix {
 protected:
  int rename(const std::string& from, const std::string& to, unsigned flags = 0) {
    return errno_of(::renameat2(AT_FDCWD, path(from).c_str(), AT_FDCWD, path(to).c_str(), flags));
  }
};
GEOGRID_EVERYWHERE(Renaming);

TEST_P(Renaming, MovesFilesWithinAndAcrossFolders) {
  make_folder(path("d"));
  put(path("a"), "content");
  const ino_t number = stat_of(path("a")).st_ino;
  EXPECT_EQ(rename("a", "b"), 0);
  EXPECT_FALSE(exists(path("a")));
  EXPECT_EQ(get(path("b")), "content");
  EXPECT_EQ(rename("b", "d/c"), 0);
  EXPECT_FALSE(exists(path("b")));
  EXPECT_EQ(get(path("d/c")), "content");
  EXPECT_EQ(stat_of(path("d/c")).st_ino, number);
  EXPECT_EQ(rename("d/c", "d/c"), 0) << "to itself";
  EXPECT_EQ(get(path("d/c")), "content");
  put(path("a"), "another");
  EXPECT_EQ(get(path("a")), "another") << "the name is free again";
}

TEST_P(Renaming, ReplacesFiles) {
  put(path("old"), "old");
  for (int n = 0; n < 10; ++n) {
    put(path("new"), "new " + std::to_string(n));
    const ino_t number = stat_of(path("new")).st_ino;
    ASSERT_EQ(rename("new", "old"), 0);
    ASSERT_EQ(get(path("old")), "new " + std::to_string(n));
    ASSERT_EQ(stat_of(path("old")).st_ino, number);
    ASSERT_THAT(names_in_folder(folder()), testing::ElementsAre("old"));
  }
}

TEST_P(Renaming, ReplacesEmptyFoldersOnly) {
  make_folder(path("a"));
  put(path("a/f"), "f");
  make_folder(path("empty"));
  make_folder(path("full"));
  put(path("full/g"), "g");
  put(path("file"), "file");
  EXPECT_EQ(rename("a", "full"), ENOTEMPTY);
  EXPECT_EQ(rename("a", "file"), ENOTDIR);
  EXPECT_EQ(rename("file", "empty"), EISDIR);
  EXPECT_EQ(rename("a", "empty"), 0);
  EXPECT_EQ(get(path("empty/f")), "f");
  EXPECT_THAT(names_in_folder(folder()), testing::ElementsAre("empty", "file", "full"));
}

TEST_P(Renaming, NeverPutsAFolderIntoItself) {
  make_folder(path("a"));
  make_folder(path("a/b"));
  put(path("a/b/f"), "f");
  EXPECT_EQ(rename("a", "a/b/c"), EINVAL);
  EXPECT_EQ(rename("a", "a/c"), EINVAL);
  EXPECT_EQ(rename("a/b", "a"), ENOTEMPTY);
  EXPECT_EQ(rename("a", "a/b", RENAME_EXCHANGE), EINVAL);
  EXPECT_EQ(rename("a/b", "a", RENAME_EXCHANGE), EINVAL);
  EXPECT_EQ(get(path("a/b/f")), "f");
}

TEST_P(Renaming, SaysWhatIsWrong) {
  put(path("f"), "f");
  make_folder(path("d"));
  EXPECT_EQ(rename("none", "x"), ENOENT);
  EXPECT_EQ(rename("f", "none/x"), ENOENT);
  EXPECT_EQ(rename("f", "f/x"), ENOTDIR);
  EXPECT_EQ(rename("f/x", "y"), ENOTDIR);
  EXPECT_EQ(rename("f", "x/"), ENOTDIR);
  EXPECT_EQ(rename("f", std::string(256, 'n')), ENAMETOOLONG);
  EXPECT_EQ(rename("d/.", "x"), EBUSY);
  EXPECT_EQ(rename("f", "x", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
  EXPECT_EQ(errno_of(::rename(path("f").c_str(), "/dev/shm/geogrid-elsewhere")), EXDEV);
  make_folder(path("open"), 0777);
  put(path("open/mine"), "mine");
  EXPECT_EQ(as_user(kAlice, [&] { return rename("f", "g"); }), EACCES);
  EXPECT_EQ(as_user(kAlice, [&] { return rename("f", "open/g"); }), EACCES);
  EXPECT_EQ(as_user(kAlice, [&] { return rename("open/mine", "g"); }), EACCES);
  EXPECT_EQ(as_user(kAlice, [&] { return rename("open/mine", "open/yours"); }), 0);
  EXPECT_THAT(names_in_folder(folder()), testing::ElementsAre("d", "f", "open"));
}

TEST_P(Renaming, KeepsWhatIsThereWhenAskedTo) {
  put(path("a"), "a");
  put(path("b"), "b");
  make_folder(path("d"));
  EXPECT_EQ(rename("a", "b", RENAME_NOREPLACE), EEXIST);
  EXPECT_EQ(rename("a", "d", RENAME_NOREPLACE), EEXIST);
  EXPECT_EQ(rename("d", "a", RENAME_NOREPLACE), EEXIST);
  EXPECT_EQ(get(path("b")), "b");
  EXPECT_EQ(rename("a", "c", RENAME_NOREPLACE), 0);
  EXPECT_EQ(get(path("c")), "a");
  EXPECT_EQ(rename("d", "e", RENAME_NOREPLACE), 0);
}

TEST_P(Renaming, Exchanges) {
  put(path("a"), "content of a", 0600);
  make_folder(path("d"));
  put(path("d/b"), "content of b", 0644);
  EXPECT_EQ(rename("a", "none", RENAME_EXCHANGE), ENOENT);
  EXPECT_EQ(rename("none", "a", RENAME_EXCHANGE), ENOENT);
  EXPECT_EQ(rename("a", "d/b", RENAME_EXCHANGE), 0);
  EXPECT_EQ(get(path("a")), "content of b");
  EXPECT_EQ(get(path("d/b")), "content of a");
  EXPECT_EQ(stat_of(path("d/b")).st_mode & 0777U, 0600U);
  make_folder(path("e"));
  put(path("e/deep"), "deep");
  EXPECT_EQ(rename("a", "e", RENAME_EXCHANGE), 0) << "a file and a folder";
  EXPECT_EQ(get(path("a/deep")), "deep");
  EXPECT_EQ(get(path("e")), "content of b");
  EXPECT_EQ(rename("a", "d", RENAME_EXCHANGE), 0) << "two folders with something in them";
  EXPECT_EQ(get(path("d/deep")), "deep");
  EXPECT_EQ(get(path("a/b")), "content of a");
  ASSERT_EQ(::symlink("e", path("link").c_str()), 0);
  EXPECT_EQ(rename("link", "e", RENAME_EXCHANGE), 0) << "a link and a file";
  EXPECT_TRUE(S_ISLNK(stat_of(path("e")).st_mode));
  EXPECT_EQ(get(path("link")), "content of b");
  put(path("link"), "written after");
  EXPECT_EQ(get(path("link")), "written after");
}

TEST_P(Renaming, OverAnOpenFileLeavesItToWhoHasItOpen) {
  put(path("f"), "the old");
  const UniqueFd old = open_file(path("f"), O_RDWR);
  put(path("new"), "the new");
  ASSERT_EQ(rename("new", "f"), 0);
  EXPECT_EQ(get(path("f")), "the new");
  EXPECT_EQ(get(old), "the old");
  EXPECT_EQ(stat_of(old).st_nlink, 0U);
  ASSERT_EQ(::pwrite(old.get(), "THE", 3, 0), 3);
  EXPECT_EQ(get(old), "THE old");
  EXPECT_EQ(get(path("f")), "the new");
}

TEST_P(Renaming, TakesAFileThatIsBeingWritten) {
  make_folder(path("d"));
  const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
  say(file, "one");
  ASSERT_EQ(rename("f", "d/g"), 0);
  say(file, " two");
  EXPECT_EQ(get(path("d/g")), "one two");
  EXPECT_FALSE(exists(path("f")));
  put(path("f"), "another");
  say(file, " three");
  ASSERT_EQ(errno_of(::fsync(file.get())), 0);
  EXPECT_EQ(get(path("d/g")), "one two three");
  EXPECT_EQ(get(path("f")), "another");
}

TEST_P(Renaming, AsProgramsSaveTheirFiles) {
  put(path("f"), "version 0");
  for (int n = 1; n <= 15; ++n) {
    const std::string content = "version " + std::to_string(n);
    const UniqueFd file = open_file(path("f.tmp"), O_WRONLY | O_CREAT | O_EXCL);
    say(file, content);
    ASSERT_EQ(errno_of(::fsync(file.get())), 0);
    ASSERT_EQ(rename("f.tmp", "f"), 0) << "before it is closed";
    ASSERT_EQ(get(path("f")), content);
  }
}

TEST_P(Renaming, IsAtomicForReaders) {
  const auto version = [](int n) { return content_for(std::to_string(n), 10000); };
  put(path("f"), version(0));
  std::atomic<bool> done{false};
  std::atomic<int> missing{0}, unknown{0}, reads{0};
  std::thread reader([&] {
    while (!done) {
      const UniqueFd file(::open(path("f").c_str(), O_RDONLY));
      ++reads;
      if (!file) {
        ++missing;
        continue;
      }
      const std::string content = get(file);
      if (content != version(0) && content != version(1) && content != version(2)) ++unknown;
    }
  });
  for (int n = 0; n < 40; ++n) {
    put(path("tmp"), version(n % 3));
    EXPECT_EQ(rename("tmp", "f"), 0);
  }
  done = true;
  reader.join();
  EXPECT_EQ(missing, 0) << "of " << reads;
  EXPECT_EQ(unknown, 0) << "of " << reads;
}

TEST_P(Renaming, MovesFoldersWithAllInThem) {
  make_folder(path("a"));
  make_folder(path("a/b"));
  make_folder(path("x"));
  put(path("a/b/f"), "f");
  put(path("a/g"), "g");
  const UniqueFd open = open_file(path("a/b/open"), O_RDWR | O_CREAT);
  say(open, "before");
  const nlink_t links = stat_of(folder()).st_nlink;
  EXPECT_EQ(rename("a", "x/y"), 0);
  EXPECT_EQ(stat_of(folder()).st_nlink, links - 1) << "a folder less";
  EXPECT_EQ(get(path("x/y/b/f")), "f");
  EXPECT_EQ(get(path("x/y/g")), "g");
  say(open, " after");
  EXPECT_EQ(get(path("x/y/b/open")), "before after");
  put(path("x/y/b/new"), "new");
  EXPECT_EQ(rename("x/y/b", "b"), 0);
  EXPECT_EQ(rename("b", "c"), 0);
  EXPECT_THAT(names_in_folder(path("c")), testing::ElementsAre("f", "new", "open"));
  put(path("c/f"), "changed");
  EXPECT_EQ(get(path("c/f")), "changed");
  EXPECT_EQ(get(path("c/open")), "before after");
}

TEST_P(Renaming, TouchesFoldersAndTheFile) {
  make_folder(path("a"));
  make_folder(path("b"));
  put(path("a/f"), "f");
  const struct timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
  for (const char* name : {"a", "b", "a/f"}) ASSERT_EQ(::utimensat(AT_FDCWD, path(name).c_str(), past, 0), 0);
  ASSERT_EQ(rename("a/f", "b/f"), 0);
  const auto now = static_cast<double>(::time(nullptr));
  EXPECT_NEAR(seconds_of(stat_of(path("a")).st_mtim), now, 5);
  EXPECT_NEAR(seconds_of(stat_of(path("b")).st_mtim), now, 5);
  EXPECT_EQ(stat_of(path("b/f")).st_mtim.tv_sec, 1000000000) << "its content did not change";
  EXPECT_NEAR(seconds_of(stat_of(path("b/f")).st_ctim), now, 5);
}

TEST_P(Renaming, CrosswiseMakesNoCycle) {
  make_folder(path("a"));
  make_folder(path("b"));
  make_folder(path("a/x"));
  make_folder(path("b/y"));
  std::atomic<int> odd{0};
  const auto toss = [&](const std::string& what, const std::string& into) {
    for (int n = 0; n < 30; ++n)
      for (const int error : {rename(what, into + "/moved"), rename(into + "/moved", what)})
        if (error != 0 && error != EINVAL && error != ENOENT && error != ENOTEMPTY) ++odd;
  };
  std::thread one([&] { toss("a", "b/y"); }), two([&] { toss("b", "a/x"); });
  one.join();
  two.join();
  EXPECT_EQ(odd, 0);
  int found = 0;
  const std::function<void(const std::string&)> walk = [&](const std::string& at) {
    for (const std::string& name : names_in_folder(at)) {
      ++found;
      walk(at + "/" + name);
    }
  };
  walk(folder());
  EXPECT_EQ(found, 4) << "nobody is lost in a ring";
}

TEST_P(Renaming, TakesLinksAndFifos) {
  ASSERT_EQ(::symlink("nowhere", path("link").c_str()), 0);
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  make_folder(path("d"));
  EXPECT_EQ(rename("link", "d/link2"), 0);
  EXPECT_EQ(rename("fifo", "d/fifo2"), 0);
  EXPECT_TRUE(S_ISLNK(stat_of(path("d/link2")).st_mode));
  EXPECT_TRUE(S_ISFIFO(stat_of(path("d/fifo2")).st_mode));
  put(path("f"), "f");
  EXPECT_EQ(rename("f", "d/link2"), 0) << "over the link, not through it";
  EXPECT_EQ(get(path("d/link2")), "f");
  EXPECT_FALSE(exists(path("d/nowhere")));
}

}  // namespace
}  // namespace geogrid::test
