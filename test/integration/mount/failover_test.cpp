// Reading on when a replica fails, in the middle of a file too.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive.hpp"
#include "fuse/mount_point.hpp"
#include "held_volume.hpp"
#include "support/mariadb_server.hpp"

namespace geogrid::test {
namespace {

constexpr std::size_t kLarge = 24 << 20;

/// Reads n0 first.
void prefer_first_node(MountsOptions& options) {
  options.names.preferences =
      *ReadPreferences::make({{"", {PreferredNode{NodeIndex(0), 1.0}, PreferredNode{NodeIndex(1), 1.0}}}});
}
Client::Setup first_node_first() {
  Client::Setup setup;
  setup.configure = prefer_first_node;
  return setup;
}

std::string served_by(const std::string& path) {
  char value[64];
  const ssize_t size = ::getxattr(path.c_str(), "user.geogrid.served_by", value, sizeof value);
  return size < 0 ? "" : std::string(value, static_cast<std::size_t>(size));
}

/// Reads a file in pieces, with something happening after the first.
std::string read_with(const std::string& path, const std::function<void()>& after_first_piece) {
  const int file = ::open(path.c_str(), O_RDONLY);
  std::string content, piece(65536, '\0');
  for (ssize_t got = 0; (got = ::read(file, piece.data(), piece.size())) != 0;) {
    if (got < 0) {
      content += fmt::format("[errno {}]", errno);
      break;
    }
    const bool first = content.empty();
    content.append(piece.data(), static_cast<std::size_t>(got));
    if (first) after_first_piece();
  }
  ::close(file);
  return content;
}

TEST(FailOver, TakesThePreferredReplicaWhileItIsGood) {
  Archive archive;
  archive.put("/f", "content");
  Client client(archive, first_node_first());
  EXPECT_EQ(read_file(client.path("/f")), "content");
  EXPECT_TRUE(wait_until([&] { return served_by(client.path("/f")) == "n0"; }));
  EXPECT_EQ(client.failovers(), 0U);
}

TEST(FailOver, NeverServesAReplicaOfTheWrongSize) {
  Archive archive;
  const std::string content = content_for("f", 300000);
  archive.put("/longer", content);
  archive.put("/shorter", content);
  write_file(archive.on_disk(0, "/longer"), content + "more");
  write_file(archive.on_disk(0, "/shorter"), content.substr(1));
  Client client(archive, first_node_first());
  EXPECT_TRUE(read_file(client.path("/longer")) == content);
  EXPECT_TRUE(read_file(client.path("/shorter")) == content);
  EXPECT_EQ(client.failovers(), 2U);
}

TEST(FailOver, ReadsOnWhenAReplicaIsTruncatedInMidFile) {
  Archive archive;
  const std::string content = content_for("large", kLarge);
  archive.put("/large", content);
  Client client(archive, first_node_first());
  EXPECT_TRUE(read_with(client.path("/large"), [&] {
                std::filesystem::resize_file(archive.on_disk(0, "/large"), 5 << 20);
              }) == content);
  EXPECT_GE(client.failovers(), 1U);
}

TEST(FailOver, KeepsReadingAFileWhoseNameOrFolderGoes) {
  Archive archive;
  const std::string content = content_for("large", kLarge);
  archive.put("/removed", content);
  archive.put("/moved", content);
  archive.put("/other", "other");
  Client client(archive, first_node_first());
  EXPECT_TRUE(read_with(client.path("/removed"),
                        [&] { std::filesystem::remove(archive.on_disk(0, "/removed")); }) == content);
  EXPECT_TRUE(read_with(client.path("/moved"), [&] {
                std::filesystem::rename(archive.root(0), archive.root(0) + ".away");
              }) == content);
  EXPECT_EQ(read_file(client.path("/other")), "other") << "from the other node";
  EXPECT_TRUE(wait_until([&] { return served_by(client.path("/other")) == "n1"; }));
}

TEST(FailOver, ComesBackToANodeThatComesBack) {
  Archive archive;
  archive.put("/one", "one");
  archive.put("/two", "two");
  std::filesystem::rename(archive.root(0), archive.root(0) + ".away");
  Client client(archive, first_node_first());
  EXPECT_EQ(read_file(client.path("/one")), "one");
  std::filesystem::rename(archive.root(0) + ".away", archive.root(0));
  EXPECT_TRUE(wait_until([&] { return served_by(client.path("/two")) == "n0"; }))
      << "its health is known again";
}

TEST(FailOver, IsAnErrorOnlyWhenNoCopyCanBeHad) {
  Archive archive;
  archive.put("/gone", "gone");
  archive.put("/here", "here");
  for (std::size_t n : {0, 1}) std::filesystem::remove(archive.on_disk(n, "/gone"));
  Client client(archive);
  char byte = 0;
  const int file = ::open(client.path("/gone").c_str(), O_RDONLY);
  EXPECT_EQ(errno_of(::read(file, &byte, 1)), EIO);
  ::close(file);
  EXPECT_EQ(read_file(client.path("/here")), "here");
  write_file(archive.on_disk(1, "/gone"), "gone");
  EXPECT_EQ(read_file(client.path("/gone")), "gone") << "a copy that came back";
}

TEST(FailOver, LeavesAReplicaThatIsLateAndAsksItNoMore) {
  Archive archive;
  const std::string content = content_for("large", kLarge);
  archive.put("/large", content);
  archive.put("/second", "second");
  HeldVolume held;
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) {
    prefer_first_node(options);
    options.names.deadline = std::chrono::milliseconds(200);
  };
  setup.replace_volumes = [&](std::vector<NodeVolume>& volumes) {
    volumes[0].volume = held.wrap(volumes[0].volume);
  };
  Client client(archive, setup);
  EXPECT_TRUE(read_with(client.path("/large"), [&] { held.hold(); }) == content);
  EXPECT_GE(client.on_loop([](Mounts& mounts) { return mounts.names().counters().late.load(); }), 1U);
  held.release();
}

TEST(FailOver, GivesTheLateAnswerOfTheOnlyReplica) {
  Archive archive;
  archive.put("/f", "only here", {0});
  HeldVolume held;
  held.hold();
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) { options.names.deadline = std::chrono::milliseconds(200); };
  setup.replace_volumes = [&](std::vector<NodeVolume>& volumes) {
    volumes[0].volume = held.wrap(volumes[0].volume);
  };
  Client client(archive, setup);
  auto content = std::async(std::launch::async, [&] { return read_file(client.path("/f")); });
  ASSERT_TRUE(wait_until([&] {
    return client.on_loop([](Mounts& mounts) { return mounts.names().counters().late.load(); }) >= 1;
  }));
  held.release();
  EXPECT_EQ(content.get(), "only here");
}

