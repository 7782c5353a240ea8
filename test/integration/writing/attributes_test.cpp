// chmod(2), chown(2), utimensat(2), access(2), statvfs(2).

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "place.hpp"

namespace geogrid::test {
namespace {

class Attributes : public Posix {
 protected:
  mode_t mode(const std::string& name) { return stat_of(path(name)).st_mode & 07777U; }
  int chmod(const std::string& name, mode_t mode) { return errno_of(::chmod(path(name).c_str(), mode)); }
  int chown(const std::string& name, uid_t uid, gid_t gid) {
    return errno_of(::chown(path(name).c_str(), uid, gid));
  }
  int set_times(const std::string& name, struct timespec atime, struct timespec mtime, int flags = 0) {
    const struct timespec times[2] = {atime, mtime};
    return errno_of(::utimensat(AT_FDCWD, path(name).c_str(), times, flags));
  }
  /// A file of this owner and mode.
  void put_of(const std::string& name, uid_t owner, mode_t mode) {
    put(path(name), "content");
    ASSERT_EQ(chown(name, owner, owner), 0);
    ASSERT_EQ(chmod(name, mode), 0);
  }
};
GEOGRID_EVERYWHERE(Attributes);

TEST_P(Attributes, ModesAreTheOwners) {
  put_of("f", kAlice, 0644);
  EXPECT_EQ(as_user(kAlice, [&] { return chmod("f", 0751); }), 0);
  EXPECT_EQ(mode("f"), 0751U);
  EXPECT_EQ(as_user(kBob, [&] { return chmod("f", 0777); }), EPERM);
  EXPECT_EQ(mode("f"), 0751U);
  EXPECT_EQ(chmod("none", 0644), ENOENT);
  for (const mode_t bits : {04755U, 02755U, 01644U, 0U, 07777U}) {
    EXPECT_EQ(chmod("f", bits), 0);
    EXPECT_EQ(mode("f"), bits);
  }
  make_folder(path("d"));
  EXPECT_EQ(chmod("d", 03775), 0);
  EXPECT_EQ(stat_of(path("d")).st_mode, S_IFDIR | 03775U);
  EXPECT_NEAR(seconds_of(stat_of(path("f")).st_ctim), static_cast<double>(::time(nullptr)), 5);
}

TEST_P(Attributes, OwnersAreRoots) {
  put_of("f", kAlice, 0644);
  EXPECT_EQ(as_user(kAlice, [&] { return chown("f", kBob, static_cast<gid_t>(-1)); }), EPERM);
  EXPECT_EQ(as_user(kAlice, [&] { return chown("f", static_cast<uid_t>(-1), kBob); }), EPERM)
      << "not a group of hers";
  EXPECT_EQ(as_user(kAlice, [&] { return chown("f", static_cast<uid_t>(-1), kAlice); }), 0);
  EXPECT_EQ(as_user(kBob, [&] { return chown("f", static_cast<uid_t>(-1), kBob); }), EPERM);
  EXPECT_EQ(chown("f", kBob, static_cast<gid_t>(-1)), 0);
  EXPECT_EQ(stat_of(path("f")).st_uid, kBob);
  EXPECT_EQ(stat_of(path("f")).st_gid, kAlice);
  ASSERT_EQ(::symlink("f", path("l").c_str()), 0);
  EXPECT_EQ(errno_of(::lchown(path("l").c_str(), 7, 8)), 0);
  EXPECT_EQ(stat_of(path("l")).st_uid, 7U);
  EXPECT_EQ(stat_of(path("f")).st_uid, kBob);
  make_folder(path("d"));
  EXPECT_EQ(chown("d", kAlice, kBob), 0);
  EXPECT_EQ(as_user(kAlice, [&] { return errno_of(::mkdir(path("d/e").c_str(), 0755)); }), 0);
}

TEST_P(Attributes, ChangeWhileTheFileIsWritten) {
  {
    const UniqueFd file = open_file(path("f"), O_WRONLY | O_CREAT, 0600);
    say(file, "content");
    EXPECT_EQ(errno_of(::fchmod(file.get(), 0640)), 0);
    EXPECT_EQ(errno_of(::fchown(file.get(), kAlice, kBob)), 0);
    EXPECT_EQ(stat_of(path("f")).st_mode & 07777U, 0640U);
    say(file, " and more");
  }
  EXPECT_EQ(mode("f"), 0640U);
  EXPECT_EQ(stat_of(path("f")).st_uid, kAlice);
  EXPECT_EQ(stat_of(path("f")).st_gid, kBob);
  EXPECT_EQ(get(path("f")), "content and more");
}

TEST_P(Attributes, SetIdBitsGoWhenOthersChangeTheFile) {
  put_of("written", kAlice, 06777);
  EXPECT_EQ(as_user(kBob,
                    [&] {
                      say(open_file(path("written"), O_WRONLY | O_APPEND), "!");
                      return 0;
                    }),
            0);
  EXPECT_EQ(mode("written"), 0777U);
  EXPECT_EQ(get(path("written")), "content!");
  put_of("truncated", kAlice, 06777);
  EXPECT_EQ(as_user(kBob, [&] { return errno_of(::truncate(path("truncated").c_str(), 3)); }), 0);
  EXPECT_EQ(mode("truncated"), 0777U);
  put_of("opened", kAlice, 06777);
  EXPECT_EQ(as_user(kBob, [&] { return open_errno(path("opened"), O_WRONLY | O_TRUNC); }), 0);
  EXPECT_EQ(mode("opened"), 0777U);
  put_of("given", kAlice, 06755);
  EXPECT_EQ(chown("given", kBob, kBob), 0);
  EXPECT_EQ(mode("given"), 0755U) << "whoever gives it";
  put_of("grouped", kAlice, 0755);
  ASSERT_EQ(chown("grouped", kAlice, kBob), 0);
  EXPECT_EQ(as_user(kAlice, [&] { return chmod("grouped", 02755); }), 0);
  EXPECT_EQ(mode("grouped"), 0755U) << "she is not in that group";
  put_of("read", kAlice, 04755);
  EXPECT_EQ(as_user(kBob, [&] { return open_errno(path("read"), O_RDONLY); }), 0);
  EXPECT_EQ(mode("read"), 04755U);
  make_folder(path("d"), 02775);
  EXPECT_EQ(chown("d", kAlice, kBob), 0);
  EXPECT_EQ(mode("d"), 02775U) << "a folder's mean something else";
}

TEST_P(Attributes, TimesAreKeptToTheNanosecond) {
  put_of("f", kAlice, 0644);
  EXPECT_EQ(set_times("f", {1234567890, 123456789}, {987654321, 987654321}), 0);
  const struct stat set = stat_of(path("f"));
  EXPECT_EQ(set.st_atim.tv_sec, 1234567890);
  EXPECT_EQ(set.st_atim.tv_nsec, 123456789);
  EXPECT_EQ(set.st_mtim.tv_sec, 987654321);
  EXPECT_EQ(set.st_mtim.tv_nsec, 987654321);
  EXPECT_EQ(set_times("f", {0, UTIME_OMIT}, {100, 1}), 0);
  EXPECT_EQ(stat_of(path("f")).st_atim.tv_nsec, 123456789);
  EXPECT_EQ(stat_of(path("f")).st_mtim.tv_sec, 100);
  EXPECT_EQ(set_times("f", {0, UTIME_NOW}, {0, UTIME_OMIT}), 0);
  EXPECT_NEAR(seconds_of(stat_of(path("f")).st_atim), static_cast<double>(::time(nullptr)), 5);
  EXPECT_EQ(stat_of(path("f")).st_mtim.tv_sec, 100);
  EXPECT_EQ(set_times("f", {-1000000000, 5}, {4294967296, 7}), 0) << "before 1970, after 2106";
  EXPECT_EQ(stat_of(path("f")).st_atim.tv_sec, -1000000000);
  EXPECT_EQ(stat_of(path("f")).st_mtim.tv_sec, 4294967296);
  EXPECT_EQ(set_times("f", {0, 0}, {0, 1000000000}), EINVAL);
  EXPECT_EQ(set_times("none", {0, 0}, {0, 0}), ENOENT);
  make_folder(path("d"));
  EXPECT_EQ(set_times("d", {5, 6}, {7, 8}), 0);
  EXPECT_EQ(stat_of(path("d")).st_mtim.tv_nsec, 8);
  ASSERT_EQ(::symlink("f", path("l").c_str()), 0);
  EXPECT_EQ(set_times("l", {5, 6}, {7, 8}, AT_SYMLINK_NOFOLLOW), 0);
  EXPECT_EQ(stat_of(path("l")).st_mtim.tv_sec, 7);
  EXPECT_EQ(stat_of(path("f")).st_mtim.tv_sec, 4294967296);
}

TEST_P(Attributes, TimesAreTheOwnersToSet) {
  put_of("f", kAlice, 0666);
  EXPECT_EQ(as_user(kBob, [&] { return set_times("f", {5, 5}, {5, 5}); }), EPERM);
  EXPECT_EQ(as_user(kBob,
                    [&] {
                      return set_times("f", {0, UTIME_NOW}, {0, UTIME_NOW});
                    }),
            0)
      << "who may write may say now";
  ASSERT_EQ(chmod("f", 0644), 0);
  EXPECT_EQ(as_user(kBob, [&] { return set_times("f", {0, UTIME_NOW}, {0, UTIME_NOW}); }), EACCES);
  EXPECT_EQ(as_user(kAlice, [&] { return set_times("f", {5, 5}, {5, 5}); }), 0);
}

TEST_P(Attributes, TimesSetBeforeTheCloseStay) {
  const struct timespec past[2] = {{1000000000, 1}, {1375696800, 2}};
  {
    const UniqueFd file = open_file(path("f"), O_WRONLY | O_CREAT);
    say(file, "content");
    ASSERT_EQ(errno_of(::futimens(file.get(), past)), 0);  // as cp -p, tar and rsync do
    EXPECT_EQ(stat_of(file).st_mtim.tv_sec, 1375696800);
  }
  EXPECT_EQ(stat_of(path("f")).st_mtim.tv_sec, 1375696800);
  EXPECT_EQ(stat_of(path("f")).st_mtim.tv_nsec, 2);
  EXPECT_EQ(stat_of(path("f")).st_atim.tv_sec, 1000000000);
  {
    const UniqueFd file = open_file(path("f"), O_WRONLY);
    ASSERT_EQ(errno_of(::futimens(file.get(), past)), 0);
    say(file, "more");
  }
  EXPECT_NEAR(seconds_of(stat_of(path("f")).st_mtim), static_cast<double>(::time(nullptr)), 5)
      << "a write after it";
  {
    const UniqueFd file = open_file(path("g"), O_WRONLY | O_CREAT);
    say(file, "content");
    ASSERT_EQ(errno_of(::utimensat(AT_FDCWD, path("g").c_str(), past, 0)), 0) << "by its name";
  }
  EXPECT_EQ(stat_of(path("g")).st_mtim.tv_sec, 1375696800);
}

TEST_P(Attributes, AccessIsWhatTheModesSay) {
  put_of("f", kAlice, 0640);
  const auto access = [&](int mode) { return errno_of(::access(path("f").c_str(), mode)); };
  EXPECT_EQ(as_user(kAlice, [&] { return access(R_OK | W_OK); }), 0);
  EXPECT_EQ(as_user(kAlice, [&] { return access(X_OK); }), EACCES);
  EXPECT_EQ(as_user(kBob, [&] { return access(R_OK); }), EACCES);
  EXPECT_EQ(as_user(kBob, [&] { return access(F_OK); }), 0);
  EXPECT_EQ(access(R_OK | W_OK), 0) << "root may";
  EXPECT_EQ(access(X_OK), EACCES) << "but not execute what nobody may";
}

TEST_P(Attributes, SpaceMakesSense) {
  struct statvfs space {};
  ASSERT_EQ(errno_of(::statvfs(folder().c_str(), &space)), 0);
  EXPECT_GT(space.f_bsize, 0U);
  EXPECT_GT(space.f_blocks, 0U);
  EXPECT_LE(space.f_bfree, space.f_blocks);
  EXPECT_LE(space.f_bavail, space.f_bfree);
  EXPECT_GT(space.f_bavail, 0U);
  EXPECT_EQ(space.f_namemax, 255U);
  EXPECT_FALSE(space.f_flag & ST_RDONLY);
}

}  // namespace
}  // namespace geogrid::test
