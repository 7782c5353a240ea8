#include "volume/carrying_out.hpp"

#include <fcntl.h>

#include "volume/aside.hpp"
#include "volume/changes.hpp"
#include "volume/exchange.hpp"
#include "volume/marker.hpp"
#include "volume/naming.hpp"

namespace geogrid {
namespace {

constexpr int kMaxTries = 16;

// One change on the attached volume. Each step leaves the disk so that carrying it out again ends the same.
class Carrier {
 public:
  Carrier(LocalDisk& disk, int root, const DiskChange& change) : disk_(disk), root_(root), change_(change) {}

  result<DiskChanged> carry_out();

 private:
  Env& env() const { return disk_.env(); }
  result<DiskChanged> nothing() const;
  DiskChanged changed(std::string_view from, std::string_view to) const {
    return {.changed = true, .kind = change_.kind, .from = std::string(from), .to = std::string(to)};
  }
  result<DiskChanged> remove();
  result<DiskChanged> remove_folder();
  result<DiskChanged> rename();
  result<DiskChanged> make_symlink();
  result<DiskChanged> exchange();
  result<UniqueFd> open_way_to(const Path& folder);
  result<UniqueFd> open_safe_way_to(const Path& folder);
  result<void> clear_place(const NameIn& place, const Path& path, bool for_folder);
  result<void> put_aside(const NameIn& place, const Path& path);

