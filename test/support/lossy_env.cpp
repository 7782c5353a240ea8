#include "support/lossy_env.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace geogrid::test {
namespace {

// Of an open folder or file, for *at() calls and for the files behind O_PATH descriptors.
std::string proc_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

UniqueFd duplicate(int fd) {
  return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

void link_again(int from_folder, const char* from, int to_folder, const char* to) {
  EXPECT_EQ(linkat(from_folder, from, to_folder, to, 0), 0) << errno;
}

}  // namespace

LossyEnv::LossyEnv(const std::string& attic)
    : attic_(::open(attic.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  EXPECT_TRUE(attic_);
}

void LossyEnv::settle() {
  const std::scoped_lock lock(mutex_);
  names_.clear();
  files_.clear();
}

void LossyEnv::cut_power_after(std::size_t changes) {
  const std::scoped_lock lock(mutex_);
  changes_left_ = changes;
  cut_ = false;
}

bool LossyEnv::power_is_cut() const {
  const std::scoped_lock lock(mutex_);
  return cut_;
}

result<void> LossyEnv::step() {
  if (changes_left_ == 0) {
    cut_ = true;
    return system_error(EIO, "the power is cut");
  }
  --changes_left_;
  return {};
}

result<LossyEnv::FileId> LossyEnv::id_of(int fd) {
  GG_TRY(const struct stat status, real_->status(fd));
  return FileId(status.st_dev, status.st_ino);
}

LossyEnv::Unsynced& LossyEnv::unsynced(FileId id, int fd) {
  Unsynced& file = files_[id];
  if (!file.file) file.file.reset(::open(proc_path(fd).c_str(), O_RDWR | O_CLOEXEC));
  return file;
}

result<void> LossyEnv::note_attributes(int fd) {
  GG_TRY(const struct stat status, real_->status(fd));
  if (S_ISREG(status.st_mode)) unsynced({status.st_dev, status.st_ino}, fd).attributes = true;
  return {};
}

result<void> LossyEnv::note_name(NameChange::Kind kind, int folder, const std::string& name) {
  GG_TRY(const struct stat status, real_->status_at(folder, name));
  NameChange change;
  change.kind = kind;
  change.folder = duplicate(folder);
  GG_TRY(change.folder_id, id_of(folder));
  change.name = name;
  change.file = {status.st_dev, status.st_ino};
  names_.push_back(std::move(change));
  return {};
}

std::string LossyEnv::keep_in_attic(int folder, const std::string& name) {
  std::string kept = std::to_string(next_attic_name_++);
  return linkat(folder, name.c_str(), attic_.get(), kept.c_str(), 0) == 0 ? kept : "";
}

// ---- changes ----

result<UniqueFd> LossyEnv::open(int folder, std::string_view path, int flags, mode_t mode) {
  if ((flags & O_CREAT) == 0) return real_->open(folder, path, flags, mode);
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  const std::string name(path);
  EXPECT_EQ(name.find('/'), std::string::npos) << "files are created in an open folder";
  const bool is_new = !real_->status_at(folder, name);
  GG_TRY(UniqueFd file, real_->open(folder, path, flags, mode));
  if (is_new) {
    GG_CHECK(note_name(NameChange::Kind::appeared, folder, name));
    GG_TRY(const FileId id, id_of(file.get()));
    unsynced(id, file.get()).safe_size = 0;
    unsynced(id, file.get()).attributes = true;
  }
  return file;
}

result<void> LossyEnv::write(int fd, std::uint64_t offset, std::span<const std::byte> data) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_TRY(const FileId id, id_of(fd));
  Unsynced& file = unsynced(id, fd);
  file.safe_size = std::min(file.safe_size, offset);
  return real_->write(fd, offset, data);
}

result<void> LossyEnv::reserve(int fd, std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  return real_->reserve(fd, size);
}

result<void> LossyEnv::truncate(int fd, std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_TRY(const FileId id, id_of(fd));
  Unsynced& file = unsynced(id, fd);
  file.safe_size = std::min(file.safe_size, size);
  return real_->truncate(fd, size);
}

result<void> LossyEnv::allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_TRY(const FileId id, id_of(fd));
  Unsynced& file = unsynced(id, fd);
  file.safe_size = std::min(file.safe_size, offset);
  return real_->allocate(fd, mode, offset, length);
}

