#include "vfs/digest_stream.hpp"

#include <utility>

namespace geogrid {

void DigestStream::reset() {
  const std::scoped_lock lock(mutex_);
  // A thread at work has the old hasher in hand: what it makes of it is thrown away with it.
  spoil_locked();
  if (working_) return;
  hasher_ = Hasher();
  added_ = 0;
  spoilt_ = false;
}

void DigestStream::spoil() {
  const std::scoped_lock lock(mutex_);
  spoil_locked();
}

void DigestStream::spoil_locked() {
  spoilt_ = true;
  waiting_.clear();
}

void DigestStream::add(std::uint64_t offset, WriteBytes bytes) {
  const std::scoped_lock lock(mutex_);
  if (spoilt_) return;
  if (offset != added_ || added_ + bytes.data.size() > kLongest) return spoil_locked();
  added_ += bytes.data.size();
  waiting_.push_back(std::move(bytes));
}

void DigestStream::work() {
  std::unique_lock lock(mutex_);
  if (working_) return;
  working_ = true;
  while (!waiting_.empty()) {
    WriteBytes bytes = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    hasher_.update(bytes.data);  // nobody else touches it while working_ is set
    bytes = {};
    lock.lock();
  }
  working_ = false;
  if (!wanted_) return;
  const Finished done = std::exchange(wanted_, nullptr);
  const std::optional<Digest> digest = present_locked();
  lock.unlock();
  done(digest);
}

std::optional<Digest> DigestStream::present_locked() {
  if (spoilt_ || added_ != wanted_size_) return std::nullopt;
  return hasher_.present();
}

bool DigestStream::finish(std::uint64_t size, Finished done) {
  std::unique_lock lock(mutex_);
  wanted_size_ = size;
  // Who added the bytes is at work on them, or will be in a moment.
  if (!spoilt_ && (working_ || !waiting_.empty())) {
    wanted_ = std::move(done);
    return true;
  }
  const std::optional<Digest> digest = present_locked();
  lock.unlock();
  done(digest);
  return false;
}

}  // namespace geogrid
