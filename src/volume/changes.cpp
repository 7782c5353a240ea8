#include "volume/changes.hpp"

#include <fcntl.h>

#include <cerrno>

#include "os/clock.hpp"
#include "volume/aside.hpp"
#include "volume/marker.hpp"
#include "volume/naming.hpp"

namespace geogrid {
namespace {

constexpr int kMaxTries = 16;

// The folder that holds `path`, which is there: nothing is made.
result<UniqueFd> open_parent(LocalDisk& disk, int root, const Path& path) {
  return disk.env().open(root, path.parent().relative(), O_RDONLY | O_DIRECTORY);
}

result<void> give_to(Env& env, int folder, const std::string& name, const Attributes& attributes) {
  GG_TRY(const struct stat now, env.status_at(folder, name));
  if (now.st_uid == attributes.uid && now.st_gid == attributes.gid) return {};
  auto given = env.set_owner_at(folder, name, attributes.uid, attributes.gid);
  if (!given && !given.error().is(std::errc::operation_not_permitted)) return given;
  return {};
}

result<void> set_up_folder(Env& env, int temporary, const std::string& name, const Attributes& attributes) {
  GG_TRY(const UniqueFd folder, env.open(temporary, name, O_RDONLY | O_DIRECTORY));
  GG_CHECK(give_to(env, temporary, name, attributes));
  // A folder whose owner may not write cannot be moved by its owner.
  GG_CHECK(env.set_mode(folder.get(), (attributes.mode & 01777U) | 0200U));
  GG_CHECK(env.set_mtime(folder.get(), attributes.mtime));
  return env.sync(folder.get());
}

// The folder appears with all its attributes: a crash can not leave one that nobody but root may read.
result<void> make_whole_folder(LocalDisk& disk, int root, int parent, const std::string& name,
                               const Attributes& attributes) {
  Env& env = disk.env();
  GG_TRY(const UniqueFd temporary, disk.open_or_make_folder(root, kTemporaryFolder));
  const std::string temporary_name = system_random().uuid();
  GG_CHECK(env.make_folder(temporary.get(), temporary_name, 0700));
  auto made = set_up_folder(env, temporary.get(), temporary_name, attributes);
  if (made) made = env.rename(temporary.get(), temporary_name, parent, name, IfTaken::fail);
  if (!made) {
    (void)env.remove_folder(temporary.get(), temporary_name);  // the first error is the one to tell
    return made;
  }
  if ((attributes.mode & 0200U) != 0) return {};
  GG_TRY(const UniqueFd folder, env.open(parent, name, O_RDONLY | O_DIRECTORY));
  return env.set_mode(folder.get(), attributes.mode & 01777U);
}

bool is_the_one(const struct stat& found, const DiskEntry& wanted) {
  return S_ISREG(found.st_mode) && found.st_ino == wanted.disk_inode && found.st_dev == wanted.disk_device;
}

}  // namespace

result<void> check_changeable(const Path& path) {
  if (path.is_root()) return fail(errc::invalid_argument, "the root of a volume stays as it is");
  if (path.is_reserved()) return fail(errc::invalid_argument, "{} is geogridd's own", kReservedName);
  return {};
}

result<std::string> put_aside_at(LocalDisk& disk, int root, const Path& path, AsideReason reason,
                                 Timestamp when) {
  GG_CHECK(check_changeable(path));
  GG_TRY(const UniqueFd from, open_parent(disk, root, path));
  const std::string name(path.filename());
  GG_TRY(
      const std::string place,
      move_aside(disk, root,
                 {.from = from.get(), .name = name, .aside = folder_of(reason), .path = path, .when = when}));
  // The new name first: a power loss in between leaves the file with two names, not with none.
  GG_CHECK(disk.sync_folder(root, parent_of(place)));
  GG_CHECK(disk.env().sync(from.get()));
  return place;
}

result<void> take_back_at(LocalDisk& disk, int root, const Path& path, const DiskEntry& published) {
  GG_CHECK(check_changeable(path));
  Env& env = disk.env();
  GG_TRY(const UniqueFd folder, open_parent(disk, root, path));
  GG_TRY(const UniqueFd temporary, disk.open_or_make_folder(root, kTemporaryFolder));
  const std::string name(path.filename());
  GG_TRY(const struct stat found, env.status_at(folder.get(), name));
  if (!is_the_one(found, published)) return fail(errc::stale, "another file lies there by now: left alone");
  // Somebody can put another file there now. So it is looked at once more where nobody else reaches it.
  const std::string taken = system_random().uuid();
  GG_CHECK(env.rename(folder.get(), name, temporary.get(), taken, IfTaken::fail));
  GG_TRY(const struct stat moved, env.status_at(temporary.get(), taken));
  if (!is_the_one(moved, published)) {
    GG_CHECK(env.rename(temporary.get(), taken, folder.get(), name, IfTaken::fail));
    return fail(errc::stale, "another file lies there by now: left alone");
  }
  GG_CHECK(env.remove_file(temporary.get(), taken));
  return env.sync(folder.get());
}

result<void> make_folder_at(LocalDisk& disk, int root, const Path& path, const Attributes& attributes) {
  GG_CHECK(check_changeable(path));
  Env& env = disk.env();
  GG_TRY(const UniqueFd parent, disk.open_or_make_folder(root, path.parent().relative()));
  const std::string name(path.filename());
  auto found = env.status_at(parent.get(), name);
  auto made = found ? result<void>(system_error(EEXIST, "mkdir")) : result<void>();
  for (int i = 0; !found && i < kMaxTries; ++i) {
    made = make_whole_folder(disk, root, parent.get(), name, attributes);
    // Another process that cleans up may take an empty folder away before it has its name.
    if (made || !made.error().is(std::errc::no_such_file_or_directory)) break;
  }
  if (!made && made.error().is(std::errc::file_exists)) {
    GG_TRY(const struct stat there, env.status_at(parent.get(), name));
    if (!S_ISDIR(there.st_mode)) return fail(errc::already_exists, "something that is no folder lies there");
  } else if (!made) {
    return made;
  }
  // Also of one that was there: another thread may have made it a moment ago.
  GG_CHECK(disk.sync_way_to(root, path.parent().relative()));
  return env.sync(parent.get());
}

result<void> make_symlink_at(LocalDisk& disk, int root, const Path& path, const std::string& target,
                             const Attributes& attributes) {
  GG_CHECK(check_changeable(path));
  if (target.empty() || target.find('\0') != std::string::npos)
    return fail(errc::invalid_argument, "a symlink needs a target without NUL");
  Env& env = disk.env();
  GG_TRY(const UniqueFd parent, disk.open_or_make_folder(root, path.parent().relative()));
  const std::string name(path.filename());
  auto made = env.make_symlink(parent.get(), name, target);
  if (!made && !made.error().is(std::errc::file_exists)) return made;
  if (!made) {
    GG_TRY(const struct stat found, env.status_at(parent.get(), name));
    const auto there = S_ISLNK(found.st_mode) ? env.read_link(parent.get(), name) : result<std::string>("");
    if (there && *there == target) return {};
    return fail(errc::already_exists, "something else lies there");
  }
  GG_CHECK(give_to(env, parent.get(), name, attributes));
  GG_CHECK(env.set_mtime_at(parent.get(), name, attributes.mtime));
  GG_CHECK(disk.sync_way_to(root, path.parent().relative()));
  return env.sync(parent.get());
}

result<void> set_mtime_at(LocalDisk& disk, int root, const Path& path, Timestamp mtime) {
  GG_CHECK(check_changeable(path));
  GG_TRY(const UniqueFd parent, open_parent(disk, root, path));
  return disk.env().set_mtime_at(parent.get(), std::string(path.filename()), mtime);
}

result<void> set_attributes_at(LocalDisk& disk, int root, const Path& path, const Attributes& attributes) {
  if (path.is_root()) return {};  // the operator's own
  GG_CHECK(check_changeable(path));
  GG_TRY(const UniqueFd parent, open_parent(disk, root, path));
  return give_attributes_at(disk.env(), {parent.get(), std::string(path.filename())}, attributes);
}

result<UniqueFd> take_lock_at(LocalDisk& disk, int root, const std::string& name) {
  GG_CHECK(check_name(name));
  Env& env = disk.env();
  GG_TRY(const UniqueFd folder, disk.open_or_make_folder(root, kLocksFolder));
  GG_TRY(const struct stat above, env.status(folder.get()));
  GG_TRY(UniqueFd file, env.open(folder.get(), name, O_RDWR | O_CREAT | O_NONBLOCK, 0600));
  GG_TRY(const struct stat own, env.status(file.get()));
  if (!S_ISREG(own.st_mode)) return fail(errc::corrupt, "the lock is not an ordinary file");
  // Where root made it: for a daemon that runs as the tree's owner.
  if (own.st_uid != above.st_uid || own.st_gid != above.st_gid)
    (void)env.set_owner(file.get(), above.st_uid, above.st_gid);
  GG_TRY(const bool locked, env.try_lock(file.get()));
  if (!locked) return fail(errc::busy, "another process holds the lock '{}'", printable(name));
  return file;
}

}  // namespace geogrid
