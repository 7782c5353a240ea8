// Removing what lies in the trash: trees of any width and depth, a bounded number of names at a time.

#include <fcntl.h>

#include <algorithm>

#include "volume/marker.hpp"
#include "volume/naming.hpp"
#include "volume/trash_folder.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kNamesAtOnce = 1024;
constexpr std::size_t kMostOpen =
    64;  // folders kept open on the way down; others are opened again by their path

class Purge {
 public:
  Purge(LocalDisk& disk, int root, Path top, std::size_t limit)
      : disk_(disk), root_(root), top_(std::move(top)), left_(limit) {}

  result<TrashPurge> run();

 private:
  // A folder on the way down.
  struct Level {
    std::string name;
    UniqueFd folder;                  // empty: to be opened again
    std::vector<std::string> inside;  // folders in it that are to be removed next
  };

  Env& env() const { return disk_.env(); }
  result<void> remove_tree();
  result<bool> step();
  result<void> empty_some(Level& level);
  result<bool> enter(std::string name);
  result<void> leave();
  result<void> remove_file(int folder, const std::string& name);
  result<void> open_level(Level& level);
  std::string path_of_levels() const;
  void remove_empty_parents();
  void count() {
    ++done_.files;
    --left_;
  }

  LocalDisk& disk_;
  const int root_;
  const Path top_;
  std::size_t left_;
  std::vector<Level> levels_;
  TrashPurge done_;
};

std::string Purge::path_of_levels() const {
  std::string path(top_.parent().relative());
  for (const Level& level : levels_) path += "/" + level.name;
  return path;
}

result<void> Purge::open_level(Level& level) {
  if (level.folder) return {};
  GG_TRY(level.folder, env().open(root_, path_of_levels(), O_RDONLY | O_DIRECTORY));
  return {};
}

result<void> Purge::remove_file(int folder, const std::string& name) {
  const auto there = env().status_at(folder, name);
  if (!there && is_missing(there.error())) return {};
  if (!there) return there.error();
  auto removed = env().remove_file(folder, name);
  if (!removed && removed.error().is(std::errc::permission_denied)) {
    // A folder whose owner may not write: its mode has nobody left to protect.
    GG_CHECK(env().set_mode(folder, 0700));
    removed = env().remove_file(folder, name);
  }
  if (!removed && is_missing(removed.error())) return {};
  if (!removed) return removed;
  done_.bytes += S_ISREG(there->st_mode) ? static_cast<std::uint64_t>(there->st_size) : 0;
  count();
  return {};
}

// Removes files of this folder, and notes which folders are in it.
result<void> Purge::empty_some(Level& level) {
  GG_TRY(auto names, env().list_names(level.folder.get(), std::min(left_, kNamesAtOnce)));
  if (names.empty()) return leave();
  for (FolderName& name : names) {
    if (name.is_folder)
      level.inside.push_back(std::move(name.name));
    else
      GG_CHECK(remove_file(level.folder.get(), name.name));
  }
  return {};
}

// Goes down into a folder; false if it is gone.
result<bool> Purge::enter(std::string name) {
  const int above = levels_.back().folder.get();
  auto folder = env().open(above, name, O_RDONLY | O_DIRECTORY);
  if (!folder && folder.error().is(std::errc::permission_denied)) {
    GG_CHECK(env().set_mode_at(above, name, 0700));
    folder = env().open(above, name, O_RDONLY | O_DIRECTORY);
  }
  if (!folder && is_missing(folder.error())) return false;
  if (!folder) return folder.error();
  levels_.push_back({.name = std::move(name), .folder = std::move(*folder), .inside = {}});
  if (levels_.size() > kMostOpen) levels_[levels_.size() - 1 - kMostOpen].folder.reset();
  return true;
}

// The innermost folder is empty.
result<void> Purge::leave() {
  const std::string name = std::move(levels_.back().name);
  levels_.pop_back();
  UniqueFd parent;
  if (levels_.empty()) {
    GG_TRY(parent, env().open(root_, top_.parent().relative(), O_RDONLY | O_DIRECTORY));
  } else {
    GG_CHECK(open_level(levels_.back()));
  }
  const int folder = levels_.empty() ? parent.get() : levels_.back().folder.get();
  auto removed = env().remove_folder(folder, name);
  if (!removed && removed.error().is(std::errc::permission_denied)) {
    GG_CHECK(env().set_mode(folder, 0700));
    removed = env().remove_folder(folder, name);
  }
  // Something was put in just now: whoever lists the folder above again will find it.
  const bool filled = !removed && removed.error().is(std::errc::directory_not_empty);
  if (!removed && !filled && !is_missing(removed.error())) return removed;
  --left_;
  return {};
}

// False once there is nothing left.
result<bool> Purge::step() {
  if (levels_.empty()) return false;
  Level& level = levels_.back();
  if (level.inside.empty()) {
    GG_CHECK(empty_some(level));
    return true;
  }
  std::string next = std::move(level.inside.back());
  level.inside.pop_back();
  GG_TRY(const bool entered, enter(std::move(next)));
  (void)entered;
  return true;
}

result<void> Purge::remove_tree() {
  GG_TRY(const UniqueFd parent, env().open(root_, top_.parent().relative(), O_RDONLY | O_DIRECTORY));
  const std::string name(top_.filename());
  const auto there = env().status_at(parent.get(), name);
  if (!there && is_missing(there.error())) return disk_.prove_absence(root_);
  if (!there) return there.error();
  if (!S_ISDIR(there->st_mode)) return remove_file(parent.get(), name);
  GG_TRY(UniqueFd folder, env().open(parent.get(), name, O_RDONLY | O_DIRECTORY));
  levels_.push_back({.name = name, .folder = std::move(folder), .inside = {}});
  for (bool more = true; more;) {
    if (left_ == 0) {
      done_.more = true;
      return {};
    }
    GG_TRY(more, step());
  }
  return {};
}

// Of what was removed, up to the date; those that are left are harmless.
void Purge::remove_empty_parents() {
  const Path trash = Path::parse(kTrashFolder).value();
  for (Path folder = top_.parent(); folder != trash; folder = folder.parent()) {
    const auto parent = env().open(root_, folder.parent().relative(), O_PATH | O_DIRECTORY);
    if (!parent || !env().remove_folder(parent->get(), std::string(folder.filename()))) return;
  }
}

result<TrashPurge> Purge::run() {
  auto removed = remove_tree();
  if (!removed && !is_no_such_path(removed.error())) return removed.error();
  if (!removed) GG_CHECK(disk_.prove_absence(root_));
  if (!done_.more) remove_empty_parents();
  return done_;
}

}  // namespace

result<TrashPurge> purge_at(LocalDisk& disk, int root, const std::string& date, const Path& below,
                            std::size_t limit) {
  GG_TRY(Path top, path_in_trash(date, below));
  return Purge(disk, root, std::move(top), limit).run();
}

}  // namespace geogrid
