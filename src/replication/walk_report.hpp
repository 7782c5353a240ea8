#pragma once
// What a walk did, and how far it is.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "meta/records.hpp"

namespace geogrid {

/// Counts of one walk of one node. In a dry run: of what it would have done.
struct WalkReport {
  // Seen on the disk.
  std::uint64_t folders = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t unchanged = 0;  ///< files that cost a stat only
  std::uint64_t digested_files = 0;
  std::uint64_t digested_bytes = 0;
  std::uint64_t ignored = 0;  ///< names that the rules say to leave alone

  // Done.
  std::uint64_t registered_files = 0;
  std::uint64_t registered_folders = 0;
  std::uint64_t made_symlinks = 0;  ///< recorded ones that the node lacked
  std::uint64_t registered_symlinks = 0;
  std::uint64_t claimed = 0;  ///< copies of known files that count now
  std::uint64_t filled = 0;   ///< digests that nobody knew before
  std::uint64_t proved = 0;   ///< counted copies whose digest was found right
  std::uint64_t aligned = 0;  ///< files that got the recorded mtime
  std::uint64_t removed_meanwhile =
      0;  ///< not brought back: removed or moved since the folder was listed, or to be removed
  std::uint64_t changed_meanwhile =
      0;                    ///< files that changed under the walk, and young ones: the next walk looks again
  std::uint64_t older = 0;  ///< bytes of older versions, left to replication

  // For a person.
  std::uint64_t missing = 0;          ///< withdrawn: not there any more
  std::uint64_t changed_outside = 0;  ///< withdrawn: changed on the disk
  std::uint64_t damaged = 0;          ///< withdrawn: same size and time, other bytes
  std::uint64_t held_back = 0;        ///< not withdrawn, because of the brake
  std::uint64_t conflicts = 0;
  std::uint64_t type_conflicts = 0;
  std::uint64_t specials = 0;
  std::uint64_t unreadable_folders = 0;
  std::uint64_t unreadable_files = 0;
  std::vector<Finding> findings;  ///< the first kMaxFindings of them
  static constexpr std::size_t kMaxFindings = 1000;

  bool dry_run = false;
  bool resumed = false;   ///< it began where an interrupted one stopped; counts are of this part
  bool complete = false;  ///< every folder below the start was walked (unreadable ones: no)
  std::chrono::milliseconds duration{};
  /// How it ended. Errors: errc::busy (another walk of this node), errc::refused (the brake),
  /// errc::cancelled, errc::volume_absent, errc::not_found (no such start), errc::unavailable and others.
  result<void> end;

  std::uint64_t withdrawn() const { return missing + changed_outside + damaged; }
  /// 0; 1 if it failed or could not read something; 3 if the brake held.
  int exit_status() const {
    if (!end) return exit_code(end.error());
    return unreadable_folders + unreadable_files > 0 ? 1 : 0;
  }
};

struct WalkProgress {
  std::uint64_t folders = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t digested_bytes = 0;
  std::chrono::milliseconds elapsed{};
  double files_per_second = 0;
  double bytes_per_second = 0;
  std::optional<double> done;  ///< 0..1, estimated from the last walk or from the space used
  std::optional<std::chrono::milliseconds> left;
};

}  // namespace geogrid
