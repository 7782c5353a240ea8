// truncate(2), mmap(2), holes, fallocate(2).

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "place.hpp"

namespace geogrid::test {
namespace {

class Sizing : public Posix {};
GEOGRID_EVERYWHERE(Sizing);

TEST_P(Sizing, TruncatesByPath) {
  put(path("f"), "0123456789");
  ASSERT_EQ(errno_of(::truncate(path("f").c_str(), 4)), 0);
  EXPECT_EQ(get(path("f")), "0123");
  ASSERT_EQ(errno_of(::truncate(path("f").c_str(), 8)), 0);
  EXPECT_EQ(get(path("f")), std::string("0123\0\0\0\0", 8)) << "what was cut off does not come back";
  EXPECT_EQ(stat_of(path("f")).st_size, 8);
  ASSERT_EQ(errno_of(::truncate(path("f").c_str(), 0)), 0);
  EXPECT_EQ(get(path("f")), "");
  ASSERT_EQ(errno_of(::truncate(path("f").c_str(), 100000)), 0);
  EXPECT_TRUE(get(path("f")) == std::string(100000, '\0'));
}

TEST_P(Sizing, TruncatesByDescriptor) {
  const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
  const UniqueFd reader = open_file(path("f"), O_RDONLY);
  say(file, "0123456789");
  ASSERT_EQ(errno_of(::ftruncate(file.get(), 3)), 0);
  EXPECT_EQ(get(reader), "012");
  say(file, "more");  // the offset stays where it was
  EXPECT_EQ(get(reader), std::string("012\0\0\0\0\0\0\0more", 14));
  ASSERT_EQ(errno_of(::ftruncate(file.get(), 5000)), 0);
  EXPECT_EQ(stat_of(reader).st_size, 5000);
  EXPECT_EQ(get(reader).substr(10, 6), std::string("more\0\0", 6));
  EXPECT_EQ(errno_of(::ftruncate(reader.get(), 0)), EINVAL) << "not open for writing";
}

TEST_P(Sizing, TruncatesWhatAnotherWrites) {
  const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
  say(file, "0123456789");
  ASSERT_EQ(errno_of(::truncate(path("f").c_str(), 5)), 0);
  EXPECT_EQ(get(file), "01234");
  ASSERT_EQ(::pwrite(file.get(), "x", 1, 6), 1);
  EXPECT_EQ(get(path("f")), std::string("01234\0x", 7));
}

TEST_P(Sizing, SaysWhyItDoesNotTruncate) {
  put(path("f"), "content", 0644);
  make_folder(path("d"));
  EXPECT_EQ(errno_of(::truncate(path("d").c_str(), 0)), EISDIR);
  EXPECT_EQ(errno_of(::truncate(path("none").c_str(), 0)), ENOENT);
  EXPECT_EQ(errno_of(::truncate(path("f/x").c_str(), 0)), ENOTDIR);
  EXPECT_EQ(errno_of(::truncate(path("f").c_str(), -1)), EINVAL);
  EXPECT_EQ(as_user(kAlice, [&] { return errno_of(::truncate(path("f").c_str(), 0)); }), EACCES);
  EXPECT_EQ(get(path("f")), "content");
}

TEST_P(Sizing, MovesTheTimesWhenItTruncates) {
  put(path("f"), "content");
  const struct timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path("f").c_str(), past, 0), 0);
  ASSERT_EQ(::truncate(path("f").c_str(), 2), 0);
  EXPECT_NEAR(seconds_of(stat_of(path("f")).st_mtim), static_cast<double>(::time(nullptr)), 5);
}

/// The file's first bytes, shared with it.
char* map_shared(const UniqueFd& file, std::size_t size) {
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return static_cast<char*>(at);
}

