// unlink(2), rmdir(2), mkdir(2), sticky folders.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "place.hpp"

namespace geogrid::test {
namespace {

class Removing : public Posix {
 protected:
  int unlink(const std::string& name) { return errno_of(::unlink(path(name).c_str())); }
  int rmdir(const std::string& name) { return errno_of(::rmdir(path(name).c_str())); }
  int mkdir(const std::string& name, mode_t mode = 0755) {
    return errno_of(::mkdir(path(name).c_str(), mode));
  }
};
GEOGRID_EVERYWHERE(Removing);

TEST_P(Removing, TakesTheNameAway) {
  put(path("f"), "content");
  EXPECT_EQ(unlink("f"), 0);
  EXPECT_EQ(unlink("f"), ENOENT);
  EXPECT_EQ(open_errno(path("f"), O_RDONLY), ENOENT);
  EXPECT_TRUE(names_in_folder(folder()).empty());
  put(path("f"), "again");
  EXPECT_EQ(get(path("f")), "again");
}

TEST_P(Removing, LeavesAnOpenFileToWhoHasItOpen) {
  put(path("f"), "content");
  const UniqueFd file = open_file(path("f"), O_RDWR);
  const UniqueFd reader = open_file(path("f"), O_RDONLY);
  ASSERT_EQ(unlink("f"), 0);
  EXPECT_EQ(stat_of(file).st_nlink, 0U);
  EXPECT_EQ(get(reader), "content");
  put(path("f"), "another file");
  ASSERT_EQ(::pwrite(file.get(), " goes on", 8, 7), 8);
  EXPECT_EQ(get(reader), "content goes on");
  EXPECT_EQ(get(path("f")), "another file");
  EXPECT_EQ(errno_of(::ftruncate(file.get(), 4)), 0);
  EXPECT_EQ(errno_of(::fchmod(file.get(), 0600)), 0);
  EXPECT_EQ(errno_of(::fsync(file.get())), 0);
  EXPECT_EQ(stat_of(reader).st_size, 4);
  EXPECT_EQ(stat_of(reader).st_mode & 0777U, 0600U);
  EXPECT_EQ(get(reader), "cont");
}

TEST_P(Removing, LeavesANewFileToWhoMakesIt) {
  // As tmpfile(3) does.
  UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT | O_EXCL);
  ASSERT_EQ(unlink("f"), 0);
  say(file, content_for("f", 300000));
  EXPECT_TRUE(get(file) == content_for("f", 300000));
  EXPECT_EQ(stat_of(file).st_nlink, 0U);
  EXPECT_EQ(stat_of(file).st_size, 300000);
  EXPECT_EQ(errno_of(::close(file.release())), 0);
  EXPECT_TRUE(names_in_folder(folder()).empty());
  UniqueFd written = open_file(path("g"), O_RDWR | O_CREAT | O_EXCL);
  say(written, "written before");
  ASSERT_EQ(unlink("g"), 0);
  say(written, " and after");
  EXPECT_EQ(get(written), "written before and after");
  EXPECT_EQ(errno_of(::close(written.release())), 0);
  EXPECT_FALSE(exists(path("g")));
}

TEST_P(Removing, SaysWhatIsWrong) {
  put(path("f"), "f");
  make_folder(path("d"));
  put(path("d/f"), "f");
  make_folder(path("empty"));
  EXPECT_EQ(unlink("d"), EISDIR);
  EXPECT_EQ(unlink("none"), ENOENT);
  EXPECT_EQ(unlink("f/x"), ENOTDIR);
  EXPECT_EQ(unlink("f/"), ENOTDIR);
  EXPECT_EQ(rmdir("d"), ENOTEMPTY);
  EXPECT_EQ(rmdir("f"), ENOTDIR);
  EXPECT_EQ(rmdir("none"), ENOENT);
  EXPECT_EQ(rmdir("empty/."), EINVAL);
  EXPECT_EQ(rmdir("empty/.."), ENOTEMPTY);
  EXPECT_EQ(unlink(std::string(256, 'n')), ENAMETOOLONG);
  EXPECT_EQ(rmdir(std::string(256, 'n')), ENAMETOOLONG);
  EXPECT_EQ(mkdir("f"), EEXIST);
  EXPECT_EQ(mkdir("d"), EEXIST);
  EXPECT_EQ(mkdir("none/x"), ENOENT);
  EXPECT_EQ(mkdir("f/x"), ENOTDIR);
  EXPECT_EQ(mkdir(std::string(256, 'n')), ENAMETOOLONG);
  EXPECT_EQ(mkdir(std::string(255, 'n')), 0);
  EXPECT_EQ(as_user(kAlice, [&] { return unlink("f"); }), EACCES);
  EXPECT_EQ(as_user(kAlice, [&] { return rmdir("empty"); }), EACCES);
  EXPECT_EQ(as_user(kAlice, [&] { return mkdir("new"); }), EACCES);
  EXPECT_EQ(get(path("d/f")), "f");
}

TEST_P(Removing, MakesFoldersThatAreWhatWasAskedFor) {
  ::umask(027);
  ASSERT_EQ(mkdir("d", 01777), 0);
  ::umask(022);
  EXPECT_EQ(stat_of(path("d")).st_mode, S_IFDIR | 01750U);
  EXPECT_EQ(stat_of(path("d")).st_nlink, 2U);
  ASSERT_EQ(mkdir("d/e"), 0);
  put(path("d/f"), "f");
  EXPECT_EQ(stat_of(path("d")).st_nlink, 3U);
  ASSERT_EQ(rmdir("d/e"), 0);
  EXPECT_EQ(stat_of(path("d")).st_nlink, 2U);
  EXPECT_EQ(rmdir("d"), ENOTEMPTY);
  ASSERT_EQ(unlink("d/f"), 0);
  EXPECT_EQ(rmdir("d"), 0);
  EXPECT_FALSE(exists(path("d")));
  ASSERT_EQ(mkdir("d"), 0);
  put(path("d/g"), "again");
  EXPECT_THAT(names_in_folder(path("d")), testing::ElementsAre("g"));
}

TEST_P(Removing, MakesNothingInAFolderThatIsGone) {
  make_folder(path("d"));
  const UniqueFd gone = open_file(path("d"), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(rmdir("d"), 0);
  EXPECT_EQ(errno_of(::openat(gone.get(), "f", O_WRONLY | O_CREAT, 0644)), ENOENT);
  EXPECT_EQ(errno_of(::mkdirat(gone.get(), "e", 0755)), ENOENT);
  EXPECT_EQ(errno_of(::symlinkat("x", gone.get(), "l")), ENOENT);
  make_folder(path("d"));
  put(path("d/f"), "in the new one");
  EXPECT_EQ(errno_of(::openat(gone.get(), "f", O_RDONLY)), ENOENT);
}

TEST_P(Removing, LetsOnlyOwnersRemoveFromAStickyFolder) {
  make_folder(path("tmp"), 01777);
  ASSERT_EQ(as_user(kAlice,
                    [&] {
                      put(path("tmp/alices"), "alice");
                      ::chmod(path("tmp/alices").c_str(), 0666);
                      put(path("tmp/other"), "alice");
                      return mkdir("tmp/alices.d");
                    }),
            0);
  const auto rename = [&](const char* from, const char* to) {
    return errno_of(::rename(path(from).c_str(), path(to).c_str()));
  };
  const auto bob = [&](const std::function<int()>& what) { return as_user(kBob, what); };
  EXPECT_EQ(bob([&] { return unlink("tmp/alices"); }), EPERM);
  EXPECT_EQ(bob([&] { return rmdir("tmp/alices.d"); }), EPERM);
  EXPECT_EQ(bob([&] { return rename("tmp/alices", "tmp/bobs"); }), EPERM);
  EXPECT_EQ(bob([&] {
              put(path("tmp/bobs"), "bob");
              return rename("tmp/bobs", "tmp/alices");
            }),
            EPERM);
  EXPECT_EQ(bob([&] { return open_errno(path("tmp/alices"), O_WRONLY | O_TRUNC); }), 0)
      << "its mode allows that";
  EXPECT_EQ(bob([&] { return unlink("tmp/bobs"); }), 0);
  EXPECT_EQ(as_user(kAlice, [&] { return rename("tmp/alices", "tmp/mine"); }), 0);
  EXPECT_EQ(as_user(kAlice, [&] { return rmdir("tmp/alices.d"); }), 0);
  EXPECT_THAT(names_in_folder(path("tmp")), testing::ElementsAre("mine", "other"));
}

TEST_P(Removing, WhileAFolderIsRead) {
  for (int n = 0; n < 400; ++n) put(path("f" + std::to_string(n)), "x");
  int removed = 0;
  for (const std::string& name : names_in_folder(folder())) removed += unlink(name) == 0 ? 1 : 0;
  EXPECT_EQ(removed, 400);
  EXPECT_TRUE(names_in_folder(folder()).empty());
}

TEST_P(Removing, WholeTrees) {
  const std::string make = "cd " + folder() +
                           " && mkdir -p t/a/b/c t/d && for i in 1 2 3 4 5; do echo $i > t/f$i; " +
                           "echo $i > t/a/b/c/f$i; ln -s f$i t/d/l$i; done && mkfifo t/fifo";
  ASSERT_EQ(std::system(make.c_str()), 0);
  ASSERT_EQ(std::system(("rm -r " + path("t")).c_str()), 0);
  EXPECT_FALSE(exists(path("t")));
  ASSERT_EQ(std::system(make.c_str()), 0) << "and the same again";
  EXPECT_EQ(get(path("t/a/b/c/f3")), "3\n");
  EXPECT_EQ(open_errno(path("t/d/l1"), O_RDONLY), ENOENT) << "a link to nothing";
}

}  // namespace
}  // namespace geogrid::test
