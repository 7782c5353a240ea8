#include "replication/walk_checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

namespace geogrid {
namespace {

// The words of a text that begins with `tag`; the last of `count` words is the rest of the text.
std::optional<std::vector<std::string_view>> words_of(std::string_view text, std::string_view tag,
                                                      std::size_t count) {
  std::vector<std::string_view> words;
  while (words.size() < count) {
    const std::size_t end = words.size() + 1 == count ? text.size() : text.find(' ');
    if (end == text.npos || text.empty()) return std::nullopt;
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  if (words.front() != tag) return std::nullopt;
  return words;
}

template <typename Int>
bool read_number(std::string_view text, Int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string WalkCheckpoint::text() const {
  return fmt::format("1 {} {} {} {} {} {}", started.seconds, withdrawn, files, bytes, whole ? 1 : 0,
                     position.str());
}

std::optional<WalkCheckpoint> WalkCheckpoint::parse(std::string_view text) {
  const auto words = words_of(text, "1", 7);
  if (!words) return std::nullopt;
  WalkCheckpoint checkpoint;
  int whole = 0;
  if (!read_number((*words)[1], checkpoint.started.seconds) ||
      !read_number((*words)[2], checkpoint.withdrawn) || !read_number((*words)[3], checkpoint.files) ||
      !read_number((*words)[4], checkpoint.bytes) || !read_number((*words)[5], whole))
    return std::nullopt;
  auto position = Path::parse((*words)[6]);
  if (!position) return std::nullopt;
  checkpoint.whole = whole != 0;
  checkpoint.position = std::move(*position);
  return checkpoint;
}

std::string WalkTotals::text() const {
  return fmt::format("1 {} {} {}", files, bytes, finished.seconds);
}

std::optional<WalkTotals> WalkTotals::parse(std::string_view text) {
  const auto words = words_of(text, "1", 4);
  WalkTotals totals;
  if (!words || !read_number((*words)[1], totals.files) || !read_number((*words)[2], totals.bytes) ||
      !read_number((*words)[3], totals.finished.seconds))
    return std::nullopt;
  return totals;
}

std::optional<double> walk_fraction(std::uint64_t files, std::uint64_t bytes,
                                    const std::optional<WalkTotals>& last, std::uint64_t bytes_used) {
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
  };
  if (last && last->files > 0) return share(files, last->files);
  if (bytes_used > 0) return share(bytes, bytes_used);
  return std::nullopt;
}

}  // namespace geogrid
