#pragma once
// Checks the digest of a file while it is read from front to back.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "base/digest.hpp"

namespace geogrid {

/// Blocks may come a little out of order, as parallel reads do; who skips more than that is not reading the
/// whole file, and the check ends without a verdict. Thread-safe.
class StreamCheck {
 public:
  enum class Verdict { open, good, damaged };
  static constexpr std::size_t kMostHeld = 4 << 20;  ///< bytes kept for blocks that come early

  StreamCheck(std::uint64_t size, Digest expected)
      : size_(size), expected_(std::move(expected)), hasher_(expected_.algorithm) {}

  /// `damaged` is answered once: with the block that completes the file.
  Verdict add(std::uint64_t offset, std::span<const std::byte> bytes);

 private:
  void take(std::uint64_t offset, std::span<const std::byte> bytes);

  const std::uint64_t size_;
  const Digest expected_;
  std::mutex mutex_;  // guards all below
  Hasher hasher_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, std::vector<std::byte>> early_;
  std::size_t held_ = 0;
  bool over_ = false;
};

}  // namespace geogrid
