#include "volume/draft.hpp"

#include <fmt/format.h>

#include <charconv>

namespace geogrid {
namespace {

constexpr std::string_view kPrefix = "draft.";

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string DraftName::str() const {
  return fmt::format("{}{}.{}.{}", kPrefix, file.value, owner, number);
}

std::optional<DraftName> DraftName::parse(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view rest = name.substr(kPrefix.size());
  const std::size_t first = rest.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = rest.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto file = parse_number(rest.substr(0, first));
  const auto owner = parse_number(rest.substr(first + 1, second - first - 1));
  const auto number = parse_number(rest.substr(second + 1));
  if (!file || !owner || !number) return std::nullopt;
  const DraftName parsed{.file = InodeId(*file), .owner = *owner, .number = *number};
  if (parsed.str() != name) return std::nullopt;  // leading zeros: not of our making
  return parsed;
}

}  // namespace geogrid