result<void> LossyEnv::clone(int from, int to) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_TRY(const FileId id, id_of(to));
  unsynced(id, to).safe_size = 0;
  return real_->clone(from, to);
}

result<std::uint64_t> LossyEnv::copy(int from, int to, std::uint64_t offset, std::uint64_t length) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_TRY(const FileId id, id_of(to));
  Unsynced& file = unsynced(id, to);
  file.safe_size = std::min(file.safe_size, offset);
  return real_->copy(from, to, offset, length);
}

void LossyEnv::note_synced(FileId folder) {
  using Kind = NameChange::Kind;
  std::erase_if(names_, [&](NameChange& change) {
    const bool holds_name = change.folder_id == folder;
    if (change.kind != Kind::exchanged) {
      if (change.kind == Kind::renamed && change.from_folder_id == folder) change.left_for_good = true;
      return holds_name;
    }
    const bool holds_other = change.from_folder_id == folder;
    if ((holds_name && holds_other) || (holds_name && change.left_for_good) ||
        (holds_other && change.is_safe))
      return true;
    if (holds_name) change.is_safe = true;
    if (holds_other) change.left_for_good = true;
    return false;
  });
}

result<void> LossyEnv::sync(int fd) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  // Nothing is asked of the real disk: the power does not go in earnest.
  GG_TRY(const FileId id, id_of(fd));
  files_.erase(id);
  note_synced(id);
  return {};
}

result<void> LossyEnv::sync_bytes(int fd) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_TRY(const FileId id, id_of(fd));
  if (const auto found = files_.find(id); found != files_.end())
    found->second.safe_size = std::numeric_limits<std::uint64_t>::max();
  return {};
}

result<void> LossyEnv::set_mode_at(int folder, const std::string& name, mode_t mode) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  return real_->set_mode_at(folder, name, mode);
}

result<void> LossyEnv::set_mode(int fd, mode_t mode) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_CHECK(note_attributes(fd));
  return real_->set_mode(fd, mode);
}

result<void> LossyEnv::set_owner(int fd, uid_t uid, gid_t gid) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_CHECK(note_attributes(fd));
  return real_->set_owner(fd, uid, gid);
}

result<void> LossyEnv::set_owner_at(int folder, const std::string& name, uid_t uid, gid_t gid) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  return real_->set_owner_at(folder, name, uid, gid);
}

result<void> LossyEnv::set_mtime(int fd, Timestamp mtime) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_CHECK(note_attributes(fd));
  return real_->set_mtime(fd, mtime);
}

result<void> LossyEnv::set_mtime_at(int folder, const std::string& name, Timestamp mtime) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  return real_->set_mtime_at(folder, name, mtime);
}

result<void> LossyEnv::make_folder(int folder, const std::string& name, mode_t mode) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_CHECK(real_->make_folder(folder, name, mode));
  return note_name(NameChange::Kind::folder_appeared, folder, name);
}

result<void> LossyEnv::make_symlink(int folder, const std::string& name, const std::string& target) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  GG_CHECK(real_->make_symlink(folder, name, target));
  return note_name(NameChange::Kind::appeared, folder, name);
}

result<void> LossyEnv::rename(int from_folder, const std::string& from, int to_folder, const std::string& to,
                              IfTaken if_taken) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  return rename_noted(from_folder, from, to_folder, to, if_taken);
}

result<void> LossyEnv::rename_noted(int from_folder, const std::string& from, int to_folder,
                                    const std::string& to, IfTaken if_taken) {
  std::string kept = if_taken == IfTaken::replace ? keep_in_attic(to_folder, to) : "";
  GG_CHECK(real_->rename(from_folder, from, to_folder, to, if_taken));
  const bool exchanged = if_taken == IfTaken::exchange;
  GG_CHECK(note_name(exchanged ? NameChange::Kind::exchanged : NameChange::Kind::renamed, to_folder, to));
  NameChange& change = names_.back();
  change.attic_name = std::move(kept);
  change.from_folder = duplicate(from_folder);
  change.from_name = from;
  GG_TRY(change.from_folder_id, id_of(from_folder));
  if (!exchanged) return {};
  GG_TRY(const struct stat other, real_->status_at(from_folder, from));
  change.other = {other.st_dev, other.st_ino};
  return {};
}

result<void> LossyEnv::remove_file(int folder, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  std::string kept = keep_in_attic(folder, name);
  if (!kept.empty()) {
    GG_CHECK(note_name(NameChange::Kind::removed, folder, name));
    names_.back().attic_name = std::move(kept);
  }
  return real_->remove_file(folder, name);
}

