#include "photo_archive.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numbers>

namespace geogrid::bench {
namespace {

constexpr double median_size = 45'000;
constexpr double spread = 0.8;  // sigma of the logarithm: a mean of 62 KB, as the archive has
constexpr std::uint64_t largest = 600'000;
constexpr std::int64_t first_mtime = 1'262'304'000;  // 2010-01-01

std::string photo_stem(std::uint64_t id) {
  char text[96];
  const auto hash = static_cast<unsigned>(Numbers(id ^ 0x67726964).next());
  std::snprintf(text, sizeof text, "geograph_live/public_html/photos/%02u/%02u/%06u_%08x",
                static_cast<unsigned>(id / 10'000 % 100), static_cast<unsigned>(id / 100 % 100),
                static_cast<unsigned>(id), hash);
  return text;
}

std::uint64_t photo_size(std::uint64_t id) {
  Numbers numbers(id * 2 + 1);
  const double size = median_size * std::exp(spread * numbers.normal());
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(size), 2'000, largest);
}

}  // namespace

std::uint64_t Numbers::next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double Numbers::uniform() {
  return (static_cast<double>(next() >> 11) + 0.5) / 9007199254740992.0;
}

double Numbers::normal() {
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::vector<PhotoFile> photo_archive(const ArchiveShape& shape) {
  std::vector<PhotoFile> files;
  files.reserve(shape.files);
  for (std::uint64_t id = 1; files.size() < shape.files; ++id) {
    const std::string stem = photo_stem(id);
    const auto mtime = first_mtime + static_cast<std::int64_t>(id) * 60;
    files.push_back({stem + ".jpg", shape.fixed_size ? shape.fixed_size : photo_size(id), mtime});
    if (id % 4 == 0 && files.size() < shape.files)
      files.push_back({stem + "_120x120.jpg",
                       shape.fixed_size ? shape.fixed_size : 3'500 + Numbers(id).next() % 1'000, mtime});
  }
  return files;
}

std::string photo_bytes(const PhotoFile& file) {
  std::string bytes(file.size, '\0');
  Numbers numbers(std::hash<std::string_view>{}(file.path));
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t noise = numbers.next();
    std::memcpy(bytes.data() + at, &noise, std::min(sizeof noise, bytes.size() - at));
  }
  bytes.replace(0, std::min<std::size_t>(3, bytes.size()), "\xff\xd8\xff",
                std::min<std::size_t>(3, bytes.size()));
  return bytes;
}

}  // namespace geogrid::bench
