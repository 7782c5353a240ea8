#pragma once
// The blocking heart of a local volume: its root, found anew for each operation, and the steps that
// operations share.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "os/env.hpp"
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

  /// Opens the folder at `path` for listing and fsync, making what is missing of it (mode 0755, owner as the
  /// folder above it), and making that power-safe. Errors: ENOTDIR, ELOOP and others.
  result<UniqueFd> open_or_make_folder(int root, std::string_view path);
  /// Returns when all folders that other threads are making now are power-safe: to be called between opening
  /// a folder that was there already and relying on it.
  void wait_for_folders_being_made() const;

 private:
  // What identifies the marker that was read last, as long as nobody touched it.
  struct Seen {
    dev_t device = 0;
    ino_t inode = 0;
    timespec changed{};
  };
  bool seen(const struct stat& marker) const;

  const std::shared_ptr<Env> env_;
  const std::string root_;
  const VolumeMarker expected_;
  mutable std::mutex seen_mutex_;
  Seen seen_;                          // guarded by seen_mutex_
  mutable std::mutex making_folders_;  // held from the mkdir to the fsync of the folder above
};

DiskEntry disk_entry(std::string name, const struct stat& status);
/// The entry at `path` beneath the root, with its link target.
result<DiskEntry> find_entry(Env& env, int root, const Path& path);
/// Opens an ordinary file for reading; never a fifo, socket or device. Errors: errc::is_a_folder,
/// errc::not_supported, ELOOP.
result<UniqueFd> open_file(Env& env, int root, const Path& path, struct stat& status);

}  // namespace geogrid
