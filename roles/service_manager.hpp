#pragma once
// What the process tells systemd (sd_notify(3)); without systemd nothing happens.

#include <string>

#include "async/task.hpp"

namespace geogrid {

void tell_ready(const std::string& status);
void tell_stopping();
/// Answers the watchdog at half its interval, from the loop, so that a blocked loop is noticed. Runs until
/// cancelled.
task<result<void>> feed_watchdog();

}  // namespace geogrid
