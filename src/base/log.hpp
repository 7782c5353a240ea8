#pragma once
// The log: lines for the operator, to stderr (structured under systemd), never to stdout, which is for data.
// Objects get a Log handed in; there is no global one. Bytes that came from outside pass through printable()
// first.

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace geogrid {

enum class LogLevel { debug, info, warning, error };

/// Errors: errc::invalid_argument names the four levels.
result<LogLevel> parse_log_level(std::string_view text);

/// A cheap handle to a sink, with the name of the component that speaks. Copies share the sink. Thread-safe.
class Log {
 public:
  class Sink;

  Log();  ///< discards everything
  /// Lines at `level` and above go to stderr: with time and level for people, with a syslog priority prefix
  /// (sd-daemon(3)) where systemd reads them ($JOURNAL_STREAM).
  static Log to_stderr(LogLevel level);

  /// The same log, speaking as `component`.
  Log named(std::string component) const;
  bool enabled(LogLevel level) const;
  void write(LogLevel level, std::string_view line) const;

  template <typename... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) const {
    put(LogLevel::debug, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) const {
    put(LogLevel::info, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> text, Args&&... args) const {
    put(LogLevel::warning, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) const {
    put(LogLevel::error, text, std::forward<Args>(args)...);
  }

 private:
  template <typename... Args>
  void put(LogLevel level, fmt::format_string<Args...> text, Args&&... args) const {
    if (enabled(level)) write(level, fmt::format(text, std::forward<Args>(args)...));
  }

  std::shared_ptr<Sink> sink_;
  std::string component_;
};

}  // namespace geogrid
