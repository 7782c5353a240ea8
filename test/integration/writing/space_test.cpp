// Nodes that are full, fill up, or go away while something is written.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "at_rest.hpp"
#include "place.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

constexpr std::size_t kMiB = 1 << 20;

/// A disk of 16 MiB.
class SmallDisk {
 public:
  SmallDisk() {
    if (::mount("tmpfs", path().c_str(), "tmpfs", 0, "size=16m,mode=0755") != 0)
      throw std::system_error(errno, std::generic_category(), "mounting a tmpfs");
  }
  ~SmallDisk() { ::umount2(path().c_str(), MNT_DETACH); }
  std::string path() const { return scratch_.path().string(); }

 private:
  Scratch scratch_{"disk"};
};

std::uint64_t free_bytes(const std::string& path) {
  struct statvfs space {};
  if (::statvfs(path.c_str(), &space) != 0) throw std::system_error(errno, std::generic_category(), path);
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

std::vector<std::size_t> holders(const Cluster& archive, const std::string& path) {
  std::vector<std::size_t> found;
  for (std::size_t node = 0; node < archive.setup().nodes; ++node)
    if (exists(archive.root(node) + path)) found.push_back(node);
  return found;
}

/// The node in whose tmp something is being written; -1 if none is.
int node_of_draft(const Cluster& archive) {
  for (std::size_t node = 0; node < archive.setup().nodes; ++node)
    if (!names_in_folder(archive.root(node) + "/.geogrid/tmp").empty()) return static_cast<int>(node);
  return -1;
}

/// A command of the operator that waits for its moment. Started before the test's file is open: a child that
/// closes its copy of the descriptor would have the file recorded.
class LaterCommand {
 public:
  LaterCommand(const Cluster& archive, const std::vector<std::string>& arguments)
      : fifo_(archive.scratch().file("later" + arguments.back() + arguments.at(2))),
        log_(archive.scratch().file("later.log")) {
    if (::mkfifo(fifo_.c_str(), 0600) != 0) throw std::system_error(errno, std::generic_category(), fifo_);
    std::vector<std::string> command{"/bin/sh",
                                     "-c",
                                     "read -r word < \"$0\" && exec \"$@\"",
                                     fifo_,
                                     program_under_test(),
                                     "--config",
                                     archive.scratch().file("client0.yaml")};
    command.insert(command.end(), arguments.begin(), arguments.end());
    process_ = std::make_unique<ChildProcess>(command, log_);
  }
  void now() {
    say(open_file(fifo_, O_WRONLY), "now\n");
    if (process_->wait(std::chrono::seconds(30)) != 0)
      throw std::runtime_error("the command failed: " + get(log_));
  }

 private:
  const std::string fifo_, log_;
  std::unique_ptr<ChildProcess> process_;
};

class Space : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounts a small disk";
  }
  ClusterSetup setup_with(const SmallDisk& disk, std::size_t nodes) {
    ClusterSetup setup;
    setup.nodes = nodes;
    setup.clients = 1;
    setup.classes = "[ { name: others, replicas: 1, backups: 0 } ]";
    setup.roots = {disk.path()};
    return setup;
  }
};

TEST_F(Space, AFullNodeIsAvoided) {
  const SmallDisk disk;
  ClusterSetup setup = setup_with(disk, 2);
  setup.min_free = "12MiB";
  Cluster archive(setup);
  put(disk.path() + "/.geogrid/ballast", std::string(6 * kMiB, 'x'));
  archive.start();
  for (int n = 0; n < 10; ++n) {
    const std::string name = "/f" + std::to_string(n);
    put(archive.mount(0) + name, content_for(name, kMiB / 2));
    EXPECT_THAT(holders(archive, name), testing::ElementsAre(1U));
  }
  archive.stop();
}

