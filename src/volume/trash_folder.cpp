#include "volume/trash_folder.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>

#include "volume/changes.hpp"
#include "volume/marker.hpp"
#include "volume/naming.hpp"

namespace geogrid {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "2026-11-22" and "2026-11-22.1"; years before 0 and after 9999 have other lengths, and no trash.
std::optional<TrashDate> parse_date(std::string_view name) {
  constexpr std::size_t kDay = 10;
  const std::string_view day = name.substr(0, kDay);
  const bool is_day = day.size() == kDay && all_digits(day.substr(0, 4)) && day[4] == '-' &&
                      all_digits(day.substr(5, 2)) && day[7] == '-' && all_digits(day.substr(8, 2));
  if (!is_day) return std::nullopt;
  const std::string_view rest = name.substr(kDay);
  if (!rest.empty() && (rest[0] != '.' || !all_digits(rest.substr(1)))) return std::nullopt;
  return TrashDate{.name = std::string(name), .day = std::string(day)};
}

}  // namespace

result<std::vector<TrashDate>> find_trash_dates(LocalDisk& disk, int root) {
  std::vector<TrashDate> dates;
  const auto trash = disk.env().open(root, kTrashFolder, O_RDONLY | O_DIRECTORY);
  if (!trash && is_missing(trash.error())) {
    GG_CHECK(disk.prove_absence(root));
    return dates;
  }
  if (!trash) return trash.error();
  GG_TRY(const auto entries, disk.env().list_names(trash->get(), SIZE_MAX));
  for (const FolderName& entry : entries)
    if (auto date = parse_date(entry.name); date && entry.is_folder) dates.push_back(std::move(*date));
  std::sort(dates.begin(), dates.end(), [](const TrashDate& a, const TrashDate& b) {
    // DATE.2 before DATE.10
    return std::tuple(std::string_view(a.day), a.name.size(), std::string_view(a.name)) <
           std::tuple(std::string_view(b.day), b.name.size(), std::string_view(b.name));
  });
  return dates;
}

result<Path> path_in_trash(const std::string& date, const Path& path) {
  if (!parse_date(date)) return fail(errc::invalid_argument, "'{}' is no date of the trash", printable(date));
  return Path::parse(fmt::format("{}/{}{}", kTrashFolder, date, path.is_root() ? "" : path.str()));
}

result<void> restore_at(LocalDisk& disk, int root, const std::string& date, const Path& path,
                        const Path& to) {
  GG_CHECK(check_changeable(to));
  if (path.is_root()) return fail(errc::is_a_folder, "folders are restored file by file");
  Env& env = disk.env();
  GG_TRY(const Path from, path_in_trash(date, path));
  GG_TRY(const UniqueFd from_folder, env.open(root, from.parent().relative(), O_RDONLY | O_DIRECTORY));
  const std::string name(from.filename());
  GG_TRY(const struct stat there, env.status_at(from_folder.get(), name));
  if (S_ISDIR(there.st_mode)) return fail(errc::is_a_folder, "folders are restored file by file");
  GG_TRY(const UniqueFd folder, disk.open_or_make_folder(root, to.parent().relative()));
  GG_CHECK(disk.sync_way_to(root, to.parent().relative()));
  GG_CHECK(env.rename(from_folder.get(), name, folder.get(), std::string(to.filename()), IfTaken::fail));
  // The new name first: a power loss in between leaves the file with two names, not with none.
  GG_CHECK(env.sync(folder.get()));
  return env.sync(from_folder.get());
}

}  // namespace geogrid
