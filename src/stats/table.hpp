#pragma once
// Aligned tables and colours for a terminal.

#include <string>
#include <string_view>
#include <vector>

namespace geogrid {

/// What a colour means, here as on the pages.
enum class Tone { plain, good, warning, bad, faint };

/// How output is dressed: colours only where a person looks at it.
struct Style {
  bool colour = false;
};
std::string toned(std::string_view text, Tone tone, Style style);

enum class Align { left, right };

/// A table with a line of headings. Cells are text that is safe to print (printable()); widths count
/// characters, not bytes.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  struct Cell {
    std::string text;
    Tone tone = Tone::plain;
    Cell(std::string t, Tone n = Tone::plain)
        : text(std::move(t)), tone(n) {}  // NOLINT: rows are written as lists
    Cell(const char* t) : text(t) {}      // NOLINT
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// REQUIRES: as many cells as columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  /// Lines that end in a newline, each indented by `indent` spaces, without trailing blanks.
  std::string render(Style style, std::size_t indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace geogrid
