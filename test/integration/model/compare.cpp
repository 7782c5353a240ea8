#include "compare.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "generator.hpp"

namespace geogrid::test {
namespace {

// Times before this one were set by an operation: no clock says so any more.
constexpr std::int64_t kLongAgo = 1'577'836'800'000'000'000;  // 2020
constexpr std::int64_t kSlack = 5'000'000'000;

bool about(std::int64_t expected, std::int64_t real) {
  return std::llabs(expected - real) <= kSlack;
}

std::optional<std::string> seen_difference(const Seen& expected, const Seen& real, bool any_amount) {
  bool same = expected.mode == real.mode && expected.uid == real.uid && expected.gid == real.gid &&
              expected.nlink == real.nlink;
  if (!any_amount) {
    same = same && expected.size == real.size && about(expected.ctime, real.ctime);
    same = same &&
           (expected.mtime < kLongAgo ? expected.mtime == real.mtime : about(expected.mtime, real.mtime));
  }
  if (same) return std::nullopt;
  return fmt::format("expected {}\n  is       {}", expected.str(), real.str());
}

std::string text_of_error(int error) {
  return error == 0 ? "success" : ::strerror(error);
}

std::optional<std::string> bytes_difference(const std::string& expected, const std::string& real) {
  if (expected == real) return std::nullopt;
  std::size_t at = 0;
  while (at < std::min(expected.size(), real.size()) && expected[at] == real[at]) ++at;
  std::size_t end = at;
  while (end < std::min(expected.size(), real.size()) && expected[end] != real[end]) ++end;
  return fmt::format("expected {} bytes, are {}; they differ from byte {} to {}{}", expected.size(),
                     real.size(), at, end,
                     real.find_first_not_of('\0', at) >= end ? ", which are zeroes" : "");
}

std::optional<std::string> names_difference(const std::vector<std::string>& expected,
                                            const std::vector<std::string>& real) {
  if (expected == real) return std::nullopt;
  std::string text = "expected";
  for (const std::string& name : expected) text += " " + name.substr(0, 20);
  text += "\n  is      ";
  for (const std::string& name : real) text += " " + name.substr(0, 20);
  return text;
}

/// Names that are not there may be remembered wrongly as well.
std::optional<std::string> ghost(const Model& model, const Hand& mount, const std::string& folder) {
  for (const std::string& name : kNames) {
    const std::string path = folder.empty() ? name : folder + "/" + name;
    if (!model.hand().look(path) && mount.look(path))
      return fmt::format("{}: is there, though nothing lists it", path.substr(0, 60));
  }
  return std::nullopt;
}

std::string shown(const ModelEntry& entry) {
  Operation op;
  op.a = entry.path;
  return op.str();
}

}  // namespace

std::optional<std::string> difference(const Expected& expected, const Outcome& real) {
  const Outcome& wanted = expected.outcome;
  if (wanted.error != real.error)
    return fmt::format("expected {}, is {}", text_of_error(wanted.error), text_of_error(real.error));
  if (wanted.error != 0 || expected.any_data) return std::nullopt;
  if (wanted.value != real.value)
    return fmt::format("expected the value {}, is {}", wanted.value, real.value);
  if (auto bytes = bytes_difference(wanted.bytes, real.bytes)) return bytes;
  if (auto names = names_difference(wanted.names, real.names)) return names;
  if (wanted.seen.has_value() != real.seen.has_value()) return "attributes came from one side only";
  return wanted.seen ? seen_difference(*wanted.seen, *real.seen, expected.any_amount) : std::nullopt;
}

std::optional<std::string> tree_difference(const Model& model, const Hand& mount, const Hand& other,
                                           int number) {
  const auto check = [&](const std::string& folder) -> std::optional<std::string> {
    if (auto names = names_difference(model.hand().list(folder).names, mount.list(folder).names))
      return "names in '" + folder.substr(0, 60) + "': " + *names;
    return ghost(model, mount, folder);
  };
  if (auto top = check("")) return top;
  for (const ModelEntry& entry : model.tree()) {
    const auto real = mount.look(entry.path);
    if (!real) return shown(entry) + ": is not there";
    const bool elsewhere = entry.writer == 1 - number;
    if (auto differs = seen_difference(entry.seen, *real, elsewhere)) return shown(entry) + ": " + *differs;
    const auto twin = other.look(entry.path);
    const bool alike = twin && (entry.writer < 0 ? *twin == *real : twin->inode == real->inode);
    if (!alike)
      return fmt::format("{}: the mounts disagree: {}\n  the other: {}", shown(entry), real->str(),
                         twin ? twin->str() : "not there");
    if (entry.seen.is_folder())
      if (auto inside = check(entry.path)) return inside;
  }
  return std::nullopt;
}

std::optional<std::string> content_difference(const Model& model, const Hand& mount, int number) {
  for (const ModelEntry& entry : model.tree()) {
    if (entry.link) {
      Operation read;
      read.kind = OpKind::readlink;
      read.a = entry.path;
      const Outcome text = Hand(mount.root()).perform(read);
      if (text.error != 0 || text.bytes != *entry.link) return shown(entry) + ": another text in the symlink";
    }
    if (!entry.seen.is_file()) continue;
    const bool elsewhere = entry.writer == 1 - number;
    if (elsewhere && !entry.published) continue;
    const Outcome wanted =
        elsewhere ? Outcome{0, 0, *entry.published, {}, {}} : model.hand().read_whole(entry.path);
    const Outcome real = mount.read_whole(entry.path);
    if (real.error != 0)
      return fmt::format("{}: cannot be read: {}", shown(entry), text_of_error(real.error));
    if (auto differs = bytes_difference(wanted.bytes, real.bytes)) return shown(entry) + ": " + *differs;
  }
  return std::nullopt;
}

}  // namespace geogrid::test
