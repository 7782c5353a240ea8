#include "volume/temporary.hpp"

#include <fcntl.h>

#include "os/clock.hpp"
#include "volume/marker.hpp"

namespace geogrid {
namespace {

constexpr int kMaxTries = 16;

// True if it was there, was nobody's, and is gone.
result<bool> remove_if_abandoned(Env& env, int folder, const std::string& name) {
  auto file = env.open(folder, name, O_RDWR | O_NONBLOCK);
  if (!file && file.error().is(std::errc::no_such_file_or_directory)) return false;  // published meanwhile
  if (!file) return file.error();
  GG_TRY(const bool abandoned, env.try_lock(file->get()));
  if (!abandoned) return false;
  // The lock may have been free because the file has just been published. Its name here is then gone, and
  // never comes back.
  auto removed = env.remove_file(folder, name);
  if (!removed && removed.error().is(std::errc::no_such_file_or_directory)) return false;
  if (!removed) return removed.error();
  return true;
}

}  // namespace

result<TemporaryFile> make_temporary(LocalDisk& disk, int root) {
  Env& env = disk.env();
  GG_TRY(const UniqueFd folder, disk.open_or_make_folder(root, kTemporaryFolder));
  for (int i = 0; i < kMaxTries; ++i) {
    TemporaryFile made{.name = system_random().uuid(), .file = {}};
    auto file = env.open(folder.get(), made.name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (!file && file.error().is(std::errc::file_exists)) continue;
    if (!file) return file.error();
    made.file = std::move(*file);
    GG_TRY(const bool locked, env.try_lock(made.file.get()));
    GG_TRY(const struct stat status, env.status(made.file.get()));
    // Another process that cleans up can come between the open and the lock: then it has or will have removed
    // the file.
    if (locked && status.st_nlink > 0) return made;
  }
  return fail(errc::busy, "cannot make a file in {}: another process keeps removing them", kTemporaryFolder);
}

result<std::size_t> remove_abandoned_temporaries(LocalDisk& disk, int root) {
  Env& env = disk.env();
  GG_TRY(const UniqueFd folder, disk.open_or_make_folder(root, kTemporaryFolder));
  GG_TRY(const auto entries, env.list(folder.get()));
  std::size_t removed = 0;
  for (const FolderEntry& entry : entries) {
    if (DraftName::parse(entry.name)) continue;  // what it holds may be all there is of it
    if (S_ISDIR(entry.status.st_mode)) {
      // Empty ones only; whoever is making one just now begins again.
      removed += env.remove_folder(folder.get(), entry.name) ? 1 : 0;
    } else if (S_ISREG(entry.status.st_mode)) {
      GG_TRY(const bool gone, remove_if_abandoned(env, folder.get(), entry.name));
      removed += gone ? 1 : 0;
    }
  }
  return removed;
}

}  // namespace geogrid
