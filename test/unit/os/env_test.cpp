#include "os/env.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "os/beneath.hpp"
#include "support/scratch.hpp"

namespace geogrid {
namespace {

namespace fs = std::filesystem;

class EnvTest : public testing::Test {
 protected:
  EnvTest() { folder = env->open_root(scratch.path().string()).value(); }
  UniqueFd create(const std::string& name) {
    return env->open(folder.get(), name, O_RDWR | O_CREAT | O_EXCL, 0600).value();
  }
  void put(const std::string& name, const std::string& content) {
    std::ofstream(scratch.path() / name) << content;
  }
  std::string content(const std::string& name) {
    std::ifstream file(scratch.path() / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  test::Scratch scratch{"env"};
  std::shared_ptr<Env> env = make_posix_env();
  UniqueFd folder;
};

TEST_F(EnvTest, WritesAndReadsAtOffsets) {
  const UniqueFd file = create("a");
  const std::string text = "0123456789";
  ASSERT_TRUE(env->write(file.get(), 2, std::as_bytes(std::span(text))));
  std::vector<std::byte> buffer(100);
  EXPECT_EQ(env->read(file.get(), 7, buffer).value(), 5U);
  EXPECT_EQ(static_cast<char>(buffer[0]), '5');
  EXPECT_EQ(env->read(file.get(), 12, buffer).value(), 0U);
  EXPECT_EQ(env->status(file.get()).value().st_size, 12);
  ASSERT_TRUE(env->truncate(file.get(), 3));
  EXPECT_EQ(env->status(file.get()).value().st_size, 3);
  EXPECT_TRUE(env->sync(file.get()));
}

TEST_F(EnvTest, ReservingDoesNotChangeTheSize) {
  const UniqueFd file = create("a");
  ASSERT_TRUE(env->reserve(file.get(), 1 << 20));
  EXPECT_EQ(env->status(file.get()).value().st_size, 0);
}

TEST_F(EnvTest, RenamesAsAsked) {
  put("a", "a");
  put("b", "b");
  const int at = folder.get();
  EXPECT_TRUE(env->rename(at, "a", at, "b", IfTaken::fail).error().is(std::errc::file_exists));
  EXPECT_EQ(content("b"), "b");
  ASSERT_TRUE(env->rename(at, "a", at, "b", IfTaken::exchange));
  EXPECT_EQ(content("a") + content("b"), "ba");
  ASSERT_TRUE(env->rename(at, "a", at, "b", IfTaken::replace));
  EXPECT_EQ(content("b"), "b");
  ASSERT_TRUE(env->rename(at, "b", at, "c", IfTaken::fail));
  EXPECT_EQ(content("c"), "b");
  EXPECT_TRUE(
      env->rename(at, "none", at, "d", IfTaken::fail).error().is(std::errc::no_such_file_or_directory));
}

TEST_F(EnvTest, ListsNamesWithTheirStatus) {
  put("file", "12345");
  fs::create_directory(scratch.path() / "folder");
  fs::create_symlink("nowhere", scratch.path() / "link");
  auto entries = env->list(folder.get()).value();
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].status.st_size, 5);
  EXPECT_TRUE(S_ISDIR(entries[1].status.st_mode));
  EXPECT_TRUE(S_ISLNK(entries[2].status.st_mode));
  EXPECT_EQ(env->read_link(folder.get(), "link").value(), "nowhere");
  // Each listing begins at the beginning.
  EXPECT_EQ(env->list(folder.get()).value().size(), 3U);
}

TEST_F(EnvTest, LocksAreExclusiveAndEndWithTheDescriptor) {
  UniqueFd first = create("lock");
  const UniqueFd second = env->open(folder.get(), "lock", O_RDWR).value();
  EXPECT_TRUE(env->try_lock(first.get()).value());
  EXPECT_FALSE(env->try_lock(second.get()).value());
  first.reset();
  EXPECT_TRUE(env->try_lock(second.get()).value());
}

TEST_F(EnvTest, AHeldFileIsSeenByOthersWithoutALock) {
  UniqueFd mine = create("a");
  const UniqueFd other = env->open(folder.get(), "a", O_RDONLY).value();
  EXPECT_FALSE(env->is_held(other.get()).value());
  EXPECT_TRUE(env->hold(mine.get()).value());
  EXPECT_TRUE(env->is_held(other.get()).value());
  EXPECT_FALSE(env->is_held(mine.get()).value()) << "not by another";
  const UniqueFd third = env->open(folder.get(), "a", O_RDWR).value();
  EXPECT_FALSE(env->hold(third.get()).value());
  EXPECT_TRUE(env->try_lock(third.get()).value()) << "that is another lock";
  mine.reset();
  EXPECT_FALSE(env->is_held(other.get()).value());
}

TEST_F(EnvTest, CopiesRangesAndTellsWhereTheDataIs) {
  const UniqueFd from = create("from");
  const UniqueFd to = create("to");
  const std::string text = "0123456789";
  ASSERT_TRUE(env->write(from.get(), 1 << 20, std::as_bytes(std::span(text))));
  EXPECT_EQ(env->copy(from.get(), to.get(), (1 << 20) + 2, 100).value(), 8U) << "up to the end";
  EXPECT_EQ(content("to").substr((1 << 20) + 2), "23456789");
  EXPECT_EQ(env->copy(from.get(), to.get(), 2 << 20, 100).value(), 0U);
  EXPECT_LE(env->seek(from.get(), 0, SEEK_DATA).value(), 1U << 20U);
  EXPECT_EQ(env->seek(from.get(), 1 << 20, SEEK_HOLE).value(), (1U << 20U) + 10);
  EXPECT_TRUE(env->seek(from.get(), 2 << 20, SEEK_DATA).error().is(std::errc::no_such_device_or_address));
  const auto cloned = env->clone(from.get(), to.get());
  EXPECT_TRUE(cloned || cloned.error().is(std::errc::operation_not_supported)) << cloned.error().message;
  EXPECT_TRUE(env->sync_bytes(to.get()));
}

TEST_F(EnvTest, NamesAreListedUpToALimit) {
  fs::create_directory(scratch.path() / "folder");
  fs::create_directory_symlink(scratch.path() / "folder", scratch.path() / "link");
  put("file", "x");
  const auto names = env->list_names(folder.get(), 100).value();
  EXPECT_EQ(names.size(), 3U);
  for (const FolderName& name : names) EXPECT_EQ(name.is_folder, name.name == "folder") << name.name;
  EXPECT_EQ(env->list_names(folder.get(), 2).value().size(), 2U);
  EXPECT_EQ(env->list_names(folder.get(), 0).value().size(), 0U);
}

TEST_F(EnvTest, TimesAndModesAreSet) {
  const UniqueFd file = create("a");
  ASSERT_TRUE(env->set_mtime(file.get(), {-5, 7}));
  ASSERT_TRUE(env->set_mode(file.get(), 0604));
  const struct stat found = env->status_at(folder.get(), "a").value();
  EXPECT_EQ(Timestamp::from(found.st_mtim), (Timestamp{-5, 7}));
  EXPECT_EQ(found.st_mode & 07777U, 0604U);
  ASSERT_TRUE(env->set_mtime_at(folder.get(), "a", {9, 0}));
  EXPECT_EQ(Timestamp::from(env->status(file.get()).value().st_mtim), (Timestamp{9, 0}));
  ASSERT_TRUE(env->set_mode_at(folder.get(), "a", 0611));
  EXPECT_EQ(env->status(file.get()).value().st_mode & 07777U, 0611U);
  fs::create_symlink("a", scratch.path() / "link");
  EXPECT_TRUE(env->set_mode_at(folder.get(), "link", 0600).error().is(std::errc::operation_not_supported));
}

// Both ways of opening: with openat2(2), and name by name.
using Opener = result<UniqueFd> (*)(int, std::string_view, int, mode_t);
class Beneath : public testing::TestWithParam<Opener> {
 protected:
  Beneath() : root(::open(scratch.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
  result<UniqueFd> open(std::string_view path, int flags = O_RDONLY) {
    return GetParam()(root.get(), path, flags, 0600);
  }
  int error_of(std::string_view path, int flags = O_RDONLY) {
    const auto opened = open(path, flags);
    return opened ? 0 : opened.error().code.value();
  }

  test::Scratch scratch{"beneath"};
  UniqueFd root;
};

TEST_P(Beneath, OpensFilesAndFoldersBelow) {
  fs::create_directories(scratch.path() / "a/b");
  std::ofstream(scratch.path() / "a/b/c") << "x";
  EXPECT_EQ(error_of("a/b/c"), 0);
  EXPECT_EQ(error_of("a//b/c"), 0);
  EXPECT_EQ(error_of("a/b", O_RDONLY | O_DIRECTORY), 0);
  EXPECT_EQ(error_of("", O_RDONLY | O_DIRECTORY), 0);
  EXPECT_EQ(error_of("", O_PATH), 0);
  EXPECT_EQ(error_of("a/b/c", O_PATH), 0);
  EXPECT_EQ(error_of("a/b/new", O_RDWR | O_CREAT | O_EXCL), 0);
  EXPECT_EQ(error_of("a/b/new", O_RDWR | O_CREAT | O_EXCL), EEXIST);
  EXPECT_EQ(error_of("a/x/c"), ENOENT);
  EXPECT_EQ(error_of("a/b/c/d"), ENOTDIR);
  EXPECT_EQ(error_of("a/b/c", O_RDONLY | O_DIRECTORY), ENOTDIR);
}

TEST_P(Beneath, NeverLeavesOrFollows) {
  fs::create_directories(scratch.path() / "a/b");
  std::ofstream(scratch.path() / "a/b/c") << "x";
  fs::create_symlink("a", scratch.path() / "link");
  fs::create_symlink("/", scratch.path() / "out");
  fs::create_symlink("b/c", scratch.path() / "a/file-link");
  EXPECT_EQ(error_of("link/b"), ELOOP);
  EXPECT_EQ(error_of("out/etc/passwd"), ELOOP);
  EXPECT_EQ(error_of("a/file-link"), ELOOP);
  EXPECT_EQ(error_of("link", O_RDONLY | O_DIRECTORY), ENOTDIR);
  EXPECT_EQ(error_of("../etc"), EXDEV);
  EXPECT_EQ(error_of("a/../../x"), EXDEV);
  // The link itself can be had.
  const auto link = open("a/file-link", O_PATH);
  ASSERT_TRUE(link);
  struct stat found {};
  ASSERT_EQ(fstat(link->get(), &found), 0);
  EXPECT_TRUE(S_ISLNK(found.st_mode));
}

TEST_P(Beneath, PathsOfAnyLength) {
  const std::string name(250, 'n');
  std::string path;
  UniqueFd at(::dup(root.get()));
  for (int depth = 0; depth < 40; ++depth) {
    ASSERT_EQ(mkdirat(at.get(), name.c_str(), 0700), 0);
    at.reset(openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    path += (depth == 0 ? "" : "/") + name;
    ASSERT_EQ(error_of(path, O_RDONLY | O_DIRECTORY), 0) << path.size();
  }
  ASSERT_GT(path.size(), 10'000U);
  EXPECT_EQ(error_of(path + "/file", O_RDWR | O_CREAT), 0);
  EXPECT_EQ(faccessat(at.get(), "file", F_OK, 0), 0);
  EXPECT_EQ(error_of(path + "/none/" + std::string(5000, 'x')), ENOENT);
  EXPECT_EQ(error_of(std::string(300, 'x')), ENAMETOOLONG);
  EXPECT_EQ(error_of(std::string(5000, 'x')), ENAMETOOLONG);
}

INSTANTIATE_TEST_SUITE_P(Ways, Beneath, testing::Values(&open_beneath, &open_name_by_name),
                         [](const auto& way) {
                           return way.param == &open_beneath ? "openat2" : "name_by_name";
                         });

}  // namespace
}  // namespace geogrid
