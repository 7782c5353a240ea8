#pragma once
// Files on a real disk that a test can make lose whatever was not made power-safe.

#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <utility>

#include "support/forwarding_env.hpp"

namespace geogrid::test {

/// Does everything on the real disk at once, and remembers what fsync(2) has not yet covered. As POSIX has
/// it, and more forgetful than any filesystem in use: the bytes and attributes of a file are safe once the
/// file was synced, a name once the folder that holds it was; a folder whose own name is lost takes
/// everything in it along. Thread-safe.
class LossyEnv final : public ForwardingEnv {
 public:
  /// `attic` is an empty folder on the same filesystem, for what may have to come back.
  explicit LossyEnv(const std::string& attic);

  /// As if all that was done so far had been synced.
  void settle();
  /// The power goes after so many more changes: all later ones fail with EIO and change nothing.
  void cut_power_after(std::size_t changes);
  /// Whether a change was refused since then.
  bool power_is_cut() const;
  /// Brings the disk to one of the states that a power loss now could leave; the seed chooses. The power is
  /// back after it.
  void crash(std::uint64_t seed);

  result<UniqueFd> open(int folder, std::string_view path, int flags, mode_t mode) override;
  result<void> write(int fd, std::uint64_t offset, std::span<const std::byte> data) override;
  result<void> reserve(int fd, std::uint64_t size) override;
  result<void> truncate(int fd, std::uint64_t size) override;
  result<void> allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) override;
  result<void> clone(int from, int to) override;
  result<std::uint64_t> copy(int from, int to, std::uint64_t offset, std::uint64_t length) override;
  result<void> sync(int fd) override;
  result<void> sync_bytes(int fd) override;
  result<void> set_mode(int fd, mode_t mode) override;
  result<void> set_mode_at(int folder, const std::string& name, mode_t mode) override;
  result<void> set_owner(int fd, uid_t uid, gid_t gid) override;
  result<void> set_owner_at(int folder, const std::string& name, uid_t uid, gid_t gid) override;
  result<void> set_mtime(int fd, Timestamp mtime) override;
  result<void> set_mtime_at(int folder, const std::string& name, Timestamp mtime) override;
  result<void> make_folder(int folder, const std::string& name, mode_t mode) override;
  result<void> make_symlink(int folder, const std::string& name, const std::string& target) override;
  result<void> rename(int from_folder, const std::string& from, int to_folder, const std::string& to,
                      IfTaken if_taken) override;
  result<void> remove_file(int folder, const std::string& name) override;
  result<void> remove_folder(int folder, const std::string& name) override;

 private:
  using FileId = std::pair<dev_t, ino_t>;

  // A change of names that no fsync has covered yet.
  struct NameChange {
    enum class Kind { appeared, folder_appeared, renamed, exchanged, removed } kind = Kind::appeared;
    UniqueFd folder;  // that holds the name now
    FileId folder_id;
    std::string name;
    FileId file;
    UniqueFd from_folder;  // renamed and exchanged only, as are the next two
    FileId from_folder_id;
    std::string from_name;
    bool left_for_good =
        false;               // renamed only: the folder it left was synced, the one that it went to was not
    FileId other;            // exchanged only: what was at `name`, and is at `from_name`
    bool is_safe = false;    // exchanged only: the folder that holds `name` was synced, the other was not
    std::string attic_name;  // what lay at the name before; empty if nothing did
  };
  // What no fsync has covered of a file.
  struct Unsynced {
    UniqueFd file;
    std::uint64_t safe_size = std::numeric_limits<std::uint64_t>::max();  // bytes below it are on the disk
    bool attributes = false;
  };

  result<void> step();
  result<FileId> id_of(int fd);
  Unsynced& unsynced(FileId id, int fd);
  result<void> note_attributes(int fd);
  result<void> note_name(NameChange::Kind kind, int folder, const std::string& name);
  std::string keep_in_attic(int folder, const std::string& name);
  result<void> rename_noted(int from_folder, const std::string& from, int to_folder, const std::string& to,
                            IfTaken if_taken);
  void note_synced(FileId folder);
  void undo(const NameChange& change);
  void undo_exchange(const NameChange& change);
  bool is_at(const UniqueFd& folder, const std::string& name, FileId file) const;
  void lose_bytes(const Unsynced& file, std::mt19937_64& random);

  UniqueFd attic_;
  mutable std::mutex mutex_;
  std::size_t changes_left_ = std::numeric_limits<std::size_t>::max();  // guarded by mutex_, as is all below
  bool cut_ = false;
  std::deque<NameChange> names_;
  std::map<FileId, Unsynced> files_;
  std::size_t next_attic_name_ = 0;
};

}  // namespace geogrid::test