TEST_F(Space, ADiskThatFillsInMidWriteIsLeftForAnother) {
  const SmallDisk disk;
  Cluster archive(setup_with(disk, 2));
  archive.ok({"node", "set", "n1", "--state=readonly"});
  archive.start();
  const std::string content = content_for("f", 40 * kMiB);
  LaterCommand set_active(archive, {"node", "set", "n1", "--state=active"});
  {
    const UniqueFd file = open_file(archive.mount(0) + "/f", O_WRONLY | O_CREAT);
    say(file, content.substr(0, 4 * kMiB));
    EXPECT_EQ(node_of_draft(archive), 0);
    set_active.now();
    EXPECT_TRUE(wait_until([&] { return free_bytes(archive.mount(0)) > 100 * kMiB; })) << "the client knows";
    ASSERT_NO_THROW(say(file, content.substr(4 * kMiB)));
  }
  EXPECT_TRUE(get(archive.mount(0) + "/f") == content);
  EXPECT_THAT(holders(archive, "/f"), testing::ElementsAre(1U));
  put(archive.mount(0) + "/g", "and all goes on");
  const TreePicture picture = picture_of(archive.mount(0));
  archive.stop();
  expect_at_rest(archive, picture, 1);
}

TEST_F(Space, AnOverwriteMovesToAnotherDiskToo) {
  const SmallDisk disk;
  Cluster archive(setup_with(disk, 2));
  archive.ok({"node", "set", "n1", "--state=readonly"});
  archive.start();
  std::string content = content_for("f", 6 * kMiB);
  put(archive.mount(0) + "/f", content);
  ASSERT_THAT(holders(archive, "/f"), testing::ElementsAre(0U));
  LaterCommand set_active(archive, {"node", "set", "n1", "--state=active"});
  {
    const UniqueFd file = open_file(archive.mount(0) + "/f", O_WRONLY);
    ASSERT_EQ(::pwrite(file.get(), "changed", 7, 100), 7);
    set_active.now();
    EXPECT_TRUE(wait_until([&] { return free_bytes(archive.mount(0)) > 100 * kMiB; })) << "the client knows";
    const std::string more = content_for("more", 20 * kMiB);
    ASSERT_EQ(::lseek(file.get(), 0, SEEK_END), static_cast<off_t>(content.size()));
    ASSERT_NO_THROW(say(file, more));
    content.replace(100, 7, "changed");
    content += more;
  }
  EXPECT_TRUE(get(archive.mount(0) + "/f") == content);
  EXPECT_TRUE(get(archive.root(1) + "/f") == content);
  archive.stop();
  const auto verified = archive.run({"verify", "--deep"});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

TEST_F(Space, NoSpaceAnywhereIsSaidAndHarmsNothing) {
  const SmallDisk disk;
  Cluster archive(setup_with(disk, 1));
  archive.start();
  put(archive.mount(0) + "/before", content_for("before", kMiB));
  const std::string piece(kMiB, 'x');
  UniqueFd file = open_file(archive.mount(0) + "/big", O_WRONLY | O_CREAT);
  int error = 0;
  for (int n = 0; n < 32 && error == 0; ++n)
    error = errno_of(::write(file.get(), piece.data(), piece.size()));
  if (error == 0) error = errno_of(::close(file.release()));
  EXPECT_EQ(error, ENOSPC);
  EXPECT_EQ(errno_of(::unlink((archive.mount(0) + "/big").c_str())), 0);
  file.reset();
  EXPECT_TRUE(get(archive.mount(0) + "/before") == content_for("before", kMiB));
  EXPECT_TRUE(wait_until([&] { return free_bytes(disk.path()) > 10 * kMiB; })) << "what nobody has is gone";
  EXPECT_TRUE(wait_until([&] { return free_bytes(archive.mount(0)) > 8 * kMiB; })) << "the client knows";
  put(archive.mount(0) + "/after", content_for("after", 2 * kMiB));
  const TreePicture picture = picture_of(archive.mount(0));
  archive.stop();
  expect_at_rest(archive, picture, 1);
}

TEST_F(Space, AWriterOfWhatDoesNotFitHearsOfIt) {
  const SmallDisk disk;
  Cluster archive(setup_with(disk, 1));
  archive.start();
  EXPECT_NE(
      std::system(
          ("dd if=/dev/zero of=" + archive.mount(0) + "/big bs=1M count=32 status=none 2>/dev/null").c_str()),
      0);
  // Whatever is left of it: its bytes are those it says.
  const TreePicture picture = picture_of(archive.mount(0));
  archive.stop();
  expect_at_rest(archive, picture, 1);
}

class LostNode : public testing::TestWithParam<bool> {};
std::string what_is_written(const testing::TestParamInfo<bool>& info) {
  return info.param ? "overwritten" : "made";
}
INSTANTIATE_TEST_SUITE_P(Files, LostNode, testing::Bool(), what_is_written);

TEST_P(LostNode, InMidWrite) {
  ClusterSetup setup;
  setup.nodes = 2;
  setup.clients = 1;
  Cluster archive(setup);
  archive.start();
  const std::string path = archive.mount(0) + "/f", old = content_for("old", 2 * kMiB);
  const std::string content = content_for("f", 4 * kMiB);
  if (GetParam()) {
    put(path, old);
    ASSERT_TRUE(archive.wait_replicated());
  }
  UniqueFd file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  say(file, content.substr(0, kMiB));
  // The first write of a new file may be on its way still.
  int node = -1;
  ASSERT_TRUE(wait_until([&] { return (node = node_of_draft(archive)) >= 0; }));
  archive.kill_storage(static_cast<std::size_t>(node));
  const std::string root = archive.root(static_cast<std::size_t>(node)), away = root + ".away";
  ASSERT_EQ(errno_of(::rename(root.c_str(), away.c_str())), 0);
  int error = 0;
  for (std::size_t at = kMiB; at < content.size() && error == 0; at += kMiB)
    error = errno_of(::write(file.get(), content.data() + at, kMiB));
  const int closed = errno_of(::close(file.release()));
  if (error == 0) error = closed;
  EXPECT_THAT(error, testing::AnyOf(0, EIO));
  const auto is_right = [&] {
    if (error == 0) return get(path) == content;
    return GetParam() ? get(path) == old : !exists(path) || get(path).empty();
  };
  EXPECT_TRUE(is_right()) << "error " << error << ", while the node is away";
  put(archive.mount(0) + "/g", "all goes on");
  EXPECT_EQ(get(archive.mount(0) + "/g"), "all goes on");
  ASSERT_EQ(errno_of(::rename(away.c_str(), root.c_str())), 0);
  archive.start_storage(static_cast<std::size_t>(node));
  EXPECT_TRUE(archive.wait_replicated());
  EXPECT_TRUE(is_right()) << "error " << error << ", and when it is back";
  const TreePicture picture = picture_of(archive.mount(0));
  archive.stop_client(0);
  // What the node had of it is salvaged now that its writer is gone.
  EXPECT_TRUE(wait_until([&] { return left_in_tmp(archive).empty(); }, std::chrono::seconds(90)));
  EXPECT_TRUE(archive.wait_replicated());
  archive.stop();
  if (error == 0) expect_at_rest(archive, picture, 2);
}

TEST_P(LostNode, TakenOutOfUseInMidWrite) {
  ClusterSetup setup;
  setup.nodes = 2;
  setup.clients = 1;
  Cluster archive(setup);
  archive.start();
  const std::string path = archive.mount(0) + "/f", content = content_for("f", 2 * kMiB);
  if (GetParam()) {
    put(path, "old");
    ASSERT_TRUE(archive.wait_replicated());
  }
  std::vector<std::unique_ptr<LaterCommand>> set_readonly(2);
  for (std::size_t node = 0; node < 2; ++node)
    set_readonly[node] = std::make_unique<LaterCommand>(
        archive, std::vector<std::string>{"node", "set", Cluster::name(node), "--state=readonly"});
  {
    const UniqueFd file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    say(file, content.substr(0, kMiB));
    int node = -1;
    ASSERT_TRUE(wait_until([&] { return (node = node_of_draft(archive)) >= 0; }));
    set_readonly[static_cast<std::size_t>(node)]->now();
    say(file, content.substr(kMiB));
  }
  EXPECT_TRUE(get(path) == content);
  EXPECT_TRUE(archive.wait_replicated());
  const TreePicture picture = picture_of(archive.mount(0));
  archive.stop();
  expect_at_rest(archive, picture, 2);
}

}  // namespace
}  // namespace geogrid::test