result<void> LossyEnv::remove_folder(int folder, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  GG_CHECK(step());
  return real_->remove_folder(folder, name);
}

// ---- the loss ----

bool LossyEnv::is_at(const UniqueFd& folder, const std::string& name, FileId file) const {
  struct stat now {};
  return fstatat(folder.get(), name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
         FileId(now.st_dev, now.st_ino) == file;
}

// Of a folder that was synced, the change stays; the other one has what it had: two names for one file, and
// none for the other.
void LossyEnv::undo_exchange(const NameChange& change) {
  const bool as_it_was = is_at(change.folder, change.name, change.file) &&
                         is_at(change.from_folder, change.from_name, change.other);
  if (!as_it_was) return;  // a later change, which was kept, has moved one of them on
  const int to = change.folder.get();
  const int from = change.from_folder.get();
  if (change.is_safe) {
    (void)real_->remove_file(from, change.from_name);
    link_again(to, change.name.c_str(), from, change.from_name.c_str());
  } else if (change.left_for_good) {
    (void)real_->remove_file(to, change.name);
    link_again(from, change.from_name.c_str(), to, change.name.c_str());
  } else {
    (void)real_->rename(from, change.from_name, to, change.name, IfTaken::exchange);
  }
}

void LossyEnv::undo(const NameChange& change) {
  const bool is_there = is_at(change.folder, change.name, change.file);
  const auto bring_back = [&] {
    if (change.attic_name.empty()) return;
    // EEXIST: a later change, which was kept, has given the name to something else.
    if (linkat(attic_.get(), change.attic_name.c_str(), change.folder.get(), change.name.c_str(), 0) != 0 &&
        errno != EEXIST)
      throw std::system_error(errno, std::generic_category(), "bringing back " + change.name);
  };
  if (change.kind == NameChange::Kind::removed) return bring_back();
  if (change.kind == NameChange::Kind::exchanged) return undo_exchange(change);
  if (!is_there) return;  // a later change, which was kept, has moved it on
  switch (change.kind) {
    case NameChange::Kind::folder_appeared:
      std::filesystem::remove_all(proc_path(change.folder.get()) + "/" + change.name);
      break;
    case NameChange::Kind::renamed:
      if (!change.left_for_good) {
        (void)real_->rename(change.folder.get(), change.name, change.from_folder.get(), change.from_name,
                            IfTaken::fail);
      } else {
        (void)real_->remove_file(change.folder.get(), change.name);
      }
      bring_back();
      break;
    case NameChange::Kind::appeared:
    case NameChange::Kind::exchanged:
    case NameChange::Kind::removed:
      (void)real_->remove_file(change.folder.get(), change.name);
      break;
  }
}

void LossyEnv::lose_bytes(const Unsynced& file, std::mt19937_64& random) {
  if (!file.file) return;
  const auto status = real_->status(file.file.get());
  if (!status) return;
  const auto size = static_cast<std::uint64_t>(status->st_size);
  if (file.safe_size < size) {
    const std::uint64_t lost = size - file.safe_size;
    std::vector<std::byte> garbage(lost);
    switch (random() % 4) {
      case 0:
        break;  // it had been written out
      case 1:
        (void)real_->truncate(file.file.get(), file.safe_size + random() % lost);
        break;
      case 2:
        for (std::byte& b : garbage) b = static_cast<std::byte>(random());
        [[fallthrough]];
      default:
        (void)real_->write(file.file.get(), file.safe_size, garbage);
    }
  }
  if (file.attributes && random() % 4 != 0) {
    (void)real_->set_mode(file.file.get(), 0600);
    (void)real_->set_mtime(file.file.get(), {});
  }
}

void LossyEnv::crash(std::uint64_t seed) {
  const std::scoped_lock lock(mutex_);
  std::mt19937_64 random(seed);
  const std::uint64_t kind = random() % 4;  // of the names: all lost, none, or some
  for (auto change = names_.rbegin(); change != names_.rend(); ++change)
    if (kind == 0 || (kind > 1 && random() % 2 == 0)) undo(*change);
  for (const auto& [id, file] : files_) lose_bytes(file, random);
  names_.clear();
  files_.clear();
  changes_left_ = std::numeric_limits<std::size_t>::max();
  cut_ = false;
}

}  // namespace geogrid::test
