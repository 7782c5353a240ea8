#include "async/stall_detector.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include "base/units.hpp"

namespace geogrid {
namespace {

using std::chrono::nanoseconds;

/// How long this thread has waited for a processor in all: the second number of /proc/thread-self/schedstat
/// (Documentation/scheduler/sched-stats). Zero where the kernel does not count.
nanoseconds waited_so_far() {
  std::ifstream stat("/proc/thread-self/schedstat");
  std::int64_t running = 0;
  std::int64_t waiting = 0;
  return stat >> running >> waiting ? nanoseconds(waiting) : nanoseconds::zero();
}

}  // namespace

nanoseconds blocked_time(nanoseconds late, nanoseconds waited_for_processor) {
  return std::max(nanoseconds::zero(), late - std::max(nanoseconds::zero(), waited_for_processor));
}

task<result<void>> detect_stalls(Log log, StallDetectorOptions options) {
  using Clock = std::chrono::steady_clock;
  nanoseconds longest{0};
  Clock::time_point said = Clock::now() - options.quiet;
  for (;;) {
    const auto due = Clock::now() + options.interval;
    const nanoseconds waited_before = waited_so_far();
    GG_CO_CHECK(co_await sleep_for(options.interval));
    const auto now = Clock::now();
    longest = std::max(longest, blocked_time(now - due, waited_so_far() - waited_before));
    if (longest < options.threshold || now - said < options.quiet) continue;
    log.warning("the event loop was blocked for {}: requests waited meanwhile",
                format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(longest)));
    said = now;
    longest = nanoseconds::zero();
  }
}

}  // namespace geogrid
