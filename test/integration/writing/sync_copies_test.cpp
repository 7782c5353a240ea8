// Classes that want two copies when close() returns.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "at_rest.hpp"
#include "place.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

ClusterSetup two_at_once() {
  ClusterSetup setup;
  setup.nodes = 3;
  setup.clients = 1;
  setup.classes =
      "[ { name: kept.jpg, match: '\\.jpg$', replicas: 2, backups: 0, sync_copies: 2, durable: true }, "
      "{ name: others, replicas: 1, backups: 0 } ]";
  return setup;
}

class SyncCopies : public testing::Test {
 protected:
  SyncCopies() { archive.start_client(0); }  // nobody else copies
  std::string path(const std::string& path) const { return archive.mount(0) + path; }
  /// How many nodes hold exactly these bytes at this moment.
  std::size_t copies(const std::string& name, const std::string& content) {
    std::size_t count = 0;
    for (std::size_t node = 0; node < 3; ++node)
      if (exists(archive.root(node) + name) && get(archive.root(node) + name) == content) ++count;
    return count;
  }
  void end() {
    const TreePicture picture = picture_of(archive.mount(0));
    archive.stop();
    expect_at_rest(archive, picture, 1);
  }

  Cluster archive{two_at_once()};
};

TEST_F(SyncCopies, AreThereWhenCloseReturns) {
  std::string content = content_for("f", 300000);
  put(path("/f.jpg"), content);
  EXPECT_EQ(copies("/f.jpg", content), 2U);
  char nodes[100];
  const ssize_t size = ::getxattr(path("/f.jpg").c_str(), "user.geogrid.replicas", nodes, sizeof nodes);
  EXPECT_EQ(size, 5) << "two names and a comma";
  put(path("/f.jpg"), "overwritten");
  EXPECT_EQ(copies("/f.jpg", "overwritten"), 2U);
  {
    const UniqueFd file = open_file(path("/f.jpg"), O_WRONLY | O_APPEND);
    say(file, " and appended");
  }
  EXPECT_EQ(copies("/f.jpg", "overwritten and appended"), 2U);
  ASSERT_EQ(errno_of(::truncate(path("/f.jpg").c_str(), 4)), 0);
  EXPECT_EQ(copies("/f.jpg", "over"), 2U);
  put(path("/empty.jpg"), "");
  EXPECT_EQ(copies("/empty.jpg", ""), 2U);
  put(path("/one.txt"), "one");
  EXPECT_EQ(copies("/one.txt", "one"), 1U) << "of the other class";
  end();
}

TEST_F(SyncCopies, RefuseTheOpenWhereTheyCannotBe) {
  put(path("/f.jpg"), "content");
  archive.ok({"node", "set", "n1", "--state=readonly"});
  archive.ok({"node", "set", "n2", "--state=readonly"});
  EXPECT_TRUE(wait_until([&] {
    const int error = open_errno(path("/new.jpg"), O_WRONLY | O_CREAT);
    if (error == 0) ::unlink(path("/new.jpg").c_str());
    return error != 0;
  }));
  EXPECT_FALSE(exists(path("/new.jpg"))) << "nothing is left of what was refused";
  EXPECT_NE(open_errno(path("/f.jpg"), O_WRONLY), 0);
  EXPECT_NE(open_errno(path("/f.jpg"), O_WRONLY | O_TRUNC), 0);
  EXPECT_EQ(get(path("/f.jpg")), "content");
  put(path("/other.txt"), "the other class goes on");
  archive.ok({"node", "set", "n1", "--state=active"});
  EXPECT_TRUE(wait_until([&] { return open_errno(path("/new.jpg"), O_WRONLY | O_CREAT) == 0; }));
  put(path("/new.jpg"), "new");
  EXPECT_EQ(copies("/new.jpg", "new"), 2U);
  end();
}

TEST_F(SyncCopies, SayWhenOneIsLostInMidWrite) {
  const std::string content = content_for("f", 1 << 20);
  UniqueFd file = open_file(path("/f.jpg"), O_WRONLY | O_CREAT);
  say(file, content);
  std::size_t lost = 3;
  for (std::size_t node = 0; node < 3; ++node)
    if (!names_in_folder(archive.root(node) + "/.geogrid/tmp").empty()) lost = node;
  ASSERT_LT(lost, 3U);
  const std::string root = archive.root(lost);
  ASSERT_EQ(errno_of(::rename(root.c_str(), (root + ".away").c_str())), 0);
  const int error = errno_of(::close(file.release()));
  if (error == 0) {
    EXPECT_EQ(copies("/f.jpg", content), 2U) << "there was a third node to go to";
  } else {
    EXPECT_EQ(error, EIO);
  }
  ASSERT_EQ(errno_of(::rename((root + ".away").c_str(), root.c_str())), 0);
  put(path("/g.jpg"), "all goes on");
  EXPECT_EQ(copies("/g.jpg", "all goes on"), 2U);
}

}  // namespace
}  // namespace geogrid::test
