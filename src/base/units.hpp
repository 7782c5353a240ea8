#pragma once
// Sizes, durations and rates as people write them in the configuration and read them in tables.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace geogrid {

/// "10GiB" (KiB…TiB), "10GB" (kB…TB), "512" or "512B": bytes. Fractions ("1.5GiB") are rounded to whole
/// bytes.
result<std::uint64_t> parse_size(std::string_view text);
/// "250ms", "2s", "5m", "1h", "30d". Not negative.
result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// A size a second: "100MiB/s".
result<std::uint64_t> parse_rate(std::string_view text);

/// "9.8 GiB"; three digits at most.
std::string format_size(std::uint64_t bytes);
/// "3 d 4 h", "2 min 5 s", "1.2 s": the two largest units.
std::string format_duration(std::chrono::milliseconds duration);
/// "1,234,567".
std::string format_count(std::uint64_t count);

}  // namespace geogrid
