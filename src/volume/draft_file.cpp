#include "volume/draft_file.hpp"

#include <fcntl.h>

#include "os/clock.hpp"
#include "volume/aside.hpp"
#include "volume/changes.hpp"
#include "volume/copying.hpp"
#include "volume/marker.hpp"
#include "volume/naming.hpp"

namespace geogrid {
namespace {

constexpr int kMaxTries = 16;

bool is_taken(const Error& error) {
  return error.is(std::errc::file_exists);
}

result<UniqueFd> open_temporary(LocalDisk& disk, int root) {
  return disk.env().open(root, kTemporaryFolder, O_RDONLY | O_DIRECTORY);
}

// Where a draft waits while another file takes its name, on filesystems that cannot exchange: a draft too,
// for whoever finds it after a crash.
NameIn spare_of(int temporary, DraftName name) {
  name.number |= std::uint64_t{1} << 63U;
  return {.folder = temporary, .name = name.str()};
}

bool is_at(Env& env, const NameIn& place, dev_t device, ino_t inode) {
  const auto found = env.status_at(place.folder, place.name);
  return found && found->st_dev == device && found->st_ino == inode;
}

bool is_unchanged(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

result<void> copy_base(Env& env, int root, const DraftRequest& request, int to) {
  struct stat before {};
  auto base = open_file(env, root, *request.base, before);
  if (!base && (base.error().is(errc::is_a_folder) || base.error().is(errc::not_supported) ||
                base.error().is(std::errc::too_many_symbolic_link_levels)))
    return fail(errc::stale, "something else lies there by now ({})", base.error().message);
  if (!base) return base.error();
  if (static_cast<std::uint64_t>(before.st_size) != request.base_size)
    return fail(errc::stale, "it has {} bytes, not {}", before.st_size, request.base_size);
  GG_CHECK(copy_bytes(env, base->get(), to, request.base_size));
  GG_TRY(const struct stat after, env.status(base->get()));
  if (!is_unchanged(before, after)) return fail(errc::stale, "changed while it was copied");
  return {};
}

// True if something lay at the path, which has the draft's name now.
result<bool> take_path(Env& env, const NameIn& draft, const NameIn& path, const NameIn& spare,
                       bool likely_taken) {
  bool try_free = !likely_taken;
  for (int i = 0; i < kMaxTries; ++i) {
    if (try_free) {
      auto named = env.rename(draft.folder, draft.name, path.folder, path.name, IfTaken::fail);
      if (named) return false;
      if (is_missing(named.error()) && !env.status_at(draft.folder, draft.name))
        return fail(errc::stale, "the draft {} was taken away: its owner was thought to be dead", draft.name);
      if (!is_taken(named.error())) return named.error();
    }
    try_free = true;
    const auto there = env.status_at(path.folder, path.name);
    if (!there && is_missing(there.error())) continue;
    if (!there) return there.error();
    if (S_ISDIR(there->st_mode)) return fail(errc::is_a_folder, "a folder lies there");
    auto exchanged = exchange_names(env, draft, path, spare);
    if (!exchanged && is_missing(exchanged.error())) continue;
    if (!exchanged) return exchanged.error();
    GG_TRY(const struct stat displaced, env.status_at(draft.folder, draft.name));
    if (!S_ISDIR(displaced.st_mode)) return true;
    GG_CHECK(exchange_names(env, draft, path, spare));  // made there a moment ago
    return fail(errc::is_a_folder, "a folder lies there");
  }
  return fail(errc::busy, "what lies there keeps changing");
}

}  // namespace

result<std::shared_ptr<DraftFile>> make_draft(LocalDisk& disk, int root, const DraftName& name) {
  Env& env = disk.env();
  GG_TRY(const UniqueFd temporary, disk.open_or_make_folder(root, kTemporaryFolder));
  GG_TRY(UniqueFd file, env.open(temporary.get(), name.str(), O_RDWR | O_CREAT | O_EXCL, 0600));
  GG_TRY(const bool held, env.hold(file.get()));
  if (!held) return fail(errc::busy, "another process holds the draft {}", name.str());
  return std::make_shared<DraftFile>(name, std::move(file));
}

result<std::shared_ptr<DraftFile>> make_draft_from(LocalDisk& disk, int root, const DraftRequest& request) {
  GG_TRY(auto draft, make_draft(disk, root, request.name));
  auto copied = copy_base(disk.env(), root, request, draft->file.get());
  if (copied) return draft;
  remove_draft(disk, root, *draft);
  return copied.error();
}

void remove_draft(LocalDisk& disk, int root, DraftFile& draft) {
  const std::scoped_lock lock(draft.naming);
  const auto temporary = open_temporary(disk, root);
  const auto own = disk.env().status(draft.file.get());
  const std::string name = draft.name.str();
  // Anything else that has its name was displaced by it, and is not ours to remove.
  if (temporary && own && is_at(disk.env(), {temporary->get(), name}, own->st_dev, own->st_ino))
    (void)disk.env().remove_file(temporary->get(), name);  // else it is salvaged one day
}

result<PlacedDraft> place_draft(LocalDisk& disk, int root, DraftFile& draft, const DraftPlace& where) {
  GG_CHECK(check_changeable(where.path));
  Env& env = disk.env();
  const Path parent = where.path.parent();
  GG_TRY(const UniqueFd temporary, open_temporary(disk, root));
  GG_TRY(const UniqueFd folder, disk.open_or_make_folder(root, parent.relative()));
  GG_TRY(const struct stat own, give_attributes(env, draft.file.get(), where.attributes));
  if (where.power_safe) {
    GG_CHECK(env.sync(draft.file.get()));
    GG_CHECK(disk.sync_way_to(root, parent.relative()));
  }

  PlacedDraft placed{.path = where.path,
                     .replaces = where.replaces,
                     .power_safe = where.power_safe,
                     .displaced = false,
                     .device = own.st_dev,
                     .inode = own.st_ino};
  {
    const std::scoped_lock lock(draft.naming);
    GG_TRY(placed.displaced, take_path(env, {temporary.get(), draft.name.str()},
                                       {folder.get(), std::string(where.path.filename())},
                                       spare_of(temporary.get(), draft.name), where.replaces));
  }
  if (!where.power_safe) return placed;
  const auto make_safe = [&]() -> result<void> {
    // What was displaced first: it is the version that counts until this one is recorded.
    if (placed.displaced) GG_CHECK(env.sync(temporary.get()));
    return env.sync(folder.get());
  };
  if (auto safe = make_safe(); !safe) {
    const auto back = take_back_draft(disk, root, draft, placed);  // the first error is the one to tell
    if (back && *back) remove_draft(disk, root, **back);           // this draft has lost its name
    return safe.error();
  }
  return placed;
}

namespace {

struct Whereabouts {
  UniqueFd folder;  // none: it has no name any more
  std::string name;
};

// At its path; or wherever a rename of a folder, or the removal of what was thought to lie there, has taken
// it.
result<Whereabouts> whereabouts(Env& env, int root, const DraftFile& draft, const PlacedDraft& placed) {
  const auto open_parent = [&](std::string_view path) -> result<Whereabouts> {
    auto folder = env.open(root, parent_of(path), O_RDONLY | O_DIRECTORY);
    if (!folder && is_no_such_path(folder.error())) return Whereabouts();
    if (!folder) return folder.error();
    return Whereabouts{std::move(*folder), std::string(filename_of(path))};
  };
  GG_TRY(Whereabouts at_path, open_parent(placed.path.relative()));
  if (at_path.folder && is_at(env, {at_path.folder.get(), at_path.name}, placed.device, placed.inode))
    return at_path;
  const auto now = env.path_of(draft.file.get());
  const auto top = env.path_of(root);
  if (!now || !top || !std::string_view(*now).starts_with(*top + "/")) return at_path;
  return open_parent(std::string_view(*now).substr(top->size() + 1));
}

}  // namespace

result<std::shared_ptr<DraftFile>> take_back_draft(LocalDisk& disk, int root, DraftFile& draft,
                                                   const PlacedDraft& placed) {
  Env& env = disk.env();
  GG_TRY(const UniqueFd temporary, open_temporary(disk, root));
  const NameIn name{temporary.get(), draft.name.str()};
  {
    const std::scoped_lock lock(draft.naming);
    GG_TRY(const Whereabouts place, whereabouts(env, root, draft, placed));
    const NameIn path{place.folder.get(), place.name};
    if (place.folder && is_at(env, path, placed.device, placed.inode)) {
      const bool exchange = placed.displaced && env.status_at(name.folder, name.name);
      const auto move = [&](const NameIn& from, const NameIn& to) {
        return exchange ? exchange_names(env, from, to, spare_of(temporary.get(), draft.name))
                        : env.rename(from.folder, from.name, to.folder, to.name, IfTaken::fail);
      };
      auto moved = move(path, name);
      if (moved && is_at(env, name, placed.device, placed.inode)) return std::shared_ptr<DraftFile>();
      // Somebody put another file there in between.
      if (moved) GG_CHECK(move(name, path));
      if (!moved && !is_missing(moved.error())) return moved.error();
    }
  }
  GG_CHECK(put_displaced_aside(disk, root, draft, placed, system_clock().wall()));
  GG_TRY(auto copy, make_draft(disk, root, draft.name));
  GG_TRY(const struct stat own, env.status(draft.file.get()));
  auto copied = copy_bytes(env, draft.file.get(), copy->file.get(), static_cast<std::uint64_t>(own.st_size));
  if (copied) return copy;
  remove_draft(disk, root, *copy);
  return copied.error();
}

result<void> put_displaced_aside(LocalDisk& disk, int root, DraftFile& draft, const PlacedDraft& placed,
                                 Timestamp when) {
  if (!placed.displaced) return {};
  Env& env = disk.env();
  const std::scoped_lock lock(draft.naming);
  GG_TRY(const UniqueFd temporary, open_temporary(disk, root));
  const std::string name = draft.name.str();
  const auto there = env.status_at(temporary.get(), name);
  if (!there && is_missing(there.error())) return {};  // salvaged, or put aside before
  if (!there) return there.error();
  const bool older_version = placed.replaces && S_ISREG(there->st_mode);
  GG_TRY(const std::string place, move_aside(disk, root,
                                             {.from = temporary.get(),
                                              .name = name,
                                              .aside = older_version ? kTrashFolder : kConflictsFolder,
                                              .path = placed.path,
                                              .when = when,
                                              .safe_way = !older_version || placed.power_safe}));
  (void)place;
  return {};
}

}  // namespace geogrid
