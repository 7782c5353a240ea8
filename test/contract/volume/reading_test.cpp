#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "contract/volume/volume_contract.hpp"

namespace geogrid::test {
namespace {

using testing::Test;
namespace fs = std::filesystem;

TEST_P(VolumeContract, StatTellsWhatLiesThere) {
  put("photos/a.jpg", "picture");
  fs::permissions(at("photos/a.jpg"), fs::perms(0640));
  const timespec times[2] = {{0, UTIME_OMIT}, {1375696800, 987654321}};
  ASSERT_EQ(utimensat(AT_FDCWD, at("photos/a.jpg").c_str(), times, 0), 0);

  const DiskEntry file = run(volume->stat(path_of("/photos/a.jpg"))).value();
  EXPECT_EQ(file.name, "a.jpg");
  EXPECT_EQ(file.type, FileType::file);
  EXPECT_EQ(file.size, 7U);
  EXPECT_EQ(file.attributes.mode, 0640U);
  EXPECT_EQ(file.attributes.mtime, (Timestamp{1375696800, 987654321}));
  EXPECT_EQ(file.attributes.uid, getuid());
  EXPECT_NE(file.disk_inode, 0U);

  const DiskEntry folder = run(volume->stat(path_of("/photos"))).value();
  EXPECT_EQ(folder.type, FileType::folder);
  EXPECT_EQ(run(volume->stat(Path())).value().type, FileType::folder);
}

TEST_P(VolumeContract, AMissingFileIsEnoent) {
  for (const char* path : {"/no", "/no/such"}) {
    const auto found = run(volume->stat(path_of(path)));
    ASSERT_FALSE(found);
    EXPECT_TRUE(found.error().is(std::errc::no_such_file_or_directory)) << found.error().message;
    EXPECT_NE(found.error().message.find(path), std::string::npos) << found.error().message;
    EXPECT_NE(found.error().message.find("jam"), std::string::npos) << found.error().message;
    EXPECT_TRUE(run(volume->open(path_of(path))).error().is(std::errc::no_such_file_or_directory));
    EXPECT_TRUE(run(volume->list(path_of(path))).error().is(std::errc::no_such_file_or_directory));
  }
}

TEST_P(VolumeContract, AFileInThePlaceOfAFolderIsEnotdir) {
  put("a", "x");
  EXPECT_TRUE(run(volume->stat(path_of("/a/b"))).error().is(std::errc::not_a_directory));
  EXPECT_TRUE(run(volume->list(path_of("/a"))).error().is(std::errc::not_a_directory));
  EXPECT_TRUE(run(volume->open(path_of("/"))).error().is(errc::is_a_folder));
}

TEST_P(VolumeContract, ListsAllByNameButWhatIsOurs) {
  put("b.jpg", "12");
  put("a/inner", "");
  put("a/.geogrid/inner", "");
  fs::create_symlink("b.jpg", at("c"));
  const auto entries = run(volume->list(Path())).value();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].type, FileType::folder);
  EXPECT_EQ(entries[1].name, "b.jpg");
  EXPECT_EQ(entries[1].size, 2U);
  EXPECT_EQ(entries[2].name, "c");
  EXPECT_EQ(entries[2].type, FileType::symlink);
  EXPECT_EQ(entries[2].link_target, "b.jpg");
  // Only at the top is the name ours.
  EXPECT_EQ(names("/a").value(), (std::vector<std::string>{".geogrid", "inner"}));
}

TEST_P(VolumeContract, ListsLargeFolders) {
  for (int i = 0; i < 3000; ++i) put(fmt::format("many/{:05}", i), "");
  const auto found = names("/many").value();
  ASSERT_EQ(found.size(), 3000U);
  EXPECT_EQ(found.front(), "00000");
  EXPECT_EQ(found.back(), "02999");
}

TEST_P(VolumeContract, ReadsInPiecesAndPastTheEnd) {
  const std::string text = "0123456789";
  put("a", text);
  EXPECT_EQ(read("/a", 3).value(), text);
  EXPECT_EQ(read("/a", 10).value(), text);
  EXPECT_EQ(read("/a", 1000000).value(), text);
  put("empty", "");
  EXPECT_EQ(read("/empty").value(), "");
}

TEST_P(VolumeContract, AnOpenFileOutlivesItsName) {
  put("a", "still here");
  const auto file = run(volume->open(path_of("/a"))).value();
  EXPECT_EQ(file->entry().size, 10U);
  fs::remove(at("a"));
  std::promise<std::string> got;
  file->read(6, 100, [&got](result<std::span<const std::byte>> bytes) {
    got.set_value(std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  });
  EXPECT_EQ(got.get_future().get(), "here");
}

TEST_P(VolumeContract, DigestsManyAndTellsEachOne) {
  put("a", "abc");
  put("empty", "");
  const auto answers = run(volume->digest({path_of("/a"), path_of("/missing"), path_of("/empty"), Path()},
                                          DigestAlgorithm::md5, false));
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0]->digest, digest_of("abc"));
  EXPECT_EQ(answers[0]->entry.size, 3U);
  EXPECT_EQ(answers[0]->entry.name, "a");
  EXPECT_TRUE(answers[1].error().is(std::errc::no_such_file_or_directory));
  EXPECT_EQ(answers[2]->digest.str(), "md5:d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_TRUE(answers[3].error().is(errc::is_a_folder));
  const auto sha = run(volume->digest({path_of("/a")}, DigestAlgorithm::sha256, true));
  EXPECT_EQ(sha[0]->digest, digest_of("abc", DigestAlgorithm::sha256));
  EXPECT_TRUE(run(volume->digest({}, DigestAlgorithm::md5, true)).empty());
}

