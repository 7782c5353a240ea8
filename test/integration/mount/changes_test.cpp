// What another process changes is seen through the kernel's caches within a second.

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.hpp"

namespace geogrid::test {
namespace {

using testing::UnorderedElementsAre;

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}
struct stat status_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw std::system_error(errno, std::generic_category(), path);
  return status;
}
/// The promise is a second; a machine that is busy with other tests may need a little more.
template <typename Condition>
bool soon(Condition condition) {
  return wait_until(condition, std::chrono::seconds(5));
}

using ChangesElsewhere = OnEitherStore;
INSTANTIATE_TEST_SUITE_P(Stores, ChangesElsewhere, testing::Values(StoreKind::sqlite, StoreKind::mariadb),
                         name_of_store);

TEST_P(ChangesElsewhere, ShowCreatedNames) {
  Archive archive(GetParam());
  archive.put("/a/old", "old");
  Client client(archive);
  EXPECT_FALSE(exists(client.path("/a/new")));
  EXPECT_FALSE(exists(client.path("/b")));
  EXPECT_THAT(list_names(client.path("/a")), UnorderedElementsAre("old"));
  EXPECT_THAT(list_names(client.mountpoint()), UnorderedElementsAre("a"));
  archive.put("/a/new", "new");
  archive.put("/b/c/d", "deep");
  EXPECT_TRUE(soon([&] { return exists(client.path("/a/new")); })) << "the kernel knew that it was not there";
  EXPECT_EQ(read_file(client.path("/a/new")), "new");
  EXPECT_TRUE(soon([&] { return list_names(client.path("/a")).size() == 2; }))
      << "the kernel had the listing";
  EXPECT_TRUE(soon([&] { return exists(client.path("/b/c/d")); }));
  EXPECT_TRUE(soon([&] { return list_names(client.mountpoint()).size() == 2; }));
  EXPECT_TRUE(soon([&] { return status_of(client.mountpoint()).st_nlink == 4; }));
}

TEST_P(ChangesElsewhere, HideRemovedNames) {
  Archive archive(GetParam());
  archive.put("/a/file", "file");
  archive.put("/a/other", "other");
  archive.make_folder("/a/folder");
  Client client(archive);
  EXPECT_EQ(read_file(client.path("/a/file")), "file");
  EXPECT_EQ(list_names(client.path("/a")).size(), 3U);
  const int open = ::open(client.path("/a/other").c_str(), O_RDONLY);
  char byte = 0;
  ASSERT_EQ(::read(open, &byte, 1), 1);
  for (const char* path : {"/a/file", "/a/other", "/a/folder"}) archive.remove(path);
  EXPECT_TRUE(soon([&] { return !exists(client.path("/a/file")); }));
  EXPECT_TRUE(soon([&] { return !exists(client.path("/a/folder")); }));
  EXPECT_TRUE(soon([&] { return list_names(client.path("/a")).empty(); }));
  struct stat status {};
  EXPECT_EQ(errno_of(::fstat(open, &status)), 0) << "who has it open keeps it";
  EXPECT_EQ(status.st_size, 5);
  EXPECT_EQ(::pread(open, &byte, 1, 1), 1);
  EXPECT_EQ(byte, 't');
  ::close(open);
}

