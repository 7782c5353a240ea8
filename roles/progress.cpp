#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/units.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kBarCells = 20;
constexpr std::size_t kDefaultWidth = 100;

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
  return size.ws_col;
}

std::string bar_of(double share) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarCells));
  return "[" + std::string(full, '#') + std::string(kBarCells - full, '-') + "]";
}

}  // namespace

std::string progress_line(const ProgressState& state, std::chrono::milliseconds elapsed, std::size_t width) {
  const double seconds = std::max(0.001, static_cast<double>(elapsed.count()) / 1e3);
  const double rate = static_cast<double>(state.files) / seconds;
  std::string line;
  if (state.expected_files && *state.expected_files > 0) {
    const double share =
        std::min(1.0, static_cast<double>(state.files) / static_cast<double>(*state.expected_files));
    line = fmt::format("{} {:3.0f} %  ", bar_of(share), share * 100);
  }
  line += fmt::format("{} files  {}  {} files/s", format_count(state.files), format_size(state.bytes),
                      format_count(static_cast<std::uint64_t>(rate)));
  if (state.expected_files && rate > 0 && *state.expected_files > state.files) {
    const double left = static_cast<double>(*state.expected_files - state.files) / rate;
    line += fmt::format("  {} left",
                        format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(left * 1e3))));
  }
  if (!state.note.empty()) line += "  " + state.note;
  return line.size() > width ? line.substr(0, width) : line;
}

ProgressBar::ProgressBar(std::string action, Log log, bool quiet)
    : action_(std::move(action)),
      log_(std::move(log)),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::show(const ProgressState& state) {
  using namespace std::chrono_literals;
  const auto now = Clock::now();
  if (quiet_ ||
      now - last_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000)))
    return;
  last_ = now;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_);
  if (!terminal_) {
    log_.info("{}: {}", action_, progress_line(state, elapsed, 1000));
    return;
  }
  const std::string line =
      progress_line(state, elapsed, terminal_width() - 1 - std::min<std::size_t>(action_.size() + 2, 20));
  std::fprintf(stderr, "\r%s: %s\033[K", action_.c_str(), line.c_str());
  shown_ = true;
}

}  // namespace geogrid
