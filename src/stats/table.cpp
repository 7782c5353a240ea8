#include "stats/table.hpp"

#include <algorithm>

namespace geogrid {
namespace {

/// Characters, as far as a terminal gives each one column: UTF-8 continuation bytes do not count.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::good:
      return "\033[32m";
    case Tone::warning:
      return "\033[33m";
    case Tone::bad:
      return "\033[1;31m";
    case Tone::faint:
      return "\033[2m";
  }
  return "";
}

}  // namespace

std::string toned(std::string_view text, Tone tone, Style style) {
  if (!style.colour || tone == Tone::plain) return std::string(text);
  return std::string(code_of(tone)) + std::string(text) + "\033[0m";
}

std::string Table::render(Style style, std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = width_of(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, width_of(row[i].text));
    widths.push_back(widest);
  }
  std::string out;
  const auto line = [&](auto&& cell_at) {
    std::string text(indent, ' ');
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_at(i);
      const std::string padding(widths[i] - width_of(cell.text), ' ');
      const bool last = i + 1 == columns_.size();
      if (columns_[i].align == Align::right) text += padding;
      text += toned(cell.text, cell.tone, style);
      if (columns_[i].align == Align::left && !last) text += padding;
      if (!last) text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line([&](std::size_t i) { return Cell(columns_[i].title, Tone::faint); });
  for (const auto& row : rows_) line([&](std::size_t i) { return row[i]; });
  return out;
}

}  // namespace geogrid
