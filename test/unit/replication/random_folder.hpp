#pragma once
// Random folders, on a disk and in metadata, that agree, differ and clash in all ways.

#include <random>
#include <string>
#include <vector>

#include "meta/records.hpp"
#include "volume/volume.hpp"

namespace geogrid::test {

class RandomFolder {
 public:
  explicit RandomFolder(unsigned seed);

  std::vector<DiskEntry> disk;
  std::vector<Inode> known;
  static constexpr NodeIndex kNode{3};

  std::mt19937& random() { return random_; }
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

 private:
  DiskEntry make_disk(const std::string& name);
  Inode make_known(const std::string& name);
  Inode make_matching(const DiskEntry& entry);

  std::mt19937 random_;
  std::uint64_t next_id_ = 2;
};

}  // namespace geogrid::test
