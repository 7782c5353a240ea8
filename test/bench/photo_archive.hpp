#pragma once
// The photo workload's files: names and sizes as Geograph's archive has them, the same on every machine and
// in every run.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace geogrid::bench {

/// A generator of numbers that is the same everywhere (SplitMix64), unlike the distributions of <random>.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// In (0, 1).
  double uniform();
  /// Standard normal, by Box and Muller.
  double normal();

 private:
  std::uint64_t state_;
};

struct PhotoFile {
  std::string path;  ///< relative: geograph_live/public_html/photos/AB/CD/ABCDEF_<8 hex>[_120x120].jpg
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
};

struct ArchiveShape {
  std::uint64_t files = 20'000;  ///< of which every fifth is a thumbnail: one beside every fourth photo
  std::uint64_t fixed_size = 0;  ///< all files of this size, unless 0
};

/// The first `shape.files` files in the order of their ids, 100 photos a folder; sizes log-normal with a
/// median of 45 KB and at most 600 KB (which makes about 1 GB of 20,000 files), thumbnails about 4 KB.
std::vector<PhotoFile> photo_archive(const ArchiveShape& shape);

/// The bytes of a file: those of a JPEG's first marker, then noise that no filesystem can compress or find
/// twice.
std::string photo_bytes(const PhotoFile& file);

/// The same order in every run.
template <typename T>
void shuffle(std::vector<T>& items, std::uint64_t seed) {
  Numbers numbers(seed);
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[numbers.next() % i]);
}

}  // namespace geogrid::bench
