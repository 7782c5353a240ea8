// The client's process dies: nothing that was closed is lost, nothing half-written is seen.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include <iostream>
#include <thread>

#include "at_rest.hpp"
#include "place.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

/// A lease outlives its owner for a minute; then the drafts are salvaged.
constexpr std::chrono::seconds kSalvaged{150};

ClusterSetup one_client() {
  ClusterSetup setup;
  setup.nodes = 2;
  setup.clients = 1;
  return setup;
}

std::string name_of(int n) {
  return "/f" + std::to_string(n);
}
std::string content_of(int n) {
  return content_for(std::to_string(n), static_cast<std::size_t>(1 + n * 7919 % 60000));
}

/// Writes files until the client dies; `closed` takes those that were closed.
void write_until_it_dies(const std::string& mount, int first, std::vector<int>& closed,
                         std::atomic<int>& count) {
  try {
    for (int n = first;; ++n) {
      put(mount + name_of(n), content_of(n));
      closed.push_back(n);
      ++count;
    }
  } catch (const std::system_error&) {
  }
}

TEST(Crash, LosesNothingThatWasClosedAndShowsNothingHalf) {
  Cluster archive(one_client());
  archive.start();
  const std::string mount = archive.mount(0);
  const std::string old = content_for("old", 1000000), fresh = content_for("new", 700000);
  put(mount + "/over", old);
  make_folder(mount + "/d");
  ASSERT_TRUE(archive.wait_replicated());

  UniqueFd made = open_file(mount + "/d/made", O_WRONLY | O_CREAT);
  say(made, fresh);
  UniqueFd over = open_file(mount + "/over", O_RDWR);
  ASSERT_EQ(::pwrite(over.get(), "half-written", 12, 500000), 12);

  std::vector<int> closed;
  for (int round = 0; round < 3; ++round) {
    std::atomic<int> count{0};
    std::thread writer([&] { write_until_it_dies(mount, round * 10000, closed, count); });
    wait_until([&] { return count >= 20 + round * 7; });
    archive.kill_client(0);
    writer.join();
    made.reset();
    over.reset();
    archive.start_client(0);
    ASSERT_TRUE(get(mount + "/over") == old) << "never half of the new content";
    for (const int n : closed) ASSERT_TRUE(get(mount + name_of(n)) == content_of(n)) << n;
  }

  // It dies again, while it owes the disks removals and the settling of what it replaced.
  for (int n = 0; n < 20; n += 3) ASSERT_EQ(errno_of(::unlink((mount + name_of(n)).c_str())), 0);
  for (int n = 1; n < 20; n += 3) put(mount + name_of(n), "again " + std::to_string(n));
  archive.kill_client(0);
  archive.start_client(0);
  for (int n = 0; n < 20; ++n) {
    const std::string name = mount + name_of(n);
    if (n % 3 == 0) {
      EXPECT_FALSE(exists(name));
      continue;
    }
    EXPECT_TRUE(get(name) == (n % 3 == 1 ? "again " + std::to_string(n) : content_of(n))) << n;
  }

  // What was open: not seen any more, and its bytes are kept.
  EXPECT_TRUE(wait_until([&] { return !exists(mount + "/d/made"); }, kSalvaged)) << archive.logs();
  EXPECT_TRUE(wait_until([&] { return !kept_aside(archive, "lost+found", "/d/made").empty(); }, kSalvaged));
  for (const std::string& kept : kept_aside(archive, "lost+found", "/d/made"))
    EXPECT_TRUE(get(kept) == fresh);
  EXPECT_TRUE(wait_until([&] { return !kept_aside(archive, "lost+found", "/over").empty(); }, kSalvaged));
  std::string changed = old;
  changed.replace(500000, 12, "half-written");
  for (const std::string& kept : kept_aside(archive, "lost+found", "/over"))
    EXPECT_TRUE(get(kept) == changed);
  EXPECT_TRUE(get(mount + "/over") == old);
  EXPECT_TRUE(wait_until([&] { return left_in_tmp(archive).empty(); }, kSalvaged));
  put(mount + "/d/made", "made again");

  const TreePicture picture = picture_of(mount);
  EXPECT_TRUE(archive.wait_replicated());
  archive.stop();
  expect_at_rest(archive, picture, 2);
  if (testing::Test::HasFailure()) std::cerr << archive.logs(20000);
}

TEST(Crash, EndingInGoodOrderKeepsWhatIsOpen) {
  Cluster archive(one_client());
  archive.start();
  const std::string mount = archive.mount(0);
  put(mount + "/over", "the old content");
  const std::string content = content_for("f", 1500000);
  UniqueFd made = open_file(mount + "/made", O_WRONLY | O_CREAT);
  say(made, content);
  UniqueFd over = open_file(mount + "/over", O_WRONLY | O_TRUNC);
  say(over, "the new content");
  archive.stop_client(0);
  made.reset();
  over.reset();
  archive.start_client(0);
  EXPECT_TRUE(get(mount + "/made") == content) << "flushed and recorded";
  EXPECT_EQ(get(mount + "/over"), "the new content");
  const TreePicture picture = picture_of(mount);
  EXPECT_TRUE(archive.wait_replicated());
  archive.stop();
  expect_at_rest(archive, picture, 2);
}

}  // namespace
}  // namespace geogrid::test
