// Limits of the process, mounts that only read, and what is refused at the start.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "at_rest.hpp"
#include "base/digest.hpp"
#include "place.hpp"
#include "support/child_process.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

constexpr int kFiles = 1000;

std::string name_of(int n) {
  return "/f" + std::to_string(n);
}
std::string content_of(int n) {
  return content_for(std::to_string(n), static_cast<std::size_t>(100 + n));
}

ClusterSetup one_client(std::vector<std::string> under = {}) {
  ClusterSetup setup;
  setup.nodes = 2;
  setup.clients = 1;
  setup.client_under = std::move(under);
  return setup;
}

struct ManyFiles {
  std::vector<int> errors = std::vector<int>(kFiles, 0);  ///< the first errno of each
  int good = 0;
};

/// A thousand files, all open at once, each written and closed.
ManyFiles write_many(const std::string& mount) {
  struct rlimit limit {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 2 * kFiles);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ManyFiles many;
  std::vector<UniqueFd> files;
  for (int n = 0; n < kFiles; ++n) {
    files.emplace_back(::open((mount + name_of(n)).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    int& error = many.errors[static_cast<std::size_t>(n)];
    if (!files.back()) {
      error = errno;
      continue;
    }
    const std::string content = content_of(n);
    error = errno_of(::write(files.back().get(), content.data(), content.size()));
  }
  for (int n = 0; n < kFiles; ++n) {
    int& error = many.errors[static_cast<std::size_t>(n)];
    UniqueFd& file = files[static_cast<std::size_t>(n)];
    if (file && ::close(file.release()) != 0 && error == 0) error = errno;
    many.good += error == 0 ? 1 : 0;
  }
  return many;
}

TEST(Limits, AThousandOpenFiles) {
  Cluster archive(one_client({"prlimit", "--nofile=256:20000"}));  // it takes what it may have
  archive.start();
  const ManyFiles many = write_many(archive.mount(0));
  EXPECT_EQ(many.good, kFiles) << testing::PrintToString(
      std::set<int>(many.errors.begin(), many.errors.end()));
  for (int n = 0; n < kFiles; n += 7) EXPECT_TRUE(get(archive.mount(0) + name_of(n)) == content_of(n)) << n;
  const TreePicture picture = picture_of(archive.mount(0));
  EXPECT_TRUE(archive.wait_replicated());
  archive.stop();
  expect_at_rest(archive, picture, 2);
}

TEST(Limits, AThousandOpenFilesWithFewDescriptors) {
  Cluster archive(one_client({"prlimit", "--nofile=200:200"}));
  archive.start_client(0);
  const ManyFiles many = write_many(archive.mount(0));
  archive.expect_alive();
  EXPECT_GT(many.good, 50);
  for (const int error : std::set<int>(many.errors.begin(), many.errors.end()))
    EXPECT_THAT(error, testing::AnyOf(0, EMFILE, ENFILE)) << "says what is wrong";
  for (int n = 0; n < kFiles; ++n) {
    if (many.errors[static_cast<std::size_t>(n)] != 0) continue;
    EXPECT_TRUE(get(archive.mount(0) + name_of(n)) == content_of(n)) << n;
  }
  put(archive.mount(0) + "/after", "all goes on");
  archive.stop();
  const TreePicture disks[] = {picture_of(archive.root(0)), picture_of(archive.root(1))};
  for (int n = 0; n < kFiles; ++n) {
    if (many.errors[static_cast<std::size_t>(n)] != 0) continue;
    const std::string digest = digest_of(content_of(n)).str();
    int copies = 0;
    for (const TreePicture& disk : disks)
      copies += disk.contains(name_of(n)) && disk.at(name_of(n)).digest == digest ? 1 : 0;
    EXPECT_GE(copies, 1) << n;
  }
  const auto verified = archive.run({"verify", "--deep"});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

TEST(Limits, AReadOnlyMountSaysSo) {
  ClusterSetup setup = one_client();
  setup.mount_options = ", read_only: true";
  Cluster archive(setup);
  make_folder(archive.root(0) + "/d");
  put(archive.root(0) + "/d/f", "content");
  EXPECT_TRUE(wait_until([&] {  // what changed a moment ago is left alone at first
    archive.ok({"--role=storage", "--action=walk", "--replica=n0"});
    return archive.run({"locate", "/d/f"}).status == 0;
  }));
  archive.start_client(0);
  const std::string folder = archive.mount(0) + "/d", file = folder + "/f", fresh = folder + "/new";
  EXPECT_EQ(get(file), "content");
  EXPECT_EQ(open_errno(fresh, O_WRONLY | O_CREAT), EROFS);
  EXPECT_EQ(open_errno(file, O_WRONLY), EROFS);
  EXPECT_EQ(open_errno(file, O_RDONLY | O_TRUNC), EROFS);
  EXPECT_EQ(open_errno(file, O_RDONLY | O_CREAT), 0);
  EXPECT_EQ(errno_of(::mkdir(fresh.c_str(), 0755)), EROFS);
  EXPECT_EQ(errno_of(::mkfifo(fresh.c_str(), 0644)), EROFS);
  EXPECT_EQ(errno_of(::symlink("f", fresh.c_str())), EROFS);
  EXPECT_EQ(errno_of(::unlink(file.c_str())), EROFS);
  EXPECT_EQ(errno_of(::rmdir(folder.c_str())), EROFS);
  EXPECT_EQ(errno_of(::rename(file.c_str(), fresh.c_str())), EROFS);
  EXPECT_EQ(errno_of(::chmod(file.c_str(), 0600)), EROFS);
  EXPECT_EQ(errno_of(::chown(file.c_str(), 1, 1)), EROFS);
  EXPECT_EQ(errno_of(::truncate(file.c_str(), 0)), EROFS);
  EXPECT_EQ(errno_of(::utimensat(AT_FDCWD, file.c_str(), nullptr, 0)), EROFS);
  EXPECT_EQ(get(file), "content");
  archive.stop();
}

/// How a client with this mount point and this store ends: its exit code, and what it says.
std::pair<int, std::string> start_with(const Cluster& archive, const std::string& mountpoint,
                                       const std::string& store) {
  const std::string config = archive.scratch().file("refused.yaml"),
                    log = archive.scratch().file("refused.out");
  std::ofstream(config) << "cluster: testing\nmetadata: { url: 'sqlite:" << store
                        << "' }\nnodes:\n  n0: { path: '" << archive.root(0) << "' }\n  n1: { path: '"
                        << archive.root(1) << "' }\n"
                        << "client: { mounts: [ { mountpoint: '" << mountpoint << "' } ] }\n";
  ChildProcess process({program_under_test(), "--config", config, "--role=client"}, log);
  const int status = process.wait(std::chrono::seconds(20));
  std::ostringstream said;
  said << std::ifstream(log).rdbuf();
  ::unlink(log.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, said.str()};
}

TEST(Limits, MountPointsThatWouldBiteThemselves) {
  Cluster archive(one_client());
  const std::string store = archive.scratch().file("metadata.db");
  make_folder(archive.root(0) + "/inside");
  make_folder(archive.scratch().file("holds"));
  std::filesystem::copy(store, archive.scratch().file("holds/metadata.db"));
  struct Case {
    const char* what;
    std::string mountpoint, store;
  };
  const std::vector<Case> cases{
      {"in a volume", archive.root(0) + "/inside", store},
      {"a volume itself", archive.root(1), store},
      {"around the volumes", archive.scratch().path().string(), store},
      {"around the store", archive.scratch().file("holds"), archive.scratch().file("holds/metadata.db")},
      {"nowhere", archive.scratch().file("nowhere"), store},
  };
  for (const Case& c : cases) {
    const auto [code, said] = start_with(archive, c.mountpoint, c.store);
    EXPECT_THAT(code, testing::AnyOf(1, 2)) << c.what << ": " << said;
    EXPECT_THAT(said, testing::HasSubstr(c.mountpoint)) << c.what;
    EXPECT_FALSE(is_mounted(c.mountpoint)) << c.what;
  }
}

}  // namespace
}  // namespace geogrid::test
