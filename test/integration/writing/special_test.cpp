// Symlinks, fifos, sockets, device nodes, hard links; running programs; locks.

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.hpp"
#include "support/child_process.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

class Special : public Posix {
 protected:
  int symlink(const std::string& target, const std::string& name) {
    return errno_of(::symlink(target.c_str(), path(name).c_str()));
  }
  std::string target_of(const std::string& name) {
    char target[5000];
    const ssize_t size = ::readlink(path(name).c_str(), target, sizeof target);
    return size < 0 ? "errno " + std::to_string(errno) : std::string(target, static_cast<std::size_t>(size));
  }
};
GEOGRID_EVERYWHERE(Special);

TEST_P(Special, Symlinks) {
  put(path("f"), "content");
  const std::string longest(4095, 'x'), too_long(4096, 'x');
  EXPECT_EQ(symlink("f", "l"), 0);
  EXPECT_EQ(symlink(longest, "long"), 0);
  EXPECT_EQ(symlink("/etc/passwd", "outside"), 0);
  EXPECT_EQ(symlink("../../../etc", "upwards"), 0);
  EXPECT_EQ(symlink("any \n\xff bytes", "bytes"), 0);
  EXPECT_EQ(get(path("l")), "content");
  EXPECT_EQ(target_of("l"), "f");
  EXPECT_EQ(target_of("long"), longest);
  EXPECT_EQ(target_of("outside"), "/etc/passwd");
  EXPECT_EQ(target_of("bytes"), "any \n\xff bytes");
  EXPECT_EQ(stat_of(path("long")).st_size, 4095);
  EXPECT_EQ(stat_of(path("l")).st_mode, S_IFLNK | 0777U);
  EXPECT_EQ(symlink("g", "l"), EEXIST);
  EXPECT_EQ(symlink("", "empty"), ENOENT);
  EXPECT_EQ(symlink(too_long, "too long"), ENAMETOOLONG);
  EXPECT_EQ(symlink("x", "f/x"), ENOTDIR);
  EXPECT_EQ(symlink("x", "none/x"), ENOENT);
  EXPECT_EQ(symlink("x", std::string(256, 'n')), ENAMETOOLONG);
  EXPECT_EQ(target_of("f"), "errno " + std::to_string(EINVAL));
  EXPECT_EQ(as_user(kAlice, [&] { return symlink("x", "alices"); }), EACCES);
  EXPECT_EQ(errno_of(::unlink(path("l").c_str())), 0);
  EXPECT_EQ(get(path("f")), "content") << "only the link went";
  EXPECT_EQ(symlink("g", "l"), 0);
  EXPECT_EQ(target_of("l"), "g");
}

TEST_P(Special, SymlinkLoops) {
  EXPECT_EQ(symlink("b", "a"), 0);
  EXPECT_EQ(symlink("a", "b"), 0);
  EXPECT_EQ(open_errno(path("a"), O_RDONLY), ELOOP);
  EXPECT_EQ(open_errno(path("a/f"), O_WRONLY | O_CREAT), ELOOP);
  std::string at = "0";
  put(path("0"), "the end");
  for (int n = 1; n <= 41; ++n) ASSERT_EQ(symlink(std::to_string(n - 1), std::to_string(n)), 0);
  EXPECT_EQ(open_errno(path("40"), O_RDONLY), 0);
  EXPECT_EQ(open_errno(path("41"), O_RDONLY), ELOOP);
}

TEST_P(Special, FifosBetweenTwoProcesses) {
  ASSERT_EQ(errno_of(::mkfifo(path("fifo").c_str(), 0640)), 0);
  EXPECT_EQ(stat_of(path("fifo")).st_mode, S_IFIFO | 0640U);
  EXPECT_EQ(errno_of(::mkfifo(path("fifo").c_str(), 0640)), EEXIST);
  const pid_t child = ::fork();
  if (child == 0) {
    say(open_file(path("fifo"), O_WRONLY), "through the fifo");
    ::_exit(0);
  }
  const UniqueFd fifo = open_file(path("fifo"), O_RDONLY);
  std::string got;
  char buffer[100];
  for (ssize_t size = 0; (size = ::read(fifo.get(), buffer, sizeof buffer)) > 0;)
    got.append(buffer, static_cast<std::size_t>(size));
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(got, "through the fifo");
  EXPECT_EQ(open_errno(path("fifo"), O_WRONLY | O_NONBLOCK), 0) << "this process reads";
  ASSERT_EQ(errno_of(::mkfifo(path("quiet").c_str(), 0640)), 0);
  EXPECT_EQ(open_errno(path("quiet"), O_WRONLY | O_NONBLOCK), ENXIO) << "nobody reads";
}

