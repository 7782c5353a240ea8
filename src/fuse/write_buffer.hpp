#pragma once
// The memory that the kernel's requests are read into, which a write may take along.

#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

namespace geogrid {

/// Buffers of one size that libfuse allocated (malloc), kept for the next request. Thread-safe; what was
/// handed out may outlive it.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  static constexpr std::size_t kKept = 16;
  ~BufferPool() {
    for (void* buffer : free_) std::free(buffer);
  }

  /// A buffer that was given back; nullptr if there is none.
  void* take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return nullptr;
    void* buffer = free_.back();
    free_.pop_back();
    return buffer;
  }
  /// Gives the buffer back when the last owner is gone.
  std::shared_ptr<const void> own(void* buffer) {
    return std::shared_ptr<const void>(
        buffer, [pool = shared_from_this(), buffer](const void*) { pool->put(buffer); });
  }

 private:
  void put(void* buffer) {
    const std::scoped_lock lock(mutex_);
    if (free_.size() < kKept)
      free_.push_back(buffer);
    else
      std::free(buffer);
  }

  std::mutex mutex_;
  std::vector<void*> free_;  // guarded by mutex_
};

}  // namespace geogrid
