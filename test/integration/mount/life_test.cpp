// Mounting, unmounting, what is refused, who may do what, and how much memory it takes.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "archive.hpp"
#include "fuse/mount_point.hpp"
#include "held_volume.hpp"
#include "support/child_process.hpp"

namespace geogrid::test {
namespace {

constexpr const char* kServeVariable = "GEOGRID_TEST_SERVE";

/// Not a test: a client in a process of its own, for those that kill it.
TEST(ClientProcess, Serve) {
  const char* const folder = ::getenv(kServeVariable);
  if (!folder) GTEST_SKIP() << "only for other tests";
  Client client(folder, embedded_store(folder), Client::Setup{});
  wait_until([&] { return client.ended(); }, std::chrono::hours(1));
}

std::unique_ptr<ChildProcess> start_client_process(const Archive& archive) {
  auto process = std::make_unique<ChildProcess>(
      std::vector<std::string>{"/usr/bin/env", std::string(kServeVariable) + "=" + archive.folder(),
                               std::filesystem::read_symlink("/proc/self/exe").string(),
                               "--gtest_filter=ClientProcess.Serve"},
      archive.scratch().file("client.log"));
  return process;
}

bool is_mounted(const std::string& path) {
  return find_mount(path).has_value();
}

TEST(MountLife, EndsWhenItIsUnmountedFromOutside) {
  Archive archive;
  archive.put("/f", "f");
  Client client(archive);
  EXPECT_EQ(read_file(client.path("/f")), "f");
  ASSERT_EQ(std::system(("fusermount3 -u " + client.mountpoint()).c_str()), 0);
  EXPECT_TRUE(wait_until([&] { return client.ended(); }));
  EXPECT_FALSE(is_mounted(client.mountpoint()));
}

TEST(MountLife, ServesTwoMountsUntilBothAreGone) {
  Archive archive;
  archive.put("/f", "f");
  Client::Setup setup;
  setup.mountpoints = {"mnt", "mnt2"};
  Client client(archive, setup);
  ASSERT_EQ(errno_of(::umount2(client.mountpoint(0).c_str(), 0)), 0);
  EXPECT_EQ(read_file(client.mountpoint(1) + "/f"), "f");
  EXPECT_FALSE(client.ended());
  ASSERT_EQ(errno_of(::umount2(client.mountpoint(1).c_str(), 0)), 0);
  EXPECT_TRUE(wait_until([&] { return client.ended(); }));
}

TEST(MountLife, UnmountsWhileAFileIsOpen) {
  Archive archive;
  archive.put("/f", content_for("f", 1 << 20));
  Client client(archive);
  const int file = ::open(client.path("/f").c_str(), O_RDONLY);
  char byte = 0;
  ASSERT_EQ(::read(file, &byte, 1), 1);
  client.stop();
  EXPECT_FALSE(is_mounted(client.mountpoint()));
  EXPECT_NE(errno_of(::pread(file, &byte, 1, 900000)), 0) << "nobody serves it";
  ::close(file);
}

TEST(MountLife, UnmountsWhileAVolumeHangs) {
  Archive archive;
  archive.put("/f", "f", {0});
  HeldVolume held;
  held.hold();
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) { options.names.deadline = std::chrono::minutes(5); };
  setup.replace_volumes = [&](std::vector<NodeVolume>& volumes) {
    volumes[0].volume = held.wrap(volumes[0].volume);
  };
  Client client(archive, setup);
  auto reader = std::async(std::launch::async, [&] {
    const int file = ::open(client.path("/f").c_str(), O_RDONLY);
    char byte = 0;
    const int error = errno_of(::read(file, &byte, 1));
    ::close(file);
    return error;
  });
  ASSERT_TRUE(wait_until([&] { return held.reads() > 0; }));
  client.stop();
  EXPECT_NE(reader.get(), 0);
  EXPECT_FALSE(is_mounted(client.mountpoint()));
  held.release();
}

TEST(MountLife, RefusesAPointThatIsInUse) {
  Archive archive;
  archive.put("/f", "f");
  Client client(archive);
  EXPECT_THROW(Client{archive}, std::runtime_error);
  EXPECT_EQ(read_file(client.path("/f")), "f") << "the first one goes on";
  Client::Setup setup;
  setup.mountpoints = {"nowhere"};
  EXPECT_THROW(Client(archive, setup), std::runtime_error);
  setup.mountpoints = {"metadata.db"};
  EXPECT_THROW(Client(archive, setup), std::runtime_error);
}

TEST(MountLife, LeavesANewMountAloneWhenAnOldOneGoes) {
  Archive archive;
  archive.put("/f", "f");
  auto old = std::make_unique<Client>(archive);
  const int file = ::open(old->path("/f").c_str(), O_RDONLY);
  ASSERT_EQ(errno_of(::umount2(old->mountpoint().c_str(), MNT_DETACH)), 0);
  Client fresh(archive);
  old.reset();
  EXPECT_EQ(read_file(fresh.path("/f")), "f");
  ::close(file);
}

TEST(MountLife, CleansWhatAKilledProcessLeft) {
  Archive archive;
  archive.put("/f", "f");
  const std::string mountpoint = archive.scratch().file("mnt");
  const auto process = start_client_process(archive);
  ASSERT_TRUE(wait_until([&] { return is_mounted(mountpoint); }))
      << read_file(archive.scratch().file("client.log"));
  EXPECT_EQ(read_file(mountpoint + "/f"), "f");
  process->signal(SIGKILL);
  process->wait(std::chrono::seconds(10));
  struct statvfs space {};
  EXPECT_EQ(errno_of(::statvfs(mountpoint.c_str(), &space)), ENOTCONN) << "the mount that is left";
  Client client(archive);
  EXPECT_EQ(read_file(client.path("/f")), "f");
  client.stop();
  EXPECT_FALSE(is_mounted(mountpoint)) << "the old one is gone too";
}

TEST(MountLife, RefusesWhateverChangesSomething) {
  Archive archive;
  archive.put("/d/f", "content");
  archive.put("/d/g", "content");
  Client client(archive);
  const std::string file = client.path("/d/f"), fresh = client.path("/d/new"), other = client.path("/d/g");
  const auto open_errno = [](const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags, 0644);
    const int error = errno_of(fd);
    if (fd >= 0) ::close(fd);
    return error;
  };
  EXPECT_EQ(open_errno(fresh, O_WRONLY | O_CREAT), EROFS);
  EXPECT_EQ(open_errno(file, O_WRONLY), EROFS);
  EXPECT_EQ(open_errno(file, O_RDWR), EROFS);
  EXPECT_EQ(open_errno(file, O_RDONLY | O_TRUNC), EROFS);
  EXPECT_EQ(open_errno(client.path("/d"), O_TMPFILE | O_RDWR), EOPNOTSUPP);
  EXPECT_EQ(errno_of(::mkdir(fresh.c_str(), 0755)), EROFS);
  EXPECT_EQ(errno_of(::mknod(fresh.c_str(), S_IFIFO | 0644, 0)), EROFS);
  EXPECT_EQ(errno_of(::symlink("f", fresh.c_str())), EROFS);
  EXPECT_EQ(errno_of(::link(file.c_str(), fresh.c_str())), EPERM);
  EXPECT_EQ(errno_of(::unlink(file.c_str())), EROFS);
  EXPECT_EQ(errno_of(::rmdir(client.path("/d").c_str())), EROFS);
  EXPECT_EQ(errno_of(::rename(file.c_str(), fresh.c_str())), EROFS);
  EXPECT_EQ(errno_of(::rename(file.c_str(), other.c_str())), EROFS);
  EXPECT_EQ(errno_of(::chmod(file.c_str(), 0600)), EROFS);
  EXPECT_EQ(errno_of(::chown(file.c_str(), 1, 1)), EROFS);
  EXPECT_EQ(errno_of(::truncate(file.c_str(), 0)), EROFS);
  EXPECT_EQ(errno_of(::utimensat(AT_FDCWD, file.c_str(), nullptr, 0)), EROFS);
  EXPECT_EQ(errno_of(::setxattr(file.c_str(), "user.x", "y", 1, 0)), ENOTSUP);
  EXPECT_EQ(errno_of(::removexattr(file.c_str(), "user.geogrid.class")), ENOTSUP);
  EXPECT_EQ(read_file(file), "content");
  EXPECT_EQ(list_names(client.path("/d")).size(), 2U);
}

