#include "stop_on_signal.hpp"

#include <unistd.h>

#include <csignal>

namespace geogrid {

StopOnSignal::StopOnSignal(asio::any_io_executor executor, Log log, std::function<void()> stop)
    : ending_(executor, SIGTERM, SIGINT),
      hangup_(executor, SIGHUP),
      log_(std::move(log)),
      stop_(std::move(stop)) {
  wait_for_stop();
  wait_for_hangup();
}

void StopOnSignal::wait_for_stop() {
  ending_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    if (asked_) _exit(1);
    asked_ = true;
    log_.info("stopping; a second signal stops at once");
    stop_();
    wait_for_stop();
  });
}

void StopOnSignal::wait_for_hangup() {
  hangup_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    log_.warning("SIGHUP: nothing in the configuration can be reloaded; restart to apply changes");
    wait_for_hangup();
  });
}

}  // namespace geogrid
