#pragma once
// Progress of an action for a person: a bar on a terminal, a log line now and then elsewhere. To stderr.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/log.hpp"

namespace geogrid {

struct ProgressState {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> expected_files;  ///< none: not known yet
  std::string note;                             ///< what is being done now; printable
};

/// One line: "[#####-----] 50 %  1,234 files  55 MiB  820 files/s  12 s left  note". Pure.
std::string progress_line(const ProgressState& state, std::chrono::milliseconds elapsed, std::size_t width);

/// One thread.
class ProgressBar {
 public:
  ProgressBar(std::string action, Log log, bool quiet);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// May be called often: shows at most ten states a second on a terminal, one in ten seconds in the log.
  void show(const ProgressState& state);

 private:
  using Clock = std::chrono::steady_clock;
  std::string action_;
  Log log_;
  bool quiet_;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point started_ = Clock::now();
  Clock::time_point last_ = started_;
};

}  // namespace geogrid
