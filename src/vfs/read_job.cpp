#include "vfs/read_job.hpp"

#include <algorithm>

#include "os/clock.hpp"

namespace geogrid {
namespace {

constexpr std::chrono::seconds kMoving{3};
constexpr std::chrono::milliseconds kFirstPause{2};
constexpr std::chrono::milliseconds kLongestPause{100};

}  // namespace

ReadJob::~ReadJob() {
  answer(fail(errc::cancelled, "the read was dropped"));
}

bool ReadJob::answer(result<std::span<const std::byte>> bytes) {
  if (answered_.exchange(true, std::memory_order_acq_rel)) return false;
  done_(std::move(bytes));
  return true;
}

void ReadJob::clip(std::uint64_t file_size) {
  size_ = offset_ >= file_size
              ? 0
              : static_cast<std::size_t>(std::min<std::uint64_t>(wanted_, file_size - offset_));
}

ReadJob::Time ReadJob::start_attempt(const Content::SourceRef& source) {
  tried_ = tried_.with(source->node);
  ++outstanding_;
  attempt_ = source;
  attempt_started_ = system_clock().steady();
  content_->access_->deadlines().add(shared_from_this());
  return attempt_started_;
}

std::optional<std::chrono::milliseconds> ReadJob::start_afresh(bool moving) {
  tried_ = NodeSet();
  const Time now = system_clock().steady();
  if (!first_afresh_) {
    first_afresh_ = now;
    return pause_;
  }
  if (!moving || now - *first_afresh_ >= kMoving) return std::nullopt;
  pause_ = std::min(2 * pause_ + kFirstPause, kLongestPause);
  return pause_;
}

void ReadJob::late() {
  ReplicaAccess& access = *content_->access_;
  const auto waited = system_clock().steady() - attempt_started_;
  if (waited >= ReplicaAccess::kPatience * access.options().deadline) {
    access.gave_up(content_->path_, "none answered");
    answer(fail(errc::timed_out, "no copy of {} answered", printable(content_->path_.str())));
  } else if (waited >= access.options().deadline) {
    access.patience().add(shared_from_this());
    content_->attempt_late(attempt_);
    content_->advance(shared_from_this());
  }
}

void ReadJob::arrived(const Content::SourceRef& source, result<std::span<const std::byte>> bytes,
                      Time started) {
  ReplicaAccess& access = *content_->access_;
  Error error;
  if (!bytes) {
    error = bytes.error();
  } else if (bytes->size() != size_) {
    error = fail(errc::stale, "it ends {} bytes early", size_ - bytes->size());
  } else if (source->check && source->check->add(offset_, *bytes) == StreamCheck::Verdict::damaged) {
    // What came before went to the reader already: only errors, from now on, stop it from believing the
    // whole.
    content_->spoilt_ = true;
    error = fail(errc::corrupt, "its bytes do not have the recorded digest");
    answer(error);
  } else {
    content_->given_ = true;
    content_->served_by_ = source->node.value;
    ++access.counters().reads;
    access.counters().bytes += size_;
    answer(bytes);
    access.answered(source->node,
                    std::chrono::duration_cast<std::chrono::microseconds>(system_clock().steady() - started));
    return;
  }
  access.gate()->post([self = shared_from_this(), source, error = std::move(error)] {
    self->content_->attempt_failed(self, source, error);
  });
}

}  // namespace geogrid