TEST_P(ChangesElsewhere, MoveAFolderThatSomebodyWorksIn) {
  Archive archive(GetParam());
  archive.put("/old/name/below/file", "file");
  archive.make_folder("/new");
  Client client(archive);
  EXPECT_EQ(read_file(client.path("/old/name/below/file")), "file");
  EXPECT_FALSE(exists(client.path("/new/name")));
  const int folder = ::open(client.path("/old/name/below").c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_GE(folder, 0);
  archive.rename("/old/name", "/new/name");
  EXPECT_TRUE(soon([&] { return !exists(client.path("/old/name")); }));
  EXPECT_TRUE(soon([&] { return exists(client.path("/new/name")); }));
  EXPECT_EQ(read_file(client.path("/new/name/below/file")), "file");
  const int file = ::openat(folder, "file", O_RDONLY);
  EXPECT_GE(file, 0) << "the folder is the same one";
  char content[5];
  EXPECT_EQ(::read(file, content, sizeof content), 4);
  ::close(file);
  ::close(folder);
}

TEST_P(ChangesElsewhere, GiveNewContentToNewReaders) {
  Archive archive(GetParam());
  const std::string before = content_for("before", 3000000), after = content_for("after", 2000000);
  archive.put("/f", before);
  Client client(archive);
  EXPECT_TRUE(read_file(client.path("/f")) == before);
  const int open = ::open(client.path("/f").c_str(), O_RDONLY);
  std::string piece(1000, '\0');
  ASSERT_EQ(::pread(open, piece.data(), piece.size(), 0), 1000);
  archive.replace("/f", after);
  EXPECT_TRUE(soon([&] { return status_of(client.path("/f")).st_size == 2000000; }));
  ASSERT_EQ(::pread(open, piece.data(), piece.size(), 1500000), 1000);
  EXPECT_TRUE(piece == before.substr(1500000, 1000)) << "who reads the old version goes on reading it";
  EXPECT_TRUE(read_file(client.path("/f")) == after) << "although the other one fills pages with old bytes";
  ::close(open);
  EXPECT_TRUE(read_file(client.path("/f")) == after);

  archive.replace("/f", content_for("same size", 2000000));
  EXPECT_TRUE(soon([&] { return read_file(client.path("/f")) == content_for("same size", 2000000); }));
}

TEST_P(ChangesElsewhere, ShowModesOwnersAndTimes) {
  Archive archive(GetParam());
  archive.put("/a/f", "f");
  Client client(archive);
  EXPECT_EQ(status_of(client.path("/a/f")).st_mode & 07777U, 0644U);
  AttributeChange change;
  change.mode = 0600;
  change.uid = 1234;
  change.mtime = Timestamp{-5, 7};
  archive.change("/a/f", change);
  EXPECT_TRUE(soon([&] { return (status_of(client.path("/a/f")).st_mode & 07777U) == 0600U; }));
  const struct stat status = status_of(client.path("/a/f"));
  EXPECT_EQ(status.st_uid, 1234U);
  EXPECT_EQ(status.st_mtim.tv_sec, -5);
  EXPECT_EQ(status.st_mtim.tv_nsec, 7);
}

TEST_P(ChangesElsewhere, ReachAllMountsOfAProcess) {
  Archive archive(GetParam());
  archive.put("/f", "f");
  Client::Setup setup;
  setup.mountpoints = {"mnt", "mnt2"};
  Client client(archive, setup);
  for (int n : {0, 1}) {
    EXPECT_EQ(read_file(client.mountpoint(static_cast<std::size_t>(n)) + "/f"), "f");
    EXPECT_FALSE(exists(client.mountpoint(static_cast<std::size_t>(n)) + "/g"));
  }
  archive.put("/g", "g");
  EXPECT_TRUE(
      soon([&] { return exists(client.mountpoint(0) + "/g") && exists(client.mountpoint(1) + "/g"); }));
}

TEST_P(ChangesElsewhere, NeitherRepeatNorSkipInAListingUnderWay) {
  Archive archive(GetParam());
  constexpr std::size_t kFiles = 10000;
  archive.put_many("/many", kFiles, "");
  Client client(archive);
  DIR* const folder = ::opendir(client.path("/many").c_str());
  std::multiset<std::string> seen;
  std::size_t changes = 0;
  while (const dirent* entry = ::readdir(folder)) {
    seen.insert(entry->d_name);
    // What stays must come once, whatever comes and goes around it.
    if (seen.size() % 1000 != 0) continue;
    archive.remove(fmt::format("/many/file-{:06}", 5 + 10 * changes));
    archive.put(fmt::format("/many/new-{}", changes++), "new", {0});
  }
  ::closedir(folder);
  for (std::size_t n = 0; n < kFiles; ++n) {
    const std::string name = fmt::format("file-{:06}", n);
    const bool removed = n % 10 == 5 && n / 10 < changes;
    if (removed)
      EXPECT_LE(seen.count(name), 1U) << name;
    else
      EXPECT_EQ(seen.count(name), 1U) << name;
  }
}

TEST_P(ChangesElsewhere, ArriveInFloods) {
  Archive archive(GetParam());
  archive.put("/f/first", "x");
  Client client(archive);
  EXPECT_EQ(list_names(client.path("/f")).size(), 1U);
  constexpr std::size_t kFiles = 3000;
  archive.put_many("/f", kFiles, "");
  EXPECT_TRUE(soon([&] { return list_names(client.path("/f")).size() == kFiles + 1; }));
}

TEST(LostChanges, MakeTheKernelAskAgain) {
  Archive archive;
  archive.put("/a/b/file", "before");
  archive.put("/a/b/changed", "before");
  archive.put("/a/b/gone", "gone");
  Client::Setup setup;
  setup.hears_changes = false;
  Client client(archive, setup);
  const int folder = ::open(client.path("/a/b").c_str(), O_RDONLY | O_DIRECTORY);
  EXPECT_EQ(read_file(client.path("/a/b/file")), "before");
  EXPECT_EQ(status_of(client.path("/a/b/changed")).st_mode & 07777U, 0644U);
  EXPECT_FALSE(exists(client.path("/a/b/new")));
  EXPECT_EQ(list_names(client.path("/a/b")).size(), 3U);
  archive.replace("/a/b/file", "after, and longer");
  AttributeChange change;
  change.mode = 0600;
  archive.change("/a/b/changed", change);
  archive.put("/a/b/new", "new");
  archive.remove("/a/b/gone");
  EXPECT_EQ(read_file(client.path("/a/b/file")), "before") << "this test tests something";
  client.on_loop([](Mounts& mounts) {
    mounts.names().on_gap();
    return 0;
  });
  EXPECT_TRUE(soon([&] { return read_file(client.path("/a/b/file")) == "after, and longer"; }));
  EXPECT_TRUE(soon([&] { return (status_of(client.path("/a/b/changed")).st_mode & 07777U) == 0600U; }));
  EXPECT_TRUE(soon([&] { return exists(client.path("/a/b/new")); }));
  EXPECT_TRUE(soon([&] { return !exists(client.path("/a/b/gone")); }));
  EXPECT_TRUE(soon([&] { return list_names(client.path("/a/b")).size() == 3U; }));
  EXPECT_EQ(errno_of(::faccessat(folder, "gone", F_OK, 0)), ENOENT)
      << "from a folder that was open all the time";
  ::close(folder);
}

TEST(UnregisteredNames, AreShownWhileANodeJoins) {
  Archive::Setup nodes;
  nodes.joining = true;
  Archive archive(nodes);
  archive.put("/known/file", "known");
  std::filesystem::create_directories(archive.on_disk(1, "/new/deep"));
  write_file(archive.on_disk(1, "/new/deep/file"), "unknown");
  write_file(archive.on_disk(1, "/known/other"), "other");
  std::filesystem::create_symlink("other", archive.on_disk(1, "/known/link"));
  write_file(archive.on_disk(0, "/known/.nfs0001"), "ignored");
  Client client(archive);
  EXPECT_THAT(list_names(client.mountpoint()), UnorderedElementsAre("known", "new"));
  EXPECT_THAT(list_names(client.path("/known")), UnorderedElementsAre("file", "other", "link"));
  EXPECT_EQ(read_file(client.path("/known/file")), "known");
  EXPECT_EQ(read_file(client.path("/known/other")), "other");
  EXPECT_EQ(read_file(client.path("/known/link")), "other");
  EXPECT_EQ(read_file(client.path("/new/deep/file")), "unknown");
  EXPECT_FALSE(exists(client.path("/.geogrid")));
  EXPECT_THAT(list_names(client.path("/new/deep")), UnorderedElementsAre("file"));

  write_file(archive.on_disk(1, "/new/deep/later"), "later");
  EXPECT_TRUE(soon([&] { return exists(client.path("/new/deep/later")); }));
  EXPECT_TRUE(soon([&] { return list_names(client.path("/new/deep")).size() == 2; }));

  const InodeId registered = archive.put("/known/other", "other", {1});
  EXPECT_TRUE(soon([&] { return status_of(client.path("/known/other")).st_ino == registered.value; }))
      << "what is registered wins";
  for (std::size_t n : {0, 1}) archive.must(archive.store().finish_first_walk(archive.node(n)));
  EXPECT_TRUE(soon([&] { return !exists(client.path("/new")); })) << "after the first walk metadata decides";
  EXPECT_TRUE(soon([&] { return list_names(client.mountpoint()).size() == 1; }));
}

TEST(UnregisteredNames, AreHiddenOrShownAsAskedFor) {
  Archive archive;
  write_file(archive.on_disk(0, "/unknown"), "x");
  {
    Client client(archive);
    EXPECT_THAT(list_names(client.mountpoint()), testing::IsEmpty());
    EXPECT_FALSE(exists(client.path("/unknown")));
  }
  Client::Setup setup;
  setup.configure = [](MountsOptions& options) { options.names.show_unregistered = ShowUnknown::always; };
  Client client(archive, setup);
  EXPECT_THAT(list_names(client.mountpoint()), UnorderedElementsAre("unknown"));
  EXPECT_EQ(read_file(client.path("/unknown")), "x");
}

}  // namespace
}  // namespace geogrid::test
