#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace geogrid {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// The priority prefixes of sd-daemon(3).
std::string_view journal_prefix(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "<7>";
    case LogLevel::info:
      return "<6>";
    case LogLevel::warning:
      return "<4>";
    case LogLevel::error:
      return "<3>";
  }
  return "<6>";
}

}  // namespace

class Log::Sink {
 public:
  explicit Sink(LogLevel level)
      : level_(level),
        journal_(std::getenv("JOURNAL_STREAM") != nullptr),
        logger_("geogridd", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
    logger_.set_level(to_spdlog(level));
    logger_.set_pattern(journal_ ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    logger_.flush_on(spdlog::level::debug);
  }
  bool enabled(LogLevel level) const { return level >= level_; }
  void write(LogLevel level, std::string_view component, std::string_view line) {
    const std::string_view colon = component.empty() ? "" : ": ";
    logger_.log(to_spdlog(level), "{}{}{}{}", journal_ ? journal_prefix(level) : "", component, colon, line);
  }

 private:
  const LogLevel level_;
  const bool journal_;
  spdlog::logger logger_;
};

result<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warning") return LogLevel::warning;
  if (text == "error") return LogLevel::error;
  return fail(errc::invalid_argument, "'{}' is no log level; use debug, info, warning or error", text);
}

Log::Log() = default;

Log Log::to_stderr(LogLevel level) {
  Log log;
  log.sink_ = std::make_shared<Sink>(level);
  return log;
}

Log Log::named(std::string component) const {
  Log log = *this;
  log.component_ = std::move(component);
  return log;
}

bool Log::enabled(LogLevel level) const {
  return sink_ && sink_->enabled(level);
}

void Log::write(LogLevel level, std::string_view line) const {
  if (sink_) sink_->write(level, component_, line);
}

}  // namespace geogrid