  LocalDisk& disk_;
  const int root_;
  const DiskChange& change_;
};

result<DiskChanged> Carrier::nothing() const {
  GG_CHECK(disk_.prove_absence(root_));
  return DiskChanged{.changed = false, .kind = change_.kind, .from = {}, .to = {}};
}

result<void> Carrier::put_aside(const NameIn& place, const Path& path) {
  const auto moved = move_aside(disk_, root_,
                                {.from = place.folder,
                                 .name = place.name,
                                 .aside = kConflictsFolder,
                                 .path = path,
                                 .when = change_.when});
  if (!moved && is_missing(moved.error())) return {};
  if (!moved) return moved.error();
  // Nobody is told where it went, so nobody else can: before the name that it left is made power-safe.
  return disk_.sync_folder(root_, parent_of(*moved));
}

// Opens the folder, making what is missing. Foreign things where it needs folders are put aside.
result<UniqueFd> Carrier::open_way_to(const Path& folder) {
  auto opened = disk_.open_or_make_folder(root_, folder.relative());
  if (opened || is_missing(opened.error()) || !is_no_such_path(opened.error())) return opened;
  GG_TRY(UniqueFd at, env().open(root_, "", O_RDONLY | O_DIRECTORY));
  Path so_far;
  for (const std::string_view name : folder.components()) {
    so_far = so_far.child(name);
    auto next = env().open(at.get(), name, O_RDONLY | O_DIRECTORY);
    if (!next && is_missing(next.error())) break;
    if (!next && is_no_such_path(next.error())) {
      GG_CHECK(put_aside({at.get(), std::string(name)}, so_far));
      break;
    }
    if (!next) return next;
    at = std::move(*next);
  }
  return disk_.open_or_make_folder(root_, folder.relative());
}

// A power loss that takes a new folder takes what was moved into it.
result<UniqueFd> Carrier::open_safe_way_to(const Path& folder) {
  GG_TRY(UniqueFd opened, open_way_to(folder));
  GG_CHECK(disk_.sync_way_to(root_, folder.relative()));
  return opened;
}

// What lies at `place` goes; REQUIRES that something does.
result<void> Carrier::clear_place(const NameIn& place, const Path& path, bool for_folder) {
  if (for_folder) {
    const auto removed = env().remove_folder(place.folder, place.name);
    if (removed || is_missing(removed.error())) return {};
  }
  return put_aside(place, path);
}

result<DiskChanged> Carrier::remove() {
  const auto folder = env().open(root_, change_.path.parent().relative(), O_PATH | O_DIRECTORY);
  if (!folder && is_no_such_path(folder.error())) return nothing();
  if (!folder) return folder.error();
  const std::string name(change_.path.filename());
  const auto there = env().status_at(folder->get(), name);
  if (!there && is_missing(there.error())) return nothing();
  if (!there) return there.error();
  if (S_ISDIR(there->st_mode)) return nothing();
  GG_TRY(const std::string to, move_aside(disk_, root_,
                                          {.from = folder->get(),
                                           .name = name,
                                           .aside = kTrashFolder,
                                           .path = change_.path,
                                           .when = change_.when,
                                           .safe_way = false}));
  return changed(change_.path.relative(), to);
}

result<DiskChanged> Carrier::remove_folder() {
  const auto folder = env().open(root_, change_.path.parent().relative(), O_PATH | O_DIRECTORY);
  if (!folder && is_no_such_path(folder.error())) return nothing();
  if (!folder) return folder.error();
  const auto removed = env().remove_folder(folder->get(), std::string(change_.path.filename()));
  if (removed) return changed(change_.path.relative(), "");
  const bool stays = is_no_such_path(removed.error()) || removed.error().is(std::errc::directory_not_empty) ||
                     removed.error().is(std::errc::file_exists);
  if (stays) return nothing();
  return removed.error();
}

result<DiskChanged> Carrier::rename() {
  GG_CHECK(check_changeable(change_.new_path));
  if (change_.path == change_.new_path) return nothing();
  const auto folder = env().open(root_, change_.path.parent().relative(), O_PATH | O_DIRECTORY);
  if (!folder && is_no_such_path(folder.error())) return nothing();
  if (!folder) return folder.error();
  const NameIn from{folder->get(), std::string(change_.path.filename())};
  const auto there = env().status_at(from.folder, from.name);
  if (!there && is_missing(there.error())) return nothing();
  if (!there) return there.error();
  for (int i = 0; i < kMaxTries; ++i) {
    GG_TRY(const UniqueFd new_folder, open_safe_way_to(change_.new_path.parent()));
    const NameIn to{new_folder.get(), std::string(change_.new_path.filename())};
    auto moved = env().rename(from.folder, from.name, to.folder, to.name, IfTaken::fail);
    if (moved) return changed(change_.path.relative(), change_.new_path.relative());
    if (!moved.error().is(std::errc::file_exists)) return moved.error();
    GG_CHECK(clear_place(to, change_.new_path, S_ISDIR(there->st_mode)));
  }
  return fail(errc::busy, "what lies at {} keeps changing", printable(change_.new_path.str()));
}

result<DiskChanged> Carrier::make_symlink() {
  for (int i = 0; i < kMaxTries; ++i) {
    GG_TRY(const UniqueFd folder, open_way_to(change_.path.parent()));
    const NameIn place{folder.get(), std::string(change_.path.filename())};
    const auto made = env().make_symlink(place.folder, place.name, change_.target);
    if (made) {
      GG_CHECK(give_attributes_at(env(), place, change_.attributes));
      return changed("", change_.path.relative());
    }
    if (!made.error().is(std::errc::file_exists)) return made.error();
    const auto target = env().read_link(place.folder, place.name);
    if (target && *target == change_.target) return nothing();
    GG_CHECK(put_aside(place, change_.path));
  }
  return fail(errc::busy, "what lies there keeps changing");
}

result<DiskChanged> Carrier::exchange() {
  GG_CHECK(check_changeable(change_.new_path));
  if (change_.path == change_.new_path) return nothing();
  GG_TRY(const UniqueFd folder, open_safe_way_to(change_.path.parent()));
  GG_TRY(const UniqueFd new_folder, open_safe_way_to(change_.new_path.parent()));
  const NameIn a{folder.get(), std::string(change_.path.filename())};
  const NameIn b{new_folder.get(), std::string(change_.new_path.filename())};
  GG_TRY(const Exchanged done, exchange_once(disk_, root_, change_.id, a, b));
  const std::string at_a(change_.path.relative());
  const std::string at_b(change_.new_path.relative());
  DiskChanged outcome{
      .changed = done.changed, .kind = change_.kind, .from = at_a, .to = at_b, .note = change_.id};
  if (done.moved == Exchanged::Moved::nothing) return nothing();
  // Where only one was there, it is put back like any other.
  if (done.moved != Exchanged::Moved::both) outcome.kind = DiskChange::Kind::rename;
  if (done.moved == Exchanged::Moved::second) std::swap(outcome.from, outcome.to);
  return outcome;
}

result<DiskChanged> Carrier::carry_out() {
  GG_CHECK(check_changeable(change_.path));
  switch (change_.kind) {
    case DiskChange::Kind::remove:
      return remove();
    case DiskChange::Kind::remove_folder:
      return remove_folder();
    case DiskChange::Kind::rename:
      return rename();
    case DiskChange::Kind::exchange:
      return exchange();
    case DiskChange::Kind::make_symlink:
      return make_symlink();
  }
  return fail(errc::internal, "no such change: {}", static_cast<int>(change_.kind));
}

}  // namespace

std::vector<result<DiskChanged>> carry_out_all(LocalDisk& disk, const std::vector<DiskChange>& changes) {
  std::vector<result<DiskChanged>> answers;
  if (changes.empty()) return answers;
  const auto root = disk.attach();
  if (!root) {
    answers.emplace_back(root.error());
    return answers;
  }
  answers.reserve(changes.size());
  for (const DiskChange& change : changes) {
    auto answer = Carrier(disk, root->get(), change).carry_out();
    if (!answer) answer = disk.explain(root->get(), change.path.str(), answer.error());
    answers.push_back(std::move(answer));
    if (!answers.back()) break;
  }
  return answers;
}

result<void> undo_change(LocalDisk& disk, int root, const DiskChanged& change) {
  if (!change.changed) return {};
  Env& env = disk.env();
  using Kind = DiskChange::Kind;
  if (change.kind == Kind::remove_folder) {
    GG_TRY(const UniqueFd made, disk.open_or_make_folder(root, change.from));
    return disk.sync_folder(root, parent_of(change.from));
  }
  GG_TRY(const UniqueFd to_folder, env.open(root, parent_of(change.to), O_RDONLY | O_DIRECTORY));
  const NameIn to{to_folder.get(), std::string(filename_of(change.to))};
  if (change.kind == Kind::make_symlink) {
    GG_TRY(const struct stat there, env.status_at(to.folder, to.name));
    if (!S_ISLNK(there.st_mode)) return fail(errc::stale, "another file lies there by now: left alone");
    GG_CHECK(env.remove_file(to.folder, to.name));
    return env.sync(to.folder);
  }
  GG_TRY(const UniqueFd from_folder, disk.open_or_make_folder(root, parent_of(change.from)));
  GG_CHECK(disk.sync_way_to(root, parent_of(change.from)));
  const NameIn from{from_folder.get(), std::string(filename_of(change.from))};
  if (change.kind == Kind::exchange) {
    GG_CHECK(exchange_back(disk, root, change.note, from, to));
  } else {
    GG_CHECK(env.rename(to.folder, to.name, from.folder, from.name, IfTaken::fail));
    if (change.note != 0) forget_exchange(disk, root, change.note);
  }
  GG_CHECK(env.sync(from.folder));
  return env.sync(to.folder);
}

}  // namespace geogrid