TEST_P(Special, Sockets) {
  const auto address_of = [&] {
    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    path("s").copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  };
  const struct sockaddr_un address = address_of();
  const auto* const plain = reinterpret_cast<const struct sockaddr*>(&address);
  const UniqueFd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(errno_of(::bind(server.get(), plain, sizeof address)), 0);
  ASSERT_EQ(errno_of(::listen(server.get(), 1)), 0);
  EXPECT_TRUE(S_ISSOCK(stat_of(path("s")).st_mode));
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(errno_of(::connect(client.get(), plain, sizeof address)), 0);
  const UniqueFd accepted(::accept(server.get(), nullptr, nullptr));
  say(client, "hello");
  char buffer[10];
  EXPECT_EQ(::read(accepted.get(), buffer, sizeof buffer), 5);
  const UniqueFd second(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(errno_of(::bind(second.get(), plain, sizeof address)), EADDRINUSE);
}

TEST_P(Special, DeviceNodes) {
  const dev_t null = ::makedev(1, 3);
  ASSERT_EQ(errno_of(::mknod(path("null").c_str(), S_IFCHR | 0666, null)), 0);
  ASSERT_EQ(errno_of(::mknod(path("block").c_str(), S_IFBLK | 0600, ::makedev(300, 70000))), 0);
  EXPECT_EQ(stat_of(path("null")).st_rdev, null);
  EXPECT_TRUE(S_ISCHR(stat_of(path("null")).st_mode));
  EXPECT_EQ(stat_of(path("block")).st_rdev, ::makedev(300, 70000));
  make_folder(path("open"), 0777);
  EXPECT_EQ(as_user(kAlice, [&] { return errno_of(::mknod(path("open/no").c_str(), S_IFCHR | 0666, null)); }),
            EPERM);
  EXPECT_EQ(get(path("null")), "") << "it works";
  ASSERT_EQ(errno_of(::mknod(path("plain").c_str(), S_IFREG | 0640, 0)), 0) << "mknod(2) makes files too";
  EXPECT_EQ(stat_of(path("plain")).st_mode, S_IFREG | 0640U);
  EXPECT_EQ(get(path("plain")), "");
  put(path("plain"), "content");
  EXPECT_EQ(get(path("plain")), "content");
}

TEST_P(Special, HardLinks) {
  put(path("f"), "content");
  make_folder(path("d"));
  EXPECT_EQ(errno_of(::link(path("d").c_str(), path("d2").c_str())), EPERM);
  EXPECT_EQ(errno_of(::link(path("none").c_str(), path("x").c_str())), ENOENT);
  EXPECT_EQ(errno_of(::link(path("f").c_str(), path("d").c_str())), EEXIST);
  if (!on_mount()) return;
  EXPECT_EQ(errno_of(::link(path("f").c_str(), path("g").c_str())), EPERM) << "a name is a file here";
  EXPECT_FALSE(exists(path("g")));
  EXPECT_EQ(stat_of(path("f")).st_nlink, 1U);
}

TEST_P(Special, RunningPrograms) {
  ASSERT_EQ(std::system(("cp /bin/sleep " + path("program")).c_str()), 0);
  ASSERT_EQ(::chmod(path("program").c_str(), 0755), 0);
  {
    ChildProcess running({path("program"), "60"}, "/dev/null");
    ASSERT_TRUE(wait_until([&] {
      char name[4096] = "";
      const std::string link = "/proc/" + std::to_string(running.pid()) + "/exe";
      return ::readlink(link.c_str(), name, sizeof name - 1) > 0 && path("program") == name;
    }));
    EXPECT_EQ(open_errno(path("program"), O_WRONLY), ETXTBSY);
    EXPECT_EQ(errno_of(::truncate(path("program").c_str(), 0)), ETXTBSY);
    EXPECT_EQ(errno_of(::unlink(path("program").c_str())), 0) << "removing it is allowed";
  }
  put(path("script"), "#!/bin/sh\nexit 7\n", 0755);
  EXPECT_EQ(WEXITSTATUS(std::system(path("script").c_str())), 7);
  ASSERT_EQ(std::system(("cp /bin/true " + path("program")).c_str()), 0);
  const UniqueFd writer = open_file(path("program"), O_WRONLY);
  EXPECT_EQ(in_child([&] {
              ::execl(path("program").c_str(), "program", nullptr);
              return errno;
            }),
            ETXTBSY);
}

TEST_P(Special, LocksBetweenProcesses) {
  put(path("f"), "content");
  const UniqueFd file = open_file(path("f"), O_RDWR);
  ASSERT_EQ(errno_of(::flock(file.get(), LOCK_EX | LOCK_NB)), 0);
  const auto try_flock = [&](int how) {
    return in_child([&] { return errno_of(::flock(open_file(path("f"), O_RDWR).get(), how | LOCK_NB)); });
  };
  EXPECT_EQ(try_flock(LOCK_EX), EWOULDBLOCK);
  EXPECT_EQ(try_flock(LOCK_SH), EWOULDBLOCK);
  ASSERT_EQ(errno_of(::flock(file.get(), LOCK_SH)), 0);
  EXPECT_EQ(try_flock(LOCK_SH), 0);
  ASSERT_EQ(errno_of(::flock(file.get(), LOCK_UN)), 0);
  EXPECT_EQ(try_flock(LOCK_EX), 0);

  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = 10;
  range.l_len = 10;
  ASSERT_EQ(errno_of(::fcntl(file.get(), F_SETLK, &range)), 0);
  const auto try_range = [&](off_t start) {
    return in_child([&, start] {
      struct flock wanted = range;
      wanted.l_start = start;
      return errno_of(::fcntl(open_file(path("f"), O_RDWR).get(), F_SETLK, &wanted));
    });
  };
  EXPECT_EQ(try_range(15), EAGAIN);
  EXPECT_EQ(try_range(20), 0);
  EXPECT_EQ(in_child([&] {
              struct flock asked = range;
              return ::fcntl(open_file(path("f"), O_RDWR).get(), F_GETLK, &asked) == 0 &&
                             asked.l_pid == ::getppid()
                         ? 0
                         : 1;
            }),
            0);
  ::close(::open(path("f").c_str(), O_RDONLY));  // closes the process's POSIX locks, as POSIX has it
  EXPECT_EQ(try_range(15), 0);
}

}  // namespace
}  // namespace geogrid::test
