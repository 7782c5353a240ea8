#pragma once
// The blocking heart of a local volume: its root, found anew for each operation, and the steps that
// operations share.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "os/env.hpp"
#include "volume/folders_made.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// Thread-safe; called on the volume's threads.
class LocalDisk {
 public:
  LocalDisk(std::shared_ptr<Env> env, std::string root, VolumeMarker expected);

  Env& env() const { return *env_; }
  const VolumeMarker& marker() const { return expected_; }

  /// Opens the root by its path and makes sure of the marker. Nothing is held between operations: a folder
  /// that was renamed away or a disk that was unmounted is noticed at the next one, and an idle volume can be
  /// unmounted. Costs four system calls. Errors: errc::volume_absent, errc::foreign, errc::corrupt, others as
  /// system codes.
  result<UniqueFd> attach();
  /// The error of an operation on `path`, told with the volume's name. An ENOENT becomes errc::volume_absent
  /// where the marker has gone meanwhile: only then is it proof of absence.
  Error explain(int root, std::string_view path, const Error& error);

  /// Success where something is certainly not there: the marker still is.
  result<void> prove_absence(int root);

  /// Opens the folder at `path` for listing and fsync, making what is missing of it: mode 0755 (0700 right in
  /// `.geogrid`), owner as the folder above it. Nothing is made power-safe. Errors: ENOTDIR, ELOOP and
  /// others.
  result<UniqueFd> open_or_make_folder(int root, std::string_view path);
  /// Makes power-safe that the folder at `path` is there, whoever made it: to be called between opening it
  /// and relying on it. Costs nothing where no folder was made lately.
  result<void> sync_way_to(int root, std::string_view path);
  /// The names in the folder at `path`, and the way to it.
  result<void> sync_folder(int root, std::string_view path);

 private:
  // What identifies the marker that was read last, as long as nobody touched it.
  struct Seen {
    dev_t device = 0;
    ino_t inode = 0;
    timespec changed{};
  };
  bool seen(const struct stat& marker) const;
  result<UniqueFd> make_folder_in(const UniqueFd& at, const std::string& name, mode_t mode);

  const std::shared_ptr<Env> env_;
  const std::string root_;
  const VolumeMarker expected_;
  mutable std::mutex seen_mutex_;
  Seen seen_;  // guarded by seen_mutex_
  FoldersMade folders_made_;
};

DiskEntry disk_entry(std::string name, const struct stat& status);
/// The entry at `path` beneath the root, with its link target.
result<DiskEntry> find_entry(Env& env, int root, const Path& path);
/// Opens an ordinary file for reading; never a fifo, socket or device. Errors: errc::is_a_folder,
/// errc::not_supported, ELOOP.
result<UniqueFd> open_file(Env& env, int root, const Path& path, struct stat& status);

}  // namespace geogrid
