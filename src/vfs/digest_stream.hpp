#pragma once
// The digest of a file while it is written from front to back, calculated beside the writing.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/digest.hpp"
#include "vfs/write_bytes.hpp"

namespace geogrid {

/// Thread-safe. What is written out of order, or over, breaks it: the file is then digested by reading it
/// again. A writer adds bytes before the kernel hears that they are written (so that they come in order), and
/// always calls work() after that, when nobody waits.
class DigestStream : public std::enable_shared_from_this<DigestStream> {
 public:
  /// Larger files close with their digest pending.
  static constexpr std::uint64_t kLongest = 64 << 20;
  using Finished = std::function<void(std::optional<Digest>)>;

  /// Begins anew, for a file of no bytes.
  void reset();
  /// The file is not, or not only, what was added.
  void spoil();
  void add(std::uint64_t offset, WriteBytes bytes);
  /// Digests what was added; returns at once if another thread does.
  void work();
  /// The digest of everything that was added, if that is the whole of a file of `size` bytes (else none);
  /// more may be added afterwards. `done` is called once, before it returns or on the thread that is at work:
  /// true if the latter.
  bool finish(std::uint64_t size, Finished done);

 private:
  void spoil_locked();
  std::optional<Digest> present_locked();

  std::mutex mutex_;  // guards all
  Hasher hasher_;
  std::deque<WriteBytes> waiting_;
  std::uint64_t added_ = 0;
  bool spoilt_ = false;
  bool working_ = false;
  std::uint64_t wanted_size_ = 0;
  Finished wanted_;
};

}  // namespace geogrid
