#pragma once
// Which rows of the change log are new, when ids do not become visible in their order.

#include <chrono>
#include <cstdint>
#include <deque>
#include <set>

#include "base/ids.hpp"

namespace geogrid {

/// Pure: the caller reads and gives the time. One thread.
///
/// The rule: an id that is lower than one which was seen was handed out before that one became visible, and
/// its transaction ends within `window`. So the log is settled up to the highest id that was seen before
/// `window`, provided that it was read since; what lies above is read again, and known rows are left out.
/// Without gaps (SQLite) it is settled at once.
class ChangeWindow {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit ChangeWindow(std::chrono::nanoseconds window) : window_(window) {}

  /// Forgets all; what is at or below `floor` is settled.
  void start(ChangeId floor);

  /// Takes note of a row. True if it is new. Order does not matter.
  bool add(ChangeId id);
  /// A read of everything above floor() that began at `begun` is complete, at `now`, and all of it was added.
  void read_all(Time begun, Time now);
  /// Rows above newest() were read and added, at `now`; late ones below it were not looked for.
  void read_newest(Time now);

  /// Up to here nothing can appear any more: read what comes after.
  ChangeId floor() const { return ChangeId(floor_); }
  /// The highest id that was seen.
  ChangeId newest() const { return ChangeId(newest_); }
  /// Whether floor() is newest(): nothing that is late is waited for.
  bool settled() const { return floor_ == newest_; }
  /// Ids that are remembered one by one.
  std::size_t remembered() const { return seen_.size(); }

 private:
  struct Mark {
    Time at;
    std::uint64_t newest;
  };
  void raise_floor(std::uint64_t floor);
  void absorb();

  std::chrono::nanoseconds window_;
  std::uint64_t floor_ = 0;
  std::uint64_t newest_ = 0;
  std::set<std::uint64_t> seen_;  // above floor_
  std::deque<Mark>
      marks_;  // when newest_ had become what, oldest first; at most one for each read of the window
};

}  // namespace geogrid
