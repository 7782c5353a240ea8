#include "service_manager.hpp"

#include <systemd/sd-daemon.h>

namespace geogrid {

void tell_ready(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void tell_stopping() {
  sd_notify(0, "STOPPING=1");
}

task<result<void>> feed_watchdog() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) {
    // Nobody watches; ends with the others.
    for (;;) GG_CO_CHECK(co_await sleep_for(std::chrono::hours(24)));
  }
  for (;;) {
    sd_notify(0, "WATCHDOG=1");
    GG_CO_CHECK(co_await sleep_for(std::chrono::microseconds(microseconds / 2)));
  }
}

}  // namespace geogrid
