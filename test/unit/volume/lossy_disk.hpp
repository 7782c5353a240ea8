#pragma once
// A volume on a disk that forgets, and the way to cut its power at every step of a change.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/lossy_env.hpp"
#include "support/scratch.hpp"
#include "volume/marker.hpp"

namespace geogrid::test {

inline constexpr std::uint64_t kSeeds = 12;  // power losses tried at each step
inline const VolumeMarker kMarker{
    .cluster_uuid = "c", .cluster_name = "geograph", .node = "jam", .uuid = "u"};
inline constexpr Timestamp kMtime{1375696800, 123456789};

inline Path path_of(std::string_view text) {
  return Path::parse(text).value();
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::shared_ptr<const std::vector<std::byte>> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
}

class LossyDisk {
 public:
  LossyDisk() {
    std::filesystem::create_directory(scratch_.path() / "attic");
    std::filesystem::create_directory(root());
    env = std::make_shared<LossyEnv>(scratch_.file("attic"));
  }
  std::filesystem::path root() const { return scratch_.path() / "jam"; }
  std::shared_ptr<Volume> volume() const {
    return open_local_volume({.root = root().string(), .node = "jam", .threads = 2, .env = env}, kMarker);
  }

  std::shared_ptr<LossyEnv> env;
  // Never destroyed: after a loss, threads that tidy up outlive the volume.
  asio::io_context& loop = *loop_;

 private:
  static inline asio::io_context* const loop_ = new asio::io_context;
  Scratch scratch_{"crash"};
};

// Runs `change` on a new disk with the power cut after 0, 1, 2… changes until it comes through; after each
// loss, `check` is told whether `change` had said that it was done.
template <typename Prepare, typename Change, typename Check>
void at_every_step(Prepare prepare, Change change, Check check) {
  for (std::size_t steps = 0;; ++steps) {
    bool came_through = false;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      SCOPED_TRACE(fmt::format("power cut after {} changes, seed {}", steps, seed));
      LossyDisk disk;
      prepare(disk);
      disk.env->settle();
      disk.env->cut_power_after(steps);
      const auto done = change(disk);
      came_through = !disk.env->power_is_cut();
      disk.env->crash(seed);
      check(disk, done);
      if (testing::Test::HasFailure()) return;
    }
    if (came_through) return;
    ASSERT_LT(steps, 1000U);
  }
}

inline void prepare_volume(LossyDisk& disk) {
  ASSERT_TRUE(initialise_volume(disk.root().string(), kMarker));
}

}  // namespace geogrid::test
