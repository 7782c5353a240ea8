#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "contract/volume/volume_contract.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string>& difficult_names() {
  static const std::vector<std::string> names = {"new\nline",
                                                 "quote\"'`$(x)",
                                                 "back\\slash",
                                                 "\xff\xfe\x80",
                                                 "caf\xc3\xa9",
                                                 "cafe\xcc\x81",
                                                 " ",
                                                 "-rf",
                                                 "*",
                                                 "tab\t",
                                                 "\x01\x1b[31m",
                                                 "...",
                                                 "a ",
                                                 std::string(255, 'n'),
                                                 std::string(127, '\xe2') + std::string(128, '\n')};
  return names;
}

TEST_P(VolumeContract, NamesAreBytes) {
  for (const std::string& name : difficult_names()) {
    const Path path = Path().child(name).child(name);
    const auto file = receive(name);
    ASSERT_EQ(run(volume->publish({{.file = file, .path = path, .attributes = own()}})).at(0).value(),
              PublishOutcome::published)
        << printable(name);
    EXPECT_EQ(content(path.relative()), name);
    EXPECT_EQ(run(volume->stat(path)).value().name, name);
    EXPECT_EQ(run(volume->digest({path}, DigestAlgorithm::md5, true)).at(0).value().digest, digest_of(name));
    EXPECT_EQ(names(path.parent().str()).value(), std::vector<std::string>{name});
    const std::string aside = run(volume->put_aside(path, AsideReason::conflict, {1375696800, 0})).value();
    EXPECT_EQ(content(aside), name);
  }
  auto sorted = difficult_names();
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(names("/").value(), sorted) << "in the order of their bytes";
}

TEST_P(VolumeContract, ErrorsShowNamesSafely) {
  const auto missing = run(volume->stat(path_of("/\x1b[31m\nred")));
  EXPECT_EQ(missing.error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(missing.error().message.find('\n'), std::string::npos);
}

// 30 folders of 200 bytes: longer than any one system call takes.
TEST_P(VolumeContract, PathsLongerThanASystemCallTakes) {
  Path deep;
  for (int i = 0; i < 30; ++i) deep = deep.child(fmt::format("{:02}", i) + std::string(198, 'd'));
  ASSERT_GT(deep.str().size(), 6000U);
  const Path path = deep.child("a.jpg");
  ASSERT_EQ(
      run(volume->publish({{.file = receive("deep"), .path = path, .attributes = own()}})).at(0).value(),
      PublishOutcome::published);

  EXPECT_EQ(run(volume->stat(path)).value().size, 4U);
  EXPECT_EQ(run(volume->list(deep)).value().at(0).name, "a.jpg");
  EXPECT_EQ(run(volume->read_whole(path, 100, DigestAlgorithm::md5)).value().digest, digest_of("deep"));
  EXPECT_EQ(read(path.str()).value(), "deep");
  EXPECT_TRUE(run(volume->make_folder(deep.child("f"), own())));
  EXPECT_TRUE(run(volume->make_symlink(deep.child("l"), "a.jpg", own())));
  EXPECT_TRUE(run(volume->set_mtime(path, {5, 0})));
  EXPECT_EQ(run(volume->stat(path)).value().attributes.mtime, (Timestamp{5, 0}));
  const DiskEntry entry = run(volume->stat(path)).value();
  ASSERT_TRUE(run(volume->put_aside(path, AsideReason::stale_version, {1375696800, 0})));
  EXPECT_TRUE(run(volume->stat(path)).error().is(std::errc::no_such_file_or_directory));
  const auto trashed = run(volume->stat(path_of("/.geogrid/trash/2013-08-05" + path.str())));
  EXPECT_EQ(trashed.value().disk_inode, entry.disk_inode);
}

// Links that lead out of the tree, and links that lead to somewhere in it: neither is ever followed.
class SymlinkInTheWay : public VolumeContract {
 protected:
  void SetUp() override {
    VolumeContract::SetUp();
    outside = scratch.path() / "outside";
    fs::create_directories(outside / "sub");
    put("inside/sub/secret", "inside");
    fs::copy(at("inside/sub/secret"), outside / "secret");
    fs::copy(at("inside/sub/secret"), outside / "sub/secret");
    fs::create_symlink(outside, at("absolute"));
    fs::create_symlink("../outside", at("upwards"));
    fs::create_symlink("inside", at("within"));
    fs::create_symlink("/proc/self/root", at("magic"));
    fs::create_symlink("upwards", at("twice"));
  }
  fs::path outside;
};

TEST_P(SymlinkInTheWay, IsToldAsWhatItIs) {
  const DiskEntry entry = run(volume->stat(path_of("/upwards"))).value();
  EXPECT_EQ(entry.type, FileType::symlink);
  EXPECT_EQ(entry.link_target, "../outside");
}

TEST_P(SymlinkInTheWay, IsNotFollowed) {
  const auto is_loop = [](const Error& error) { return error.is(std::errc::too_many_symbolic_link_levels); };
  for (const char* link : {"/absolute", "/upwards", "/within", "/magic", "/twice"}) {
    SCOPED_TRACE(link);
    const Path folder = path_of(link).child("sub");
    const Path path = folder.child("secret");
    EXPECT_TRUE(is_loop(run(volume->stat(path)).error()));
    EXPECT_TRUE(is_loop(run(volume->list(folder)).error()));
    EXPECT_FALSE(run(volume->list(path_of(link))));
    EXPECT_TRUE(is_loop(run(volume->open(path)).error()));
    EXPECT_TRUE(is_loop(run(volume->open(path_of(link))).error()));
    EXPECT_TRUE(is_loop(run(volume->read_whole(path, 100, DigestAlgorithm::md5)).error()));
    EXPECT_TRUE(is_loop(run(volume->digest({path}, DigestAlgorithm::md5, true)).at(0).error()));
    EXPECT_TRUE(is_loop(publish(folder.child("new").str(), "x").error()));
    EXPECT_TRUE(is_loop(publish(path_of(link).child("brand/new").str(), "x").error()));
    EXPECT_TRUE(is_loop(run(volume->put_aside(path, AsideReason::conflict, {})).error()));
    EXPECT_TRUE(is_loop(run(volume->take_back(path, DiskEntry{})).error()));
    EXPECT_TRUE(is_loop(run(volume->make_folder(folder.child("f"), own())).error()));
    EXPECT_TRUE(is_loop(run(volume->make_symlink(folder.child("l"), "t", own())).error()));
    EXPECT_TRUE(is_loop(run(volume->set_mtime(path, {})).error()));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(outside), {}), 2);
  EXPECT_EQ(std::distance(fs::directory_iterator(outside / "sub"), {}), 1);
}