TEST(MountLife, SaysReadOnlyWhereTheMountIs) {
  Archive archive;
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) { options.mounts[0].read_only = true; };
  Client client(archive, setup);
  struct statvfs space {};
  ASSERT_EQ(errno_of(::statvfs(client.mountpoint().c_str(), &space)), 0);
  EXPECT_TRUE(space.f_flag & ST_RDONLY);
  EXPECT_EQ(errno_of(::access(client.mountpoint().c_str(), W_OK)), EROFS);
}

/// What a user who owns nothing gets from the calls of `check`: an exit code.
int as_nobody(const std::function<int()>& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(99);
    ::_exit(check());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST(MountLife, LetsOthersDoWhatTheModesSay) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs another user";
  Archive archive;
  std::filesystem::permissions(archive.folder(), std::filesystem::perms(0755));
  archive.put("/open/f", "f");
  archive.put("/shut/f", "f");
  archive.put("/open/secret", "f");
  AttributeChange change;
  change.mode = 0700;
  archive.change("/shut", change);
  change.mode = 0600;
  archive.change("/open/secret", change);
  {
    Client client(archive);
    const std::string open = client.path("/open/f"), shut = client.path("/shut/f"),
                      secret = client.path("/open/secret");
    EXPECT_EQ(as_nobody([&] {
                const int fd = ::open(open.c_str(), O_RDONLY);
                return fd < 0 ? errno : 0;
              }),
              0);
    EXPECT_EQ(as_nobody([&] { return errno_of(::open(secret.c_str(), O_RDONLY)); }), EACCES);
    EXPECT_EQ(as_nobody([&] { return errno_of(::open(shut.c_str(), O_RDONLY)); }), EACCES);
    EXPECT_EQ(as_nobody([&] { return errno_of(::access(open.c_str(), X_OK)); }), EACCES);
  }
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) { options.mounts[0].allow_other = false; };
  Client client(archive, setup);
  const std::string open = client.path("/open/f");
  EXPECT_EQ(as_nobody([&] { return errno_of(::open(open.c_str(), O_RDONLY)); }), EACCES);
}

