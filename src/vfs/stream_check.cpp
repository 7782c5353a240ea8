#include "vfs/stream_check.hpp"

namespace geogrid {

StreamCheck::Verdict StreamCheck::add(std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::scoped_lock lock(mutex_);
  if (over_ || offset + bytes.size() <= next_) return Verdict::open;
  if (offset > next_) {
    held_ += bytes.size();
    if (held_ > kMostHeld) {
      over_ = true;
      early_.clear();
    } else {
      early_.emplace(offset, std::vector<std::byte>(bytes.begin(), bytes.end()));
    }
    return Verdict::open;
  }
  take(offset, bytes);
  while (!early_.empty() && early_.begin()->first <= next_) {
    const auto block = early_.extract(early_.begin());
    held_ -= block.mapped().size();
    take(block.key(), block.mapped());
  }
  if (next_ < size_) return Verdict::open;
  over_ = true;
  return hasher_.finish() == expected_ ? Verdict::good : Verdict::damaged;
}

void StreamCheck::take(std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::uint64_t known = next_ - offset;
  if (known >= bytes.size()) return;
  hasher_.update(bytes.subspan(known));
  next_ = offset + bytes.size();
}

}  // namespace geogrid