TEST_P(SymlinkInTheWay, AChangeOfALinkChangesTheLink) {
  const auto before = fs::last_write_time(outside);
  ASSERT_TRUE(run(volume->set_mtime(path_of("/upwards"), {1000, 0})));
  EXPECT_EQ(run(volume->stat(path_of("/upwards"))).value().attributes.mtime, (Timestamp{1000, 0}));
  EXPECT_EQ(fs::last_write_time(outside), before);
  const auto aside = run(volume->put_aside(path_of("/absolute"), AsideReason::conflict, {})).value();
  EXPECT_TRUE(fs::is_symlink(at(aside)));
  EXPECT_TRUE(fs::exists(outside / "secret"));
}

// A folder of ours that somebody replaced by a link.
TEST_P(SymlinkInTheWay, OwnFoldersAreNotFollowedEither) {
  for (const char* folder : {"tmp", "conflicts", "trash", "locks"}) {
    const fs::path own_folder = root / ".geogrid" / folder;
    fs::remove_all(own_folder);
    fs::create_symlink(outside, own_folder);
  }
  put("a", "x");
  EXPECT_FALSE(run(volume->receive(10)));
  EXPECT_FALSE(run(volume->receive_whole(bytes_of("x"))));
  EXPECT_FALSE(run(volume->clean_temporary()));
  EXPECT_FALSE(run(volume->put_aside(path_of("/a"), AsideReason::conflict, {})));
  EXPECT_FALSE(run(volume->put_aside(path_of("/a"), AsideReason::stale_version, {})));
  EXPECT_FALSE(run(volume->lock("walk")));
  EXPECT_TRUE(exists("a"));
  EXPECT_EQ(std::distance(fs::directory_iterator(outside), {}), 2);
}

INSTANTIATE_TEST_SUITE_P(All, SymlinkInTheWay, testing::ValuesIn(volume_makers()), name_of_maker);

}  // namespace
}  // namespace geogrid::test