/// Everything that an ordinary user's mount does, where everybody may open /dev/fuse, as on a machine with
/// udev.
constexpr const char* kAsUser = R"(
mknod "$1/fuse" c 10 229 && chmod 666 "$1/fuse" && mount --bind "$1/fuse" /dev/fuse || exit 77
cat > "$1/user.sh" <<'END'
GEOGRID_TEST_SERVE=$1 "$2" --gtest_filter=ClientProcess.Serve & client=$!
for ((n = 0; n < 3000; ++n)); do mountpoint -q "$1/mnt" && break; sleep 0.01; done
cat "$1/mnt/f" || exit 1
fusermount3 -u "$1/mnt" || exit 2
wait "$client" || exit 3
END
setpriv --reuid nobody --regid nogroup --clear-groups bash "$1/user.sh" "$1" "$2"
)";

TEST(MountLife, WorksForAnOrdinaryUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "becomes one from root";
  Archive archive;
  archive.put("/f", "the content that nobody reads");
  const std::string program = archive.folder() + "/program";  // the build folder may be shut to others
  std::filesystem::copy_file(std::filesystem::read_symlink("/proc/self/exe"), program);
  ASSERT_EQ(std::system(("chmod 755 " + program + " && chown -R nobody:nogroup " + archive.folder()).c_str()),
            0);
  ChildProcess script({"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/bash", "-c", kAsUser,
                       "_", archive.folder(), program},
                      archive.scratch().file("user.log"));
  const int status = script.wait(std::chrono::seconds(60));
  const std::string log = read_file(archive.scratch().file("user.log"));
  ASSERT_TRUE(WIFEXITED(status)) << log;
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no device node can be made here";
  EXPECT_EQ(WEXITSTATUS(status), 0) << log;
  EXPECT_THAT(log, testing::HasSubstr("the content that nobody reads"));
  EXPECT_THAT(log, testing::HasSubstr("user_allow_other")) << "what cannot be had is said";
}

bool holds_files_below(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone).string().rfind(folder + "/", 0) == 0) return true;
  }
  return false;
}

TEST(MountLife, HoldsNothingOpenOnADiskThatNobodyReads) {
  Archive archive;
  for (int n = 0; n < 600; ++n) archive.put(fmt::format("/f{}", n), fmt::format("content {}", n));
  Client client(archive);
  for (int pass = 0; pass < 2; ++pass)
    for (int n = 0; n < 600; ++n)
      ASSERT_EQ(read_file(client.path(fmt::format("/f{}", n))), fmt::format("content {}", n));
  const int open = ::open(client.path("/f0").c_str(), O_RDONLY);
  EXPECT_TRUE(
      wait_until([&] { return holds_files_below(archive.root(0)) || holds_files_below(archive.root(1)); }));
  ::close(open);
  EXPECT_TRUE(
      wait_until([&] { return !holds_files_below(archive.root(0)) && !holds_files_below(archive.root(1)); }));
}

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmRSS:") {
      std::size_t kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

TEST(MountLife, KeepsItsMemoryBounded) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep what was freed";
#endif
  Archive archive;
  constexpr std::size_t kFiles = 60000;
  for (std::size_t folder = 0; folder < 20; ++folder)
    archive.put_many(fmt::format("/d{}", folder), kFiles / 20, "");
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) {
    options.names.cached_files = 1000;
    options.names.cached_folders = 100;
  };
  Client client(archive, setup);
  const auto touch_all = [&] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(client.mountpoint()))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  };
  ASSERT_EQ(touch_all(), kFiles);
  const std::size_t before = resident_kib();
  for (int pass = 0; pass < 3; ++pass) {
    // Makes the kernel ask again.
    std::ofstream("/proc/sys/vm/drop_caches") << 2 << std::flush;
    ASSERT_EQ(touch_all(), kFiles);
  }
  EXPECT_LT(resident_kib(), before + 8192) << "nothing is kept for each name";
}

}  // namespace
}  // namespace geogrid::test