TEST_P(Sizing, WritesThroughAMapping) {
  constexpr std::size_t kSize = 100000;
  {
    const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
    ASSERT_EQ(::ftruncate(file.get(), kSize), 0);
    char* const bytes = map_shared(file, kSize);
    std::memcpy(bytes + 50000, "mapped", 6);
    EXPECT_EQ(get(file).substr(50000, 6), "mapped");
    ASSERT_EQ(::pwrite(file.get(), "written", 7, 60000), 7);
    EXPECT_EQ(std::string(bytes + 60000, 7), "written");
    ASSERT_EQ(errno_of(::msync(bytes, kSize, MS_SYNC)), 0);
    std::memcpy(bytes + 70000, "after", 5);
    ASSERT_EQ(::munmap(bytes, kSize), 0);
  }
  const std::string content = get(path("f"));
  ASSERT_EQ(content.size(), kSize);
  EXPECT_EQ(content.substr(50000, 6), "mapped");
  EXPECT_EQ(content.substr(60000, 7), "written");
  EXPECT_EQ(content.substr(70000, 5), "after");
}

TEST_P(Sizing, WritesThroughAMappingThatOutlivesTheDescriptor) {
  constexpr std::size_t kSize = 10000;
  put(path("f"), std::string(kSize, '.'));
  UniqueFd file = open_file(path("f"), O_RDWR);
  char* const bytes = map_shared(file, kSize);
  ASSERT_EQ(::close(file.release()), 0);
  std::memcpy(bytes + 5000, "late", 4);
  ASSERT_EQ(::munmap(bytes, kSize), 0);
  std::string expected(kSize, '.');
  expected.replace(5000, 4, "late");
  EXPECT_TRUE(get(path("f")) == expected);
  EXPECT_EQ(in_child([&] {  // and the end of a process is an unmapping too
              const UniqueFd again = open_file(path("f"), O_RDWR);
              std::memcpy(map_shared(again, kSize) + 100, "child", 5);
              return 0;
            }),
            0);
  expected.replace(100, 5, "child");
  EXPECT_TRUE(get(path("f")) == expected);
}

TEST_P(Sizing, KeepsPrivateMappingsPrivate) {
  put(path("f"), "content");
  const UniqueFd file = open_file(path("f"), O_RDONLY);
  void* const at = ::mmap(nullptr, 7, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.get(), 0);
  ASSERT_NE(at, MAP_FAILED);
  std::memcpy(at, "private", 7);
  ::munmap(at, 7);
  EXPECT_EQ(get(path("f")), "content");
  EXPECT_EQ(errno_of(reinterpret_cast<long>(::mmap(nullptr, 7, PROT_WRITE, MAP_SHARED, file.get(), 0))),
            EACCES);
}

TEST_P(Sizing, HoldsATebibyteOfNothing) {
  constexpr off_t kTebibyte = off_t{1} << 40;
  {
    const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
    ASSERT_EQ(errno_of(::ftruncate(file.get(), kTebibyte)), 0);
    EXPECT_EQ(stat_of(path("f")).st_size, kTebibyte);
    ASSERT_EQ(::pwrite(file.get(), "end", 3, kTebibyte - 3), 3);
    ASSERT_EQ(::pwrite(file.get(), "middle", 6, kTebibyte / 2), 6);
    char bytes[7] = "";
    ASSERT_EQ(::pread(file.get(), bytes, 6, kTebibyte / 2), 6);
    EXPECT_STREQ(bytes, "middle");
    ASSERT_EQ(::pread(file.get(), bytes, 6, kTebibyte / 4), 6);
    EXPECT_EQ(std::string(bytes, 6), std::string(6, '\0'));
    const off_t data = ::lseek(file.get(), 0, SEEK_DATA);
    EXPECT_GT(data, kTebibyte / 2 - (off_t{1} << 21));
    EXPECT_LE(data, kTebibyte / 2);
  }
  const UniqueFd file = open_file(path("f"), O_RDONLY);
  char bytes[4] = "";
  EXPECT_EQ(::pread(file.get(), bytes, 4, kTebibyte - 3), 3);
  EXPECT_STREQ(bytes, "end");
  EXPECT_EQ(stat_of(file).st_size, kTebibyte);
  EXPECT_EQ(errno_of(::unlink(path("f").c_str())), 0);
}

