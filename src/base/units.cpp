#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace geogrid {
namespace {

struct Unit {
  std::string_view suffix;
  double factor;
};

constexpr std::array<Unit, 10> kSizes{{{"", 1.0},
                                       {"B", 1.0},
                                       {"KiB", 1024.0},
                                       {"MiB", 1048576.0},
                                       {"GiB", 1073741824.0},
                                       {"TiB", 1099511627776.0},
                                       {"kB", 1e3},
                                       {"MB", 1e6},
                                       {"GB", 1e9},
                                       {"TB", 1e12}}};
constexpr std::array<Unit, 5> kDurations{
    {{"ms", 1.0}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};

/// The number at the start of `text` times the unit that is the whole rest of it.
template <std::size_t N>
result<double> parse_with_unit(std::string_view text, const std::array<Unit, N>& units, std::string_view what,
                               std::string_view example) {
  const auto malformed = [&] {
    return fail(errc::invalid_argument, "'{}' is no {}; write it like {}", text, what, example);
  };
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || number < 0 || !std::isfinite(number)) return malformed();
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units)
    if (unit.suffix == suffix) {
      const double value = number * unit.factor;
      if (value >= 9.2e18) return fail(errc::invalid_argument, "'{}' is too large", text);
      return value;
    }
  return malformed();
}

}  // namespace

result<std::uint64_t> parse_size(std::string_view text) {
  GG_TRY(const double bytes, parse_with_unit(text, kSizes, "size", "10GiB, 500MB or 4096"));
  return static_cast<std::uint64_t>(std::llround(bytes));
}

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  GG_TRY(const double ms, parse_with_unit(text, kDurations, "duration", "250ms, 2s, 5m, 1h or 30d"));
  return std::chrono::milliseconds(std::llround(ms));
}

result<std::uint64_t> parse_rate(std::string_view text) {
  if (!text.ends_with("/s"))
    return fail(errc::invalid_argument, "'{}' is no rate; write it like 100MiB/s", text);
  return parse_size(text.substr(0, text.size() - 2));
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> names{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < names.size()) {
    value /= 1024.0;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.{}f} {}", value, value < 9.95 ? 2 : value < 99.5 ? 1 : 0, names[unit]);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const long long ms = duration.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1e3);
  const long long s = ms / 1000;
  const auto two = [](long long a, std::string_view an, long long b, std::string_view bn) {
    return b == 0 ? fmt::format("{} {}", a, an) : fmt::format("{} {} {} {}", a, an, b, bn);
  };
  if (s < 3600) return two(s / 60, "min", s % 60, "s");
  if (s < 86'400) return two(s / 3600, "h", s % 3600 / 60, "min");
  return two(s / 86'400, "d", s % 86'400 / 3600, "h");
}

std::string format_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

}  // namespace geogrid
