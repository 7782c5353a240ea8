#include "config/expand.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/path.hpp"

namespace geogrid {
namespace {

/// As POSIX shells have it (XBD 3.231).
bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

result<std::string> expand(std::string_view text, const Environment& environment) {
  std::string out;
  while (true) {
    const std::size_t start = text.find("${");
    out += text.substr(0, start);
    if (start == std::string_view::npos) return out;
    const bool escaped = start > 0 && text[start - 1] == '$';
    text.remove_prefix(start + 2);
    if (escaped) {  // "$${": the first of the two dollars takes the meaning off the second
      out += '{';
      continue;
    }
    const std::size_t end = text.find('}');
    const std::string_view inside = text.substr(0, end);
    const std::size_t fallback = inside.find(":-");
    const std::string_view name = inside.substr(0, fallback);
    if (end == std::string_view::npos || !is_variable_name(name))
      return fail(errc::invalid_argument, "'${{{}' is no variable: write ${{NAME}}, or $${{ for a plain ${{",
                  printable(name.substr(0, 40)));
    auto value = environment(name);
    if ((!value || value->empty()) && fallback != std::string_view::npos) value = inside.substr(fallback + 2);
    if (!value) return fail(errc::invalid_argument, "the environment variable {} is not set", name);
    out += *value;
    text.remove_prefix(end + 1);
  }
}

}  // namespace geogrid
