#include "meta/change_window.hpp"

#include <algorithm>

namespace geogrid {

void ChangeWindow::start(ChangeId floor) {
  floor_ = newest_ = floor.value;
  seen_.clear();
  marks_.clear();
}

bool ChangeWindow::add(ChangeId id) {
  if (id.value <= floor_) return false;
  newest_ = std::max(newest_, id.value);
  if (id.value == floor_ + 1) {  // the usual case: no gap, nothing to remember
    ++floor_;
    absorb();
    return true;
  }
  return seen_.insert(id.value).second;
}

// What follows without a gap is settled too.
void ChangeWindow::absorb() {
  while (!seen_.empty() && *seen_.begin() == floor_ + 1) {
    seen_.erase(seen_.begin());
    ++floor_;
  }
}

void ChangeWindow::raise_floor(std::uint64_t floor) {
  if (floor <= floor_) return;
  floor_ = floor;
  seen_.erase(seen_.begin(), seen_.upper_bound(floor));
  absorb();
}

void ChangeWindow::read_all(Time begun, Time now) {
  // By when the read began, not by now: after an outage the marks are old, but nobody has looked since.
  while (!marks_.empty() && begun - marks_.front().at >= window_) {
    raise_floor(marks_.front().newest);
    marks_.pop_front();
  }
  read_newest(now);
}

void ChangeWindow::read_newest(Time now) {
  while (!marks_.empty() && marks_.front().newest <= floor_) marks_.pop_front();
  if (settled()) return;
  if (marks_.empty() || marks_.back().newest < newest_) marks_.push_back({now, newest_});
}

}  // namespace geogrid
