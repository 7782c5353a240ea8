// Names of any bytes, names that look like ours, and what the mount keeps to itself.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "place.hpp"

namespace geogrid::test {
namespace {

class Naming : public Posix {};
GEOGRID_EVERYWHERE(Naming);

TEST_P(Naming, TakesAnyBytes) {
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte)
    if (byte != '/') every_byte.push_back(static_cast<char>(byte));
  std::vector<std::string> names{
      "new\nline", "quote'\"",    "\xff\xfe",     "back\\slash",         " ",       "-rf", "*",
      "%s%n",      "caf\xc3\xa9", "cafe\xcc\x81", std::string(255, 'x'), every_byte};
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    put(path(name), "content of " + name);
    put(path(name), "again " + name);
  }
  EXPECT_EQ(names_in_folder(folder()), names);
  for (const std::string& name : names) EXPECT_EQ(get(path(name)), "again " + name);
  const std::string longest(255, 'y');
  ASSERT_EQ(errno_of(::rename(path(std::string(255, 'x')).c_str(), path(longest).c_str())), 0);
  put(path(longest), "a name that has no room for an ending");
  EXPECT_EQ(get(path(longest)), "a name that has no room for an ending");
  EXPECT_EQ(errno_of(::unlink(path(longest).c_str())), 0);
}

TEST_P(Naming, TakesNamesThatLookLikeTemporaryOnes) {
  make_folder(path(".geogrid"));  // only the one at the top is kept
  make_folder(path(".geogrid/tmp"));
  for (const char* name :
       {".geogrid/volume", ".geogrid/tmp/draft.2.3.4", "draft.2.3.4", ".nfs000000000000001", "lost+found",
        "f~", ".f.swp", ".fuse_hidden0000000100000001", "trash", "2026-11-22", "f.tmp"}) {
    put(path(name), name);
    EXPECT_EQ(get(path(name)), name);
    EXPECT_EQ(open_errno(path(name), O_WRONLY | O_CREAT | O_EXCL), EEXIST) << name;
  }
  EXPECT_EQ(errno_of(::unlink(path(".geogrid/tmp/draft.2.3.4").c_str())), 0);
}

TEST_P(Naming, ReachesWhatLiesDeeperThanAPathIsLong) {
  const std::string name(200, 'd');
  UniqueFd at = open_file(folder(), O_RDONLY | O_DIRECTORY);
  for (int level = 0; level < 25; ++level) {
    ASSERT_EQ(errno_of(::mkdirat(at.get(), name.c_str(), 0755)), 0) << level;
    UniqueFd next(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(next) << level;
    at = std::move(next);
  }
  {
    const UniqueFd file(::openat(at.get(), "bottom", O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_TRUE(file) << errno;
    say(file, "deep");
    EXPECT_EQ(get(file), "deep");
  }
  ASSERT_EQ(errno_of(::renameat(at.get(), "bottom", at.get(), "renamed")), 0);
  const UniqueFd again(::openat(at.get(), "renamed", O_RDWR | O_TRUNC | O_CLOEXEC));
  ASSERT_TRUE(again) << errno;
  say(again, "deeper");
  EXPECT_EQ(get(again), "deeper");
}

TEST_P(Naming, KeepsOneNameToItself) {
  if (!on_mount()) GTEST_SKIP() << "of mounts";
  const std::string kept = place().folder() + "/.geogrid";
  put(path("f"), "f");
  make_folder(path("d"));
  EXPECT_EQ(open_errno(kept, O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(open_errno(kept, O_RDONLY), EACCES);
  EXPECT_EQ(open_errno(kept + "/volume", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(errno_of(::mkdir(kept.c_str(), 0755)), EACCES);
  EXPECT_EQ(errno_of(::symlink("x", kept.c_str())), EACCES);
  EXPECT_EQ(errno_of(::mkfifo(kept.c_str(), 0644)), EACCES);
  EXPECT_EQ(errno_of(::rename(path("f").c_str(), kept.c_str())), EACCES);
  EXPECT_EQ(errno_of(::rename(path("d").c_str(), kept.c_str())), EACCES);
  EXPECT_EQ(errno_of(::rename(kept.c_str(), path("x").c_str())), EACCES);
  EXPECT_EQ(errno_of(::unlink(kept.c_str())), EACCES);
  EXPECT_EQ(errno_of(::rmdir(kept.c_str())), EACCES);
  EXPECT_EQ(get(path("f")), "f");
  const auto top = names_in_folder(place().folder());
  EXPECT_EQ(std::count(top.begin(), top.end(), ".geogrid"), 0);
}

TEST_P(Naming, TellsAndTakesExtendedAttributes) {
  if (!on_mount()) GTEST_SKIP() << "of mounts";
  put(path("f"), "content");
  ASSERT_EQ(::chown(path("f").c_str(), kAlice, kAlice), 0);
  const auto value = [&](const char* name) {
    char text[300];
    const ssize_t size = ::getxattr(path("f").c_str(), name, text, sizeof text);
    return size < 0 ? "errno " + std::to_string(errno) : std::string(text, static_cast<std::size_t>(size));
  };
  const auto set = [&](const std::string& name, const std::string& text, int flags = 0) {
    return errno_of(::setxattr(path("f").c_str(), name.c_str(), text.data(), text.size(), flags));
  };
  EXPECT_EQ(value("user.geogrid.class"), "others");
  EXPECT_EQ(value("user.geogrid.digest"), "md5:9a0364b9e99bb480dd25e1f0284c8555");
  EXPECT_THAT(value("user.geogrid.replicas"), testing::HasSubstr("n"));
  EXPECT_EQ(value("user.other"), "errno " + std::to_string(ENODATA));
  EXPECT_EQ(value("security.capability"), "errno " + std::to_string(ENODATA));
  EXPECT_EQ(value("system.posix_acl_access"), "errno " + std::to_string(EOPNOTSUPP));
  EXPECT_EQ(set("user.other", "x"), ENOTSUP);
  EXPECT_EQ(set("user.geogrid.digest", "x"), ENOTSUP);
  EXPECT_EQ(set("security.other", "x"), ENOTSUP);
  EXPECT_EQ(set("trusted.other", "x"), ENOTSUP);
  EXPECT_EQ(set("user.geogrid.class", "no such class"), EINVAL);
  EXPECT_EQ(set("user.geogrid.class", "others"), 0);
  EXPECT_EQ(value("user.geogrid.class"), "others");
  EXPECT_EQ(as_user(kAlice, [&] { return set("user.geogrid.class", "others"); }), 0);
  ASSERT_EQ(::chmod(path("f").c_str(), 0666), 0);
  const int by_bob = as_user(kBob, [&] { return set("user.geogrid.class", "others"); });
  EXPECT_THAT(by_bob, testing::AnyOf(EACCES, EPERM)) << "not the owner";
  EXPECT_NE(errno_of(::removexattr(path("f").c_str(), "user.geogrid.class")), 0);
  EXPECT_EQ(get(path("f")), "content");
}

}  // namespace
}  // namespace geogrid::test
