#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "replication/digest_batch.hpp"

namespace geogrid::test {
namespace {

TEST(CutForDigesting, EachFileOnceInDiskOrderOneAlgorithmAPiece) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    std::vector<DiskEntry> disk(random() % 200);
    Inode sha;
    sha.digest.algorithm = DigestAlgorithm::sha256;
    std::vector<Comparison> items;
    for (DiskEntry& entry : disk) {
      entry.disk_inode = random() % 1000;
      entry.size = random() % 3 == 0 ? 5 << 20 : random() % 100'000;
      items.push_back({Verdict::claim, &entry, random() % 4 == 0 ? &sha : nullptr});
    }
    std::size_t files = 0;
    for (const auto& piece : cut_for_digesting(items, DigestAlgorithm::md5)) {
      ASSERT_FALSE(piece.empty());
      ASSERT_LE(piece.size(), 64U);
      files += piece.size();
      std::uint64_t bytes = 0;
      for (const Comparison& item : piece) {
        bytes += item.disk->size;
        ASSERT_EQ(item.known == nullptr, piece.front().known == nullptr);
      }
      ASSERT_TRUE(piece.size() == 1 || bytes <= 4U << 20);
      ASSERT_TRUE(std::ranges::is_sorted(piece, {}, [](const Comparison& c) { return c.disk->disk_inode; }));
    }
    ASSERT_EQ(files, disk.size());
  }
}

}  // namespace
}  // namespace geogrid::test
