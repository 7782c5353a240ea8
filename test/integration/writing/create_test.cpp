// open(2) with O_CREAT and what else opening may do or refuse.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <thread>

#include "place.hpp"

namespace geogrid::test {
namespace {

class Creating : public Posix {};
GEOGRID_EVERYWHERE(Creating);

TEST_P(Creating, MakesAFileThatIsWhatWasAskedFor) {
  ::umask(027);
  const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT | O_EXCL, 0666);
  ::umask(022);
  const struct stat empty = stat_of(file);
  EXPECT_EQ(empty.st_mode, S_IFREG | 0640U);
  EXPECT_EQ(empty.st_size, 0);
  EXPECT_EQ(empty.st_nlink, 1U);
  EXPECT_EQ(empty.st_uid, ::geteuid());
  EXPECT_NEAR(seconds_of(empty.st_mtim), static_cast<double>(::time(nullptr)), 5);
  EXPECT_NEAR(seconds_of(empty.st_ctim), static_cast<double>(::time(nullptr)), 5);
  EXPECT_THAT(names_in_folder(folder()), testing::ElementsAre("f"));
  say(file, "hello");
  EXPECT_EQ(stat_of(file).st_size, 5);
  EXPECT_EQ(stat_of(path("f")).st_size, 5) << "seen by its name while it is still open";
  EXPECT_EQ(stat_of(path("f")).st_ino, empty.st_ino);
  EXPECT_EQ(get(path("f")), "hello") << "and read";
}

TEST_P(Creating, KeepsItsNumberAndContentAfterItIsClosed) {
  UniqueFd file = open_file(path("f"), O_WRONLY | O_CREAT);
  say(file, "hello");
  const ino_t number = stat_of(file).st_ino;
  ASSERT_EQ(::close(file.release()), 0);
  EXPECT_EQ(stat_of(path("f")).st_ino, number);
  EXPECT_EQ(get(path("f")), "hello");
  EXPECT_EQ(stat_of(path("f")).st_size, 5);
}

TEST_P(Creating, TakesFilesOfNoBytes) {
  put(path("closed"), "");
  const UniqueFd open = open_file(path("open"), O_WRONLY | O_CREAT);
  EXPECT_EQ(get(path("closed")), "");
  EXPECT_EQ(get(path("open")), "");
  put(path("emptied"), "something");
  put(path("emptied"), "");
  EXPECT_EQ(get(path("emptied")), "");
  EXPECT_EQ(stat_of(path("emptied")).st_size, 0);
}

TEST_P(Creating, IsExclusiveWhereItIsAskedTo) {
  put(path("f"), "first");
  make_folder(path("d"));
  ASSERT_EQ(::symlink("nowhere", path("dangling").c_str()), 0);
  for (const char* name : {"f", "d", "dangling"})
    EXPECT_EQ(open_errno(path(name), O_WRONLY | O_CREAT | O_EXCL), EEXIST) << name;
  EXPECT_EQ(get(path("f")), "first");
  EXPECT_FALSE(exists(path("nowhere")));
}

TEST_P(Creating, LetsOneOfManyWin) {
  constexpr int kRacers = 6, kNames = 30;
  std::atomic<int> won{0}, lost{0}, other{0};
  std::vector<std::thread> racers;
  for (int racer = 0; racer < kRacers; ++racer)
    racers.emplace_back([&] {
      for (int n = 0; n < kNames; ++n) {
        const int error = open_errno(path("f" + std::to_string(n)), O_WRONLY | O_CREAT | O_EXCL);
        ++(error == 0 ? won : error == EEXIST ? lost : other);
      }
    });
  for (std::thread& racer : racers) racer.join();
  EXPECT_EQ(won, kNames);
  EXPECT_EQ(lost, kNames * (kRacers - 1));
  EXPECT_EQ(other, 0);
  EXPECT_EQ(names_in_folder(folder()).size(), static_cast<std::size_t>(kNames));
}

TEST_P(Creating, OpensWhatIsThereAlready) {
  put(path("f"), "content", 0600);
  EXPECT_EQ(open_errno(path("f"), O_WRONLY | O_CREAT, 0777), 0);
  EXPECT_EQ(get(path("f")), "content");
  EXPECT_EQ(stat_of(path("f")).st_mode, S_IFREG | 0600U) << "its mode stays";
}

TEST_P(Creating, Truncates) {
  put(path("f"), "some content", 0640);
  const ino_t number = stat_of(path("f")).st_ino;
  {
    const UniqueFd file = open_file(path("f"), O_WRONLY | O_TRUNC);
    EXPECT_EQ(stat_of(path("f")).st_size, 0);
  }
  EXPECT_EQ(get(path("f")), "");
  put(path("f"), "other");
  EXPECT_EQ(get(path("f")), "other");
  EXPECT_EQ(stat_of(path("f")).st_ino, number);
  EXPECT_EQ(stat_of(path("f")).st_mode, S_IFREG | 0640U);
}

TEST_P(Creating, GoesThroughASymlink) {
  ASSERT_EQ(::symlink("target", path("link").c_str()), 0);
  put(path("link"), "through");
  EXPECT_EQ(get(path("target")), "through");
  EXPECT_TRUE(S_ISLNK(stat_of(path("link")).st_mode));
  EXPECT_EQ(open_errno(path("link"), O_WRONLY | O_CREAT | O_NOFOLLOW), ELOOP);
}

TEST_P(Creating, SaysWhatIsWrong) {
  put(path("f"), "f");
  make_folder(path("d"));
  ASSERT_EQ(::symlink("loop", path("loop").c_str()), 0);
  ASSERT_EQ(::symlink("nowhere/at/all", path("dangling").c_str()), 0);
  const std::string longest(255, 'n'), too_long(256, 'n');
  EXPECT_EQ(open_errno(path("d"), O_WRONLY), EISDIR);
  EXPECT_EQ(open_errno(path("d"), O_RDWR), EISDIR);
  EXPECT_EQ(open_errno(path("d"), O_RDONLY | O_CREAT), EISDIR);
  EXPECT_EQ(open_errno(path("new/"), O_WRONLY | O_CREAT), EISDIR);
  EXPECT_EQ(open_errno(path("none"), O_RDONLY), ENOENT);
  EXPECT_EQ(open_errno(path("none"), O_WRONLY | O_TRUNC), ENOENT);
  EXPECT_EQ(open_errno(path("none/f"), O_WRONLY | O_CREAT), ENOENT);
  EXPECT_EQ(open_errno(path("dangling"), O_WRONLY | O_CREAT), ENOENT);
  EXPECT_EQ(open_errno(path("f/x"), O_WRONLY | O_CREAT), ENOTDIR);
  EXPECT_EQ(open_errno(path("f"), O_RDONLY | O_DIRECTORY), ENOTDIR);
  EXPECT_EQ(open_errno(path("f/"), O_RDONLY), ENOTDIR);
  EXPECT_EQ(open_errno(path("loop"), O_WRONLY | O_CREAT), ELOOP);
  EXPECT_EQ(open_errno(path(too_long), O_WRONLY | O_CREAT), ENAMETOOLONG);
  EXPECT_EQ(open_errno(path(longest), O_WRONLY | O_CREAT), 0);
  EXPECT_THAT(names_in_folder(folder()), testing::ElementsAre("d", "dangling", "f", "loop", longest));
}

TEST_P(Creating, AsksWhoAsks) {
  put(path("readable"), "x", 0644);
  put(path("secret"), "x", 0600);
  make_folder(path("shut"), 0700);
  put(path("shut/f"), "x", 0666);
  make_folder(path("open"), 0777);
  make_folder(path("dark"), 0311);
  ASSERT_EQ(::chown(path("dark").c_str(), kAlice, kAlice), 0);
  const auto by_alice = [&](const std::string& name, int flags) {
    return as_user(kAlice, [&] { return open_errno(path(name), flags); });
  };
  EXPECT_EQ(by_alice("readable", O_RDONLY), 0);
  EXPECT_EQ(by_alice("readable", O_WRONLY), EACCES);
  EXPECT_EQ(by_alice("readable", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(by_alice("readable", O_RDONLY | O_TRUNC), EACCES);
  EXPECT_EQ(by_alice("secret", O_RDONLY), EACCES);
  EXPECT_EQ(by_alice("shut/f", O_RDONLY), EACCES);
  EXPECT_EQ(by_alice("new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(by_alice("open/new", O_WRONLY | O_CREAT), 0);
  EXPECT_EQ(by_alice("dark/new", O_WRONLY | O_CREAT), 0);
  EXPECT_EQ(by_alice("dark", O_RDONLY), EACCES);
  EXPECT_EQ(get(path("readable")), "x");
  EXPECT_EQ(stat_of(path("open/new")).st_uid, kAlice);
  EXPECT_EQ(stat_of(path("open/new")).st_gid, kAlice);
}

TEST_P(Creating, LetsTheMakerWriteWhateverTheMode) {
  make_folder(path("open"), 0777);
  // As git makes its objects.
  EXPECT_EQ(as_user(kAlice,
                    [&] {
                      const UniqueFd file = open_file(path("open/object"), O_WRONLY | O_CREAT | O_EXCL, 0400);
                      say(file, "object");
                      return open_errno(path("open/object"), O_WRONLY);
                    }),
            EACCES)
      << "and nobody afterwards";
  EXPECT_EQ(get(path("open/object")), "object");
  EXPECT_EQ(stat_of(path("open/object")).st_mode, S_IFREG | 0400U);
}

TEST_P(Creating, InheritsTheGroupOfASetGidFolder) {
  make_folder(path("shared"), 02777);
  ASSERT_EQ(::chown(path("shared").c_str(), 0, kBob), 0);
  ASSERT_EQ(::chmod(path("shared").c_str(), 02777), 0);
  EXPECT_EQ(as_user(kAlice,
                    [&] {
                      put(path("shared/f"), "f");
                      return errno_of(::mkdir(path("shared/d").c_str(), 0755));
                    }),
            0);
  EXPECT_EQ(stat_of(path("shared/f")).st_gid, kBob);
  EXPECT_EQ(stat_of(path("shared/f")).st_mode & 07777U, 0644U);
  EXPECT_EQ(stat_of(path("shared/d")).st_gid, kBob);
  EXPECT_EQ(stat_of(path("shared/d")).st_mode & 07777U, 02755U) << "folders inherit the bit too";
}

TEST_P(Creating, TouchesTheFolder) {
  struct timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, folder().c_str(), past, 0), 0);
  put(path("f"), "f");
  EXPECT_NEAR(seconds_of(stat_of(folder()).st_mtim), static_cast<double>(::time(nullptr)), 5);
  ASSERT_EQ(::utimensat(AT_FDCWD, folder().c_str(), past, 0), 0);
  put(path("f"), "content");
  EXPECT_EQ(stat_of(folder()).st_mtim.tv_sec, 1000000000) << "an overwrite does not";
}

TEST_P(Creating, ListsEachOfManyOnce) {
  std::vector<std::string> names;
  for (int n = 0; n < 300; ++n) {
    char name[20];
    std::snprintf(name, sizeof name, "f%03d", n);
    names.emplace_back(name);
    put(path(name), name);
  }
  EXPECT_EQ(names_in_folder(folder()), names);
  EXPECT_EQ(get(path("f123")), "f123");
}

}  // namespace
}  // namespace geogrid::test