TEST(FailOver, EndsAReadThatNobodyAnswers) {
  Archive archive;
  archive.put("/f", "only here", {0});
  HeldVolume held;
  held.hold();
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) { options.names.deadline = std::chrono::milliseconds(100); };
  setup.replace_volumes = [&](std::vector<NodeVolume>& volumes) {
    volumes[0].volume = held.wrap(volumes[0].volume);
  };
  Client client(archive, setup);
  const int file = ::open(client.path("/f").c_str(), O_RDONLY);
  char byte = 0;
  EXPECT_EQ(errno_of(::read(file, &byte, 1)), EIO);
  ::close(file);
  client.stop();
  held.release();  // an answer that comes when the mount is gone
}

TEST(FailOver, ChecksDigestsWhereAskedTo) {
  Archive archive;
  const std::string small = content_for("small", 100000), large = content_for("large", kLarge);
  archive.put("/small", small);
  archive.put("/large", large);
  const auto flip = [&](const std::string& path, std::string content) {
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
    write_file(archive.on_disk(0, path), content);
  };
  flip("/small", small);
  flip("/large", large);
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) {
    prefer_first_node(options);
    options.names.verify_reads = true;
  };
  Client client(archive, setup);
  EXPECT_TRUE(read_file(client.path("/small")) == small) << "the other copy";
  const std::string got = read_with(client.path("/large"), [] {});
  EXPECT_EQ(got.substr(got.find_last_of('[')), fmt::format("[errno {}]", EIO))
      << "its first bytes were given already";
  EXPECT_TRUE(read_file(client.path("/large")) == large) << "the next reader gets the other copy";
  EXPECT_TRUE(wait_until([&] { return archive.must(archive.store().findings(10)).size() == 2; }));
  for (const Finding& finding : archive.must(archive.store().findings(10))) {
    EXPECT_EQ(finding.kind, FindingKind::damaged);
    EXPECT_EQ(finding.node, archive.node(0));
  }
}

struct Resume {
  ~Resume() { MariaDbServer::shared().resume(); }
};

TEST(MetadataAway, AnswersFromMemoryOrFailsSoonAndRecovers) {
  Archive archive(StoreKind::mariadb);
  archive.put("/seen", "seen");
  archive.put("/unseen", "unseen");
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) { options.names.deadline = std::chrono::milliseconds(300); };
  Client client(archive, setup);
  EXPECT_EQ(read_file(client.path("/seen")), "seen");
  struct stat status {};
  {
    const Resume resume;
    MariaDbServer::shared().pause();
    EXPECT_EQ(errno_of(::stat(client.path("/unseen").c_str(), &status)), EIO) << "an answer, not a wait";
    EXPECT_EQ(errno_of(::stat(client.path("/seen").c_str(), &status)), 0);
    EXPECT_EQ(read_file(client.path("/seen")), "seen");
  }
  EXPECT_TRUE(wait_until([&] { return ::stat(client.path("/unseen").c_str(), &status) == 0; }));
  EXPECT_EQ(read_file(client.path("/unseen")), "unseen");
}

TEST(MetadataAway, DoesNotKeepAMountFromEnding) {
  Archive archive(StoreKind::mariadb);
  archive.put("/f", "f");
  Client client(archive);
  const Resume resume;
  MariaDbServer::shared().pause();
  auto waits = std::async(std::launch::async, [&] {
    struct stat status {};
    return errno_of(::stat(client.path("/f").c_str(), &status));
  });
  EXPECT_NE(waits.get(), 0);
  ASSERT_EQ(std::system(("fusermount3 -u -z " + client.mountpoint()).c_str()), 0);
  EXPECT_FALSE(find_mount(client.mountpoint()));
  MariaDbServer::shared().resume();
  client.stop();
}

}  // namespace
}  // namespace geogrid::test