TEST_P(Sizing, TellsHolesFromData) {
  constexpr off_t kMiB = 1 << 20;
  const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
  ASSERT_EQ(::ftruncate(file.get(), 10 * kMiB), 0);
  ASSERT_EQ(::pwrite(file.get(), std::string(kMiB, 'x').data(), kMiB, 4 * kMiB), kMiB);
  const auto seek = [&](off_t from, int whence) { return ::lseek(file.get(), from, whence); };
  // A system without holes may say that all is data; whoever knows them, knows these.
  EXPECT_THAT(seek(0, SEEK_DATA), testing::AnyOf(4 * kMiB, 0));
  EXPECT_THAT(seek(4 * kMiB, SEEK_HOLE), testing::AnyOf(5 * kMiB, 10 * kMiB));
  EXPECT_EQ(seek(4 * kMiB + 5, SEEK_DATA), 4 * kMiB + 5);
  EXPECT_EQ(errno_of(seek(10 * kMiB, SEEK_DATA)), ENXIO);
  EXPECT_EQ(errno_of(seek(11 * kMiB, SEEK_HOLE)), ENXIO);
  put(path("dense"), std::string(5000, 'x'));
  const UniqueFd dense = open_file(path("dense"), O_RDONLY);
  EXPECT_EQ(::lseek(dense.get(), 0, SEEK_HOLE), 5000) << "the end is a hole";
  EXPECT_EQ(::lseek(dense.get(), 10, SEEK_DATA), 10);
  EXPECT_EQ(::lseek(dense.get(), -10, SEEK_END), 4990);
}

TEST_P(Sizing, Allocates) {
  const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
  say(file, "content");
  ASSERT_EQ(errno_of(::fallocate(file.get(), 0, 0, 100000)), 0);
  EXPECT_EQ(stat_of(file).st_size, 100000);
  EXPECT_EQ(get(path("f")).substr(0, 9), std::string("content\0\0", 9));
  ASSERT_EQ(errno_of(::fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, 200000)), 0);
  EXPECT_EQ(stat_of(file).st_size, 100000);
  EXPECT_EQ(::posix_fallocate(file.get(), 100000, 5000), 0);
  EXPECT_EQ(stat_of(path("f")).st_size, 105000);
  EXPECT_EQ(errno_of(::fallocate(file.get(), 0, 0, 0)), EINVAL);
  EXPECT_EQ(errno_of(::fallocate(file.get(), 0, -1, 10)), EINVAL);
  EXPECT_EQ(errno_of(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE, 0, 10)), EOPNOTSUPP) << "wants KEEP_SIZE";
  EXPECT_EQ(errno_of(::fallocate(open_file(path("f"), O_RDONLY).get(), 0, 0, 10)), EBADF);
}

TEST_P(Sizing, PunchesAndZeroes) {
  std::string content = content_for("f", 100000);
  put(path("f"), content);
  {
    const UniqueFd file = open_file(path("f"), O_RDWR);
    ASSERT_EQ(errno_of(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10000, 20000)), 0);
    content.replace(10000, 20000, 20000, '\0');
    EXPECT_TRUE(get(file) == content);
    ASSERT_EQ(errno_of(::fallocate(file.get(), FALLOC_FL_ZERO_RANGE, 90000, 20000)), 0);
    content.resize(110000);
    content.replace(90000, 20000, 20000, '\0');
    EXPECT_TRUE(get(file) == content);
    // What only some filesystems do is done or refused, never half.
    const int collapsed = errno_of(::fallocate(file.get(), FALLOC_FL_COLLAPSE_RANGE, 4096, 4096));
    EXPECT_THAT(collapsed, testing::AnyOf(0, EOPNOTSUPP));
    if (collapsed == 0) content.erase(4096, 4096);
  }
  EXPECT_TRUE(get(path("f")) == content);
}

}  // namespace
}  // namespace geogrid::test
