#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vfs/inode_cache.hpp"
#include "vfs/listing_cache.hpp"

namespace geogrid {
namespace {

InodeRef inode(std::uint64_t id, FileType type = FileType::file) {
  auto record = std::make_shared<Inode>();
  record->id = InodeId(id);
  record->type = type;
  return record;
}

TEST(Lru, ForgetsWhatWasNotUsedForLongest) {
  Lru<int, std::string> cache(3);
  for (int n = 1; n <= 3; ++n) cache.put(n, std::to_string(n));
  ASSERT_NE(cache.find(1), nullptr);
  cache.put(4, "4");
  EXPECT_EQ(cache.find(2), nullptr);
  EXPECT_EQ(*cache.find(1), "1");
  EXPECT_EQ(*cache.find(4), "4");
  cache.put(3, "three");
  EXPECT_EQ(*cache.find(3), "three");
  EXPECT_EQ(cache.size(), 3U);
  cache.erase(3);
  cache.erase(3);
  EXPECT_EQ(cache.size(), 2U);
  cache.put(5, "5");
  EXPECT_EQ(cache.size(), 3U);
  cache.clear();
  EXPECT_EQ(cache.find(5), nullptr);
}

TEST(Lru, StaysRightOverManyChanges) {
  Lru<int, int> cache(50);
  for (int n = 0; n < 10000; ++n) {
    cache.put(n % 173, n);
    if (n % 7 == 0) cache.erase(n % 31);
    ASSERT_LE(cache.size(), 50U);
    if (const int* value = cache.find(n % 97)) {
      ASSERT_EQ(*value % 173, n % 97);
    }
  }
}

TEST(InodeCache, KeepsNothingThatWasReadBeforeAChange) {
  InodeCache cache(10, 10);
  const auto before = cache.epoch();
  EXPECT_TRUE(cache.put(inode(5), before));
  EXPECT_NE(cache.find(InodeId(5)), nullptr);
  cache.drop(InodeId(6));  // told of while a record of 6 was being read
  EXPECT_FALSE(cache.put(inode(6), before));
  EXPECT_EQ(cache.find(InodeId(6)), nullptr);
  EXPECT_TRUE(cache.put(inode(6), cache.epoch()));
  EXPECT_TRUE(cache.put(inode(7), before)) << "changes of others do not count";
  EXPECT_TRUE(cache.changed_since(InodeId(6), before));
  EXPECT_FALSE(cache.changed_since(InodeId(7), before));
  for (std::uint64_t id = 1000; id < 10'000; ++id) cache.drop(InodeId(id));
  EXPECT_TRUE(cache.changed_since(InodeId(7), before)) << "in doubt, it did";
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_FALSE(cache.put(inode(6), before));
}

TEST(InodeCache, KeepsFoldersWhenManyFilesPass) {
  InodeCache cache(10, 10);
  cache.put(inode(2, FileType::folder), cache.epoch());
  for (std::uint64_t id = 100; id < 1000; ++id) cache.put(inode(id), cache.epoch());
  EXPECT_NE(cache.find(InodeId(2)), nullptr);
  EXPECT_EQ(cache.size(), 11U);
}

TEST(ListingCache, IsForWhoReadsOnWhereItWasLeft) {
  ListingCache cache;
  const ListingCache::Time now{std::chrono::hours(1)};
  const auto rest = [] {
    ListingRest left;
    left.entries = {inode(10), inode(11)};
    return left;
  };
  cache.put(InodeId(1), InodeId(9), rest(), now);
  EXPECT_FALSE(cache.take(InodeId(1), InodeId(8), now)) << "another place";
  EXPECT_FALSE(cache.take(InodeId(2), InodeId(9), now)) << "another folder";
  EXPECT_TRUE(cache.take(InodeId(1), InodeId(9), now));
  EXPECT_FALSE(cache.take(InodeId(1), InodeId(9), now)) << "taken";
  cache.put(InodeId(1), InodeId(9), rest(), now);
  EXPECT_FALSE(cache.take(InodeId(1), InodeId(9), now + ListingCache::kKept + std::chrono::milliseconds(1)))
      << "old";
  cache.put(InodeId(1), InodeId(9), rest(), now);
  cache.drop(InodeId(1));
  EXPECT_FALSE(cache.take(InodeId(1), InodeId(9), now)) << "changed";
}

}  // namespace
}  // namespace geogrid
