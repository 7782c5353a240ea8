// What two mounts owe each other where both want the same thing at the same time.

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <random>

#include "cluster_world.hpp"
#include "settings.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

constexpr int kRounds = 25;

class Sharing : public testing::TestWithParam<bool> {
 public:
  static std::string name(const testing::TestParamInfo<bool>& info) {
    return info.param ? "mariadb" : "sqlite";
  }

 protected:
  std::string path(int mount, const std::string& name) const { return world_.mount(mount) + "/" + name; }
  std::string content(int mount, const std::string& name) const {
    return Hand(world_.mount(mount)).read_whole(name).bytes;
  }
  bool agree(const std::string& name, const std::string& bytes) const {
    return wait_until([&] { return content(0, name) == bytes && content(1, name) == bytes; },
                      world_.patience());
  }
  /// Both at once, as nearly as threads can.
  static void together(const std::function<void(int)>& work) {
    std::atomic<int> ready{0};
    const auto run = [&](int mount) {
      ++ready;
      while (ready < 2) std::this_thread::yield();
      work(mount);
    };
    std::thread other(run, 1);
    run(0);
    other.join();
  }
  static void write_all(int fd, const std::string& bytes) {
    EXPECT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size())) << errno;
  }
  void expect_quiet() {
    const auto wrong = world_.settle(
        [&]() -> std::optional<std::string> {
          if (auto busy = world_.inspector().busy()) return busy;
          if (auto disks = world_.inspector().disks(false)) return disks;
          return world_.inspector().findings();
        },
        std::chrono::seconds(60));
    EXPECT_FALSE(wrong) << *wrong << "\n" << world_.logs();
  }

  ClusterWorld world_{ClusterWorld::Options{GetParam(), std::chrono::seconds(60)}};
};

TEST_P(Sharing, OneOfTwoExclusiveCreatesWins) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = fmt::format("x{}", round);
    int errors[2] = {0, 0};
    together([&](int mount) {
      const int fd = ::open(path(mount, name).c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
      errors[mount] = fd < 0 ? errno : 0;
      if (fd < 0) return;
      write_all(fd, std::to_string(mount));
      EXPECT_EQ(::close(fd), 0) << errno;
    });
    const int winner = errors[0] == 0 ? 0 : 1;
    EXPECT_EQ(errors[winner], 0);
    EXPECT_EQ(errors[1 - winner], EEXIST) << round;
    EXPECT_TRUE(agree(name, std::to_string(winner))) << round;
  }
  expect_quiet();
}

TEST_P(Sharing, OneOfTwoFoldersAndOneOfTwoRenamesWins) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = fmt::format("x{}", round);
    int errors[2] = {0, 0};
    together([&](int mount) { errors[mount] = ::mkdir(path(mount, name).c_str(), 0755) == 0 ? 0 : errno; });
    EXPECT_EQ(std::min(errors[0], errors[1]), 0);
    EXPECT_EQ(std::max(errors[0], errors[1]), EEXIST) << round;
    // One folder cannot go to two places.
    ASSERT_TRUE(wait_until([&] {
      return ::access(path(0, name).c_str(), F_OK) == 0 && ::access(path(1, name).c_str(), F_OK) == 0;
    }));
    together([&](int mount) {
      const std::string to = path(mount, fmt::format("{}-{}", name, mount));
      errors[mount] = ::rename(path(mount, name).c_str(), to.c_str()) == 0 ? 0 : errno;
    });
    EXPECT_EQ(std::min(errors[0], errors[1]), 0);
    EXPECT_EQ(std::max(errors[0], errors[1]), ENOENT) << round;
  }
  expect_quiet();
}

TEST_P(Sharing, TheLastCloseWinsWhole) {
  std::mt19937_64 random(settings().seed.value_or(1));
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = "file";
    const std::string bytes[2] = {bytes_of(random(), random() % 200'000),
                                  bytes_of(random(), random() % 200'000)};
    int fds[2];
    for (int mount = 0; mount < 2; ++mount) {
      fds[mount] = ::open(path(mount, name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      ASSERT_GE(fds[mount], 0) << errno;
    }
    const int last = static_cast<int>(random() % 2);
    for (const int mount : {1 - last, last}) write_all(fds[mount], bytes[mount]);
    for (const int mount : {1 - last, last}) EXPECT_EQ(::close(fds[mount]), 0) << errno;
    ASSERT_TRUE(agree(name, bytes[last])) << round;
    const auto lost = [&] { return !world_.inspector().trash({{name, bytes[1 - last]}}); };
    EXPECT_TRUE(wait_until(lost)) << round;
  }
  expect_quiet();
}

TEST_P(Sharing, ClosesAtOnceLeaveOneWholeContent) {
  std::mt19937_64 random(settings().seed.value_or(2));
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = fmt::format("file{}", round % 3);
    const std::string bytes[2] = {bytes_of(random(), random() % 200'000),
                                  bytes_of(random(), random() % 200'000)};
    together([&](int mount) {
      const int fd = ::open(path(mount, name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      ASSERT_GE(fd, 0) << errno;
      write_all(fd, bytes[mount]);
      EXPECT_EQ(::close(fd), 0) << errno;
    });
    const bool whole = wait_until(
        [&] {
          const std::string now = content(0, name);
          return now == content(1, name) && (now == bytes[0] || now == bytes[1]);
        },
        world_.patience());
    ASSERT_TRUE(whole) << round;
  }
  expect_quiet();
}

// Folders move under writers and copies: what was closed is somewhere, once.
TEST_P(Sharing, AFolderMovesUnderAWriter) {
  ASSERT_EQ(::mkdir(path(0, "a").c_str(), 0755), 0);
  ASSERT_TRUE(wait_until([&] { return ::access(path(1, "a").c_str(), F_OK) == 0; }));
  std::string here = "a";
  for (int round = 0; round < kRounds; ++round) {
    const std::string next = fmt::format("b{}", round);
    const std::string file = fmt::format("f{}", round);
    const std::string bytes = bytes_of(static_cast<std::uint64_t>(round) + 1, 5000);
    ASSERT_TRUE(wait_until([&] { return ::access(path(0, here).c_str(), F_OK) == 0; }));
    const int fd = ::open(path(0, here + "/" + file).c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
    ASSERT_GE(fd, 0) << errno;
    write_all(fd, bytes);
    if (round % 2 == 0) {
      together([&](int mount) {
        if (mount == 0)
          EXPECT_EQ(::close(fd), 0) << errno;
        else
          EXPECT_EQ(::rename(path(1, here).c_str(), path(1, next).c_str()), 0) << errno;
      });
    } else {
      EXPECT_EQ(::rename(path(1, here).c_str(), path(1, next).c_str()), 0) << errno;
      EXPECT_EQ(::close(fd), 0) << errno;
    }
    here = next;
    EXPECT_TRUE(agree(here + "/" + file, bytes)) << round;
  }
  EXPECT_TRUE(wait_until([&] { return Hand(world_.mount(0)).list(here).names.size() == kRounds; }));
  expect_quiet();
}

INSTANTIATE_TEST_SUITE_P(Stores, Sharing, testing::Bool(), Sharing::name);

}  // namespace
}  // namespace geogrid::test
