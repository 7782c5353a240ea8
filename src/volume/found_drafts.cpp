#include "volume/found_drafts.hpp"

#include <fcntl.h>

#include <algorithm>

#include "os/clock.hpp"
#include "volume/aside.hpp"
#include "volume/changes.hpp"
#include "volume/marker.hpp"
#include "volume/naming.hpp"
#include "volume/temporary.hpp"

namespace geogrid {
namespace {

using std::chrono::seconds;

// An empty draft this young may be one whose maker is about to hold it.
constexpr seconds kBeingMade{5};

// What a change would be dated now: on a network mount, by its server's clock.
result<Timestamp> time_of_volume(LocalDisk& disk, int root, int temporary) {
  auto made = make_temporary(disk, root);
  if (!made) return system_clock().wall();  // a disk that is full or read-only
  const auto status = disk.env().status(made->file.get());
  (void)disk.env().remove_file(temporary, made->name);  // else it is cleaned up one day
  if (!status) return status.error();
  return Timestamp::from(status->st_ctim);
}

result<bool> is_in_use(Env& env, int temporary, const FolderEntry& entry, seconds age) {
  if (!S_ISREG(entry.status.st_mode)) return false;  // something that a draft displaced
  if (entry.status.st_size == 0 && age < kBeingMade) return true;
  const auto file = env.open(temporary, entry.name, O_RDONLY | O_NONBLOCK);
  if (!file && file.error().is(std::errc::permission_denied)) return false;  // no draft of this process' user
  if (!file) return file.error();
  GG_TRY(const bool held, env.is_held(file->get()));
  if (held) return true;
  // It may have been let go because it has just been placed or removed: then its name is gone from here.
  GG_TRY(const struct stat still, env.status_at(temporary, entry.name));
  (void)still;
  return false;
}

}  // namespace

result<std::vector<DraftFound>> find_drafts(LocalDisk& disk, int root) {
  Env& env = disk.env();
  const auto temporary = env.open(root, kTemporaryFolder, O_RDONLY | O_DIRECTORY);
  if (!temporary && is_missing(temporary.error())) return std::vector<DraftFound>();
  if (!temporary) return temporary.error();
  GG_TRY(auto entries, env.list(temporary->get()));
  std::erase_if(entries, [](const FolderEntry& entry) { return !DraftName::parse(entry.name); });
  std::vector<DraftFound> found;
  if (entries.empty()) return found;
  GG_TRY(const Timestamp now, time_of_volume(disk, root, temporary->get()));
  for (const FolderEntry& entry : entries) {
    DraftFound draft{.name = *DraftName::parse(entry.name),
                     .size = static_cast<std::uint64_t>(entry.status.st_size)};
    draft.age = std::max(seconds(0), seconds(now.seconds - entry.status.st_ctim.tv_sec));
    const auto in_use = is_in_use(env, temporary->get(), entry, draft.age);
    if (!in_use && is_missing(in_use.error())) continue;  // placed or removed meanwhile
    if (!in_use) return in_use.error();
    draft.in_use = *in_use;
    found.push_back(draft);
  }
  return found;
}

result<std::string> salvage_draft(LocalDisk& disk, int root, const DraftName& name, const Path& path,
                                  Timestamp when) {
  GG_CHECK(check_changeable(path));
  GG_TRY(const UniqueFd temporary, disk.env().open(root, kTemporaryFolder, O_RDONLY | O_DIRECTORY));
  GG_TRY(
      const std::string place,
      move_aside(
          disk, root,
          {.from = temporary.get(), .name = name.str(), .aside = kLostFolder, .path = path, .when = when}));
  GG_CHECK(disk.sync_folder(root, parent_of(place)));
  GG_CHECK(disk.env().sync(temporary.get()));
  return place;
}

result<void> exchange_draft_at(LocalDisk& disk, int root, const DraftName& name, const Path& path) {
  GG_CHECK(check_changeable(path));
  Env& env = disk.env();
  GG_TRY(const UniqueFd temporary, env.open(root, kTemporaryFolder, O_RDONLY | O_DIRECTORY));
  const NameIn draft{temporary.get(), name.str()};
  GG_TRY(const struct stat draft_status, env.status_at(draft.folder, draft.name));
  (void)draft_status;  // nothing is made for what is not there
  GG_TRY(const UniqueFd folder, disk.open_or_make_folder(root, path.parent().relative()));
  GG_CHECK(disk.sync_way_to(root, path.parent().relative()));
  const NameIn place{folder.get(), std::string(path.filename())};
  const auto there = env.status_at(place.folder, place.name);
  if (!there && !is_missing(there.error())) return there.error();
  if (there && S_ISDIR(there->st_mode)) return fail(errc::is_a_folder, "a folder lies there");
  DraftName spare = name;
  spare.number |= std::uint64_t{1} << 63U;
  GG_CHECK(there ? exchange_names(env, draft, place, {temporary.get(), spare.str()})
                 : env.rename(draft.folder, draft.name, place.folder, place.name, IfTaken::fail));
  GG_CHECK(env.sync(folder.get()));
  return env.sync(temporary.get());
}

Path path_of_draft(const DraftName& name) {
  return Path::parse(fmt::format("{}/{}", kTemporaryFolder, name.str())).value();
}

}  // namespace geogrid
