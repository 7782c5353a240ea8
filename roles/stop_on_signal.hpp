#pragma once
// SIGTERM and SIGINT, as a polite request to end.

#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>

#include "async/notifier.hpp"
#include "base/log.hpp"

namespace geogrid {

/// While it lives, the first SIGTERM or SIGINT calls `stop`; a second one ends the process at once, with exit
/// code 1: a disk that hangs must not keep it. SIGHUP is answered with a line in the log that says that
/// nothing can be reloaded yet.
class StopOnSignal {
 public:
  StopOnSignal(asio::any_io_executor executor, Log log, std::function<void()> stop);

 private:
  void wait_for_stop();
  void wait_for_hangup();

  asio::signal_set ending_;
  asio::signal_set hangup_;
  Log log_;
  std::function<void()> stop_;
  bool asked_ = false;
};

}  // namespace geogrid