TEST_P(VolumeContract, DigestsFilesOfMoreThanOneRead) {
  const std::string large(3 * 1024 * 1024 + 17, 'g');
  put("exact", std::string(1024 * 1024, 'e'));
  put("large", large);
  const auto answers =
      run(volume->digest({path_of("/exact"), path_of("/large")}, DigestAlgorithm::md5, false));
  EXPECT_EQ(answers[0]->digest, digest_of(std::string(1024 * 1024, 'e')));
  EXPECT_EQ(answers[1]->digest, digest_of(large));
}

TEST_P(VolumeContract, DigestsFilesBeyondFourGigabytes) {
  put("sparse", "begin");
  fs::resize_file(at("sparse"), 4294967296U + 5);
  {
    std::fstream file(at("sparse"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4294967296);
    file << "after";
  }
  const DiskEntry entry = run(volume->stat(path_of("/sparse"))).value();
  EXPECT_EQ(entry.size, 4294967301U);
  const auto file = run(volume->open(path_of("/sparse"))).value();
  std::promise<std::string> got;
  file->read(4294967296, 100, [&got](result<std::span<const std::byte>> bytes) {
    got.set_value(std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  });
  EXPECT_EQ(got.get_future().get(), "after");
  const auto whole = run(volume->read_whole(path_of("/sparse"), 1000, DigestAlgorithm::md5));
  EXPECT_TRUE(whole.error().is(std::errc::file_too_large));
}

TEST_P(VolumeContract, ReadsWholeFilesUpToTheLimit) {
  put("a", "abc");
  const WholeFile whole = run(volume->read_whole(path_of("/a"), 3, DigestAlgorithm::md5)).value();
  EXPECT_EQ(*whole.bytes, *bytes_of("abc"));
  EXPECT_EQ(whole.digest, digest_of("abc"));
  EXPECT_EQ(whole.entry.size, 3U);
  EXPECT_TRUE(
      run(volume->read_whole(path_of("/a"), 2, DigestAlgorithm::md5)).error().is(std::errc::file_too_large));
  EXPECT_TRUE(run(volume->read_whole(Path(), 2, DigestAlgorithm::md5)).error().is(errc::is_a_folder));
}

TEST_P(VolumeContract, AFileThatChangesWhileItIsReadIsStale) {
  put("growing", "");
  fs::resize_file(at("growing"), 64 * 1024 * 1024);
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    std::ofstream file(at("growing"), std::ios::app);
    for (; !stop; ++written) file << "more" << std::flush;
  });
  while (written == 0) std::this_thread::yield();
  const auto digested = run(volume->digest({path_of("/growing")}, DigestAlgorithm::md5, true)).at(0);
  const auto whole = run(volume->read_whole(path_of("/growing"), 1U << 30U, DigestAlgorithm::md5));
  stop = true;
  writer.join();
  EXPECT_TRUE(digested.error().is(errc::stale)) << digested.error().message;
  EXPECT_TRUE(whole.error().is(errc::stale)) << whole.error().message;
  EXPECT_TRUE(run(volume->digest({path_of("/growing")}, DigestAlgorithm::md5, true)).at(0));
}

TEST_P(VolumeContract, SpecialFilesAreToldButNeverOpened) {
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  const int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string socket_path = at("s").string();
  ASSERT_LT(socket_path.size(), sizeof address.sun_path);
  std::copy(socket_path.begin(), socket_path.end(), address.sun_path);
  ASSERT_EQ(bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);

  EXPECT_EQ(run(volume->stat(path_of("/fifo"))).value().type, FileType::fifo);
  EXPECT_EQ(run(volume->stat(path_of("/s"))).value().type, FileType::socket);
  // Would a fifo be opened for reading, this would wait for a writer for ever.
  EXPECT_TRUE(run(volume->open(path_of("/fifo"))).error().is(errc::not_supported));
  const auto answers = run(volume->digest({path_of("/fifo"), path_of("/s")}, DigestAlgorithm::md5, false));
  EXPECT_TRUE(answers[0].error().is(errc::not_supported));
  EXPECT_TRUE(answers[1].error().is(errc::not_supported));
  close(socket_fd);
}

TEST_P(VolumeContract, ProbeTellsTheSpace) {
  const VolumeSpace space = run(volume->probe()).value();
  EXPECT_GT(space.total_bytes, 0U);
  EXPECT_LE(space.free_bytes, space.total_bytes);
}

}  // namespace
}  // namespace geogrid::test
