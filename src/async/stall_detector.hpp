#pragma once
// Notices when something blocked the event loop: a bug, since every other request waits meanwhile.

#include <chrono>
#include <functional>

#include "async/task.hpp"
#include "base/log.hpp"

namespace geogrid {

/// Asks the loop for a turn every `interval` and measures how late it comes. One that is later than
/// `threshold` while this process's loop thread was not merely waiting for a processor is logged, at most one
/// line every `quiet`, with the longest since the last line. Runs until cancelled.
struct StallDetectorOptions {
  std::chrono::milliseconds interval{250};
  std::chrono::milliseconds threshold{20};
  std::chrono::milliseconds quiet{60'000};
};
task<result<void>> detect_stalls(Log log, StallDetectorOptions options);

/// The arithmetic, pure: how long the loop was blocked, given how late a turn came and how long its thread
/// waited for a processor.
std::chrono::nanoseconds blocked_time(std::chrono::nanoseconds late,
                                      std::chrono::nanoseconds waited_for_processor);

}  // namespace geogrid
