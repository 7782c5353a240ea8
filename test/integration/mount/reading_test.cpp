// Listing, attributes, links, reading.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive.hpp"

namespace geogrid::test {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

using ReadingOnEitherStore = OnEitherStore;
INSTANTIATE_TEST_SUITE_P(Stores, ReadingOnEitherStore, testing::Values(StoreKind::sqlite, StoreKind::mariadb),
                         name_of_store);

TEST_P(ReadingOnEitherStore, ShowsTheTreeAsMetadataHasIt) {
  Archive archive(GetParam());
  const InodeId file = archive.put("/photos/AB/one.jpg", "one photo");
  archive.put("/photos/AB/two.jpg", "another");
  archive.make_folder("/photos/CD", 0750);
  archive.link("/photos/latest", "AB/two.jpg");
  Client client(archive);

  EXPECT_THAT(list_names(client.mountpoint()), ElementsAre("photos"));
  EXPECT_THAT(list_names(client.path("/photos")), UnorderedElementsAre("AB", "CD", "latest"));
  struct stat status {};
  ASSERT_EQ(errno_of(::stat(client.path("/photos/AB/one.jpg").c_str(), &status)), 0);
  EXPECT_EQ(status.st_ino, file.value);
  EXPECT_EQ(status.st_size, 9);
  EXPECT_EQ(status.st_blocks, 1);
  EXPECT_EQ(status.st_nlink, 1U);
  EXPECT_EQ(status.st_mode, S_IFREG | 0644U);
  ASSERT_EQ(errno_of(::stat(client.path("/photos").c_str(), &status)), 0);
  EXPECT_EQ(status.st_nlink, 4U) << "2 and its subfolders";
  ASSERT_EQ(errno_of(::stat(client.path("/photos/CD").c_str(), &status)), 0);
  EXPECT_EQ(status.st_mode, S_IFDIR | 0750U);

  ASSERT_EQ(errno_of(::lstat(client.path("/photos/latest").c_str(), &status)), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
  EXPECT_EQ(status.st_size, 10);
  EXPECT_EQ(std::filesystem::read_symlink(client.path("/photos/latest")), "AB/two.jpg");
  EXPECT_EQ(read_file(client.path("/photos/latest")), "another");

  EXPECT_EQ(errno_of(::stat(client.path("/photos/nothing").c_str(), &status)), ENOENT);
  EXPECT_EQ(errno_of(::stat(client.path("/photos/AB/one.jpg/x").c_str(), &status)), ENOTDIR);
  EXPECT_EQ(errno_of(::stat(client.path("/" + std::string(256, 'n')).c_str(), &status)), ENAMETOOLONG);
}

TEST(ReadingMount, ShowsFilesThatAreBeingWrittenAsEmpty) {
  Archive archive;
  NewFile file;
  file.parent = kRootInode;
  file.name = "new";
  file.owner = LeaseOwner(1);
  archive.must(archive.store().create_file(file));
  Client client(archive);
  EXPECT_THAT(list_names(client.mountpoint()), ElementsAre("new"));
  EXPECT_EQ(read_file(client.path("/new")), "");
}

TEST(ReadingMount, HidesTheReservedName) {
  Archive archive;
  archive.put("/file", "x");
  Client client(archive);
  struct stat status {};
  EXPECT_EQ(errno_of(::stat(client.path("/.geogrid").c_str(), &status)), EACCES);
  EXPECT_EQ(errno_of(::stat(client.path("/.geogrid/volume").c_str(), &status)), EACCES);
  EXPECT_THAT(list_names(client.mountpoint()), ElementsAre("file"));
}

TEST(ReadingMount, GivesTheBytesOfFilesOfAnySize) {
  Archive archive;
  const std::vector<std::size_t> sizes{0, 1, 4095, 4096, 4097, 131072, 131073, 1048576, 5000001};
  for (const std::size_t size : sizes)
    archive.put(fmt::format("/f{}", size), content_for(std::to_string(size), size));
  Client client(archive);
  for (const std::size_t size : sizes)
    EXPECT_TRUE(read_file(client.path(fmt::format("/f{}", size))) == content_for(std::to_string(size), size))
        << size;

  const int file = ::open(client.path("/f5000001").c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  const std::string whole = content_for("5000001", 5000001);
  std::string part(1000, '\0');
  for (const off_t offset : {4999500L, 0L, 2500000L, 4095L, 5000000L, 5000001L, 6000000L}) {
    const auto expected =
        offset >= 5000001 ? std::string() : whole.substr(static_cast<std::size_t>(offset), part.size());
    ASSERT_EQ(::pread(file, part.data(), part.size(), offset), static_cast<ssize_t>(expected.size()));
    EXPECT_TRUE(part.substr(0, expected.size()) == expected) << offset;
  }
  ::close(file);
}

TEST_P(ReadingOnEitherStore, TakesNamesOfAnyBytes) {
  Archive archive(GetParam());
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte)
    if (byte != '/') every_byte.push_back(static_cast<char>(byte));
  const std::vector<std::string> names{
      "new\nline",           "quote'\"", "\xff\xfe",    "back\\slash", " ", "-rf",
      std::string(255, 'x'), every_byte, "caf\xc3\xa9", "cafe\xcc\x81"};
  for (const std::string& name : names) archive.put("/odd/" + name, "content of " + name);
  Client client(archive);
  EXPECT_THAT(list_names(client.path("/odd")), testing::UnorderedElementsAreArray(names));
  for (const std::string& name : names)
    EXPECT_EQ(read_file(client.path("/odd/" + name)), "content of " + name);
}

TEST(ReadingMount, ReachesWhatLiesDeeperThanAPathIsLong) {
  Archive archive;
  // Beyond PATH_MAX no test can make the folders on a disk by one path: names only, and the last file on no
  // node.
  const std::string name(200, 'd');
  InodeId folder = kRootInode;
  constexpr int kDepth = 30;
  for (int level = 0; level < kDepth; ++level) {
    FoundEntry entry;
    entry.name = name;
    entry.type = FileType::folder;
    entry.attributes.mode = 0755;
    const ChangeId seen = archive.must(archive.store().latest_change());
    folder = archive.must(archive.store().register_found(archive.node(0), folder, seen, {entry})).at(0).id;
  }
  int at = ::open(archive.root(0).c_str(), O_RDONLY | O_DIRECTORY);
  for (int level = 0; level < kDepth; ++level) {
    ASSERT_EQ(errno_of(::mkdirat(at, name.c_str(), 0755)), 0);
    const int next = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = next;
  }
  const int file = ::openat(at, "bottom", O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(::write(file, "deep", 4), 4);
  ::close(file);
  ::close(at);
  FoundEntry entry;
  entry.name = "bottom";
  entry.size = 4;
  entry.digest = digest_of("deep");
  const ChangeId seen = archive.must(archive.store().latest_change());
  archive.must(archive.store().register_found(archive.node(0), folder, seen, {entry}));

  Client client(archive);
  at = ::open(client.mountpoint().c_str(), O_RDONLY | O_DIRECTORY);
  for (int level = 0; level < kDepth; ++level) {
    const int next = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
    ASSERT_GE(next, 0) << level;
    ::close(at);
    at = next;
  }
  const int bottom = ::openat(at, "bottom", O_RDONLY);
  ASSERT_GE(bottom, 0);
  char content[10];
  EXPECT_EQ(::read(bottom, content, sizeof content), 4);
  EXPECT_EQ(std::string(content, 4), "deep");
  ::close(bottom);
  ::close(at);
}

TEST(ReadingMount, TellsWhatMetadataKnowsInExtendedAttributes) {
  Archive archive;
  archive.put("/f", "content", {1, 0});
  archive.link("/link", "f");
  Client client(archive);
  const std::string path = client.path("/f");
  const auto get = [&](const char* name) {
    char value[256];
    const ssize_t size = ::getxattr(path.c_str(), name, value, sizeof value);
    return size < 0 ? std::string("errno ") + std::to_string(errno)
                    : std::string(value, static_cast<std::size_t>(size));
  };
  EXPECT_EQ(get("user.geogrid.replicas"), "n0,n1");
  EXPECT_EQ(get("user.geogrid.backups"), "");
  EXPECT_EQ(get("user.geogrid.class"), "others");
  EXPECT_EQ(get("user.geogrid.digest"), digest_of("content").str());
  EXPECT_EQ(get("user.geogrid.version"), std::to_string(archive.at("/f").version.value));
  EXPECT_THAT(get("user.geogrid.served_by"), testing::AnyOf("n0", "n1"));
  EXPECT_EQ(get("user.other"), "errno " + std::to_string(ENODATA));
  EXPECT_EQ(get("security.selinux"), "errno " + std::to_string(ENODATA));
  EXPECT_EQ(get("user.geogrid.unheard"), "errno " + std::to_string(ENODATA));

  char names[1024];
  const ssize_t size = ::listxattr(path.c_str(), names, sizeof names);
  ASSERT_GT(size, 0);
  for (const char* name = names; name < names + size; name += std::string_view(name).size() + 1)
    EXPECT_GE(::getxattr(path.c_str(), name, nullptr, 0), 0) << name;
  EXPECT_EQ(::listxattr(client.mountpoint().c_str(), names, sizeof names), 0);
  EXPECT_EQ(::llistxattr(client.path("/link").c_str(), names, sizeof names), 0);
  char little[1];
  EXPECT_EQ(errno_of(::getxattr(path.c_str(), "user.geogrid.digest", little, 1)), ERANGE);
}

TEST(ReadingMount, SumsTheSpaceOfTheNodes) {
  Archive archive;
  archive.must(archive.store().heartbeat(archive.node(0), 3 << 20, 10 << 20));
  archive.must(archive.store().heartbeat(archive.node(1), 5 << 20, 30 << 20));
  Client client(archive);
  struct statvfs space {};
  ASSERT_EQ(errno_of(::statvfs(client.mountpoint().c_str(), &space)), 0);
  EXPECT_EQ(space.f_blocks * space.f_frsize, 40U << 20);
  EXPECT_EQ(space.f_bfree * space.f_frsize, 8U << 20);
  EXPECT_EQ(space.f_bavail * space.f_frsize, 3U << 20) << "two copies of all: no more than the smaller holds";
  EXPECT_EQ(space.f_namemax, 255U);
}

TEST_P(ReadingOnEitherStore, ListsAFolderOfManyOnceEach) {
  Archive archive(GetParam());
  constexpr std::size_t kFiles = 10000;
  archive.put_many("/many", kFiles, "x");
  Client client(archive);
  for (int pass = 0; pass < 2; ++pass) {
    const auto names = list_names(client.path("/many"));
    EXPECT_EQ(names.size(), kFiles);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), kFiles);
  }
}

TEST_P(ReadingOnEitherStore, ServesManyReadersAtOnce) {
  Archive archive(GetParam());
  constexpr std::size_t kFiles = 100, kReaders = 64;
  for (std::size_t n = 0; n < kFiles; ++n)
    archive.put(fmt::format("/f{}", n), content_for(std::to_string(n), 1000 * n));
  Client client(archive);
  std::vector<std::thread> readers;
  std::atomic<int> wrong{0};
  for (std::size_t reader = 0; reader < kReaders; ++reader)
    readers.emplace_back([&, reader] {
      for (std::size_t n = 0; n < kFiles; ++n) {
        const std::size_t file = (n + reader * 7) % kFiles;
        if (read_file(client.path(fmt::format("/f{}", file))) !=
            content_for(std::to_string(file), 1000 * file))
          ++wrong;
      }
    });
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace geogrid::test
