#pragma once
// The walker: one node's disk against metadata, folder by folder. It registers what nobody knew, counts
// copies whose digest it checked, and says what is missing, changed or in the way. Anything that metadata
// forgot can be learnt again by walking.

#include <chrono>
#include <functional>
#include <memory>

#include "async/notifier.hpp"
#include "base/log.hpp"
#include "meta/metadata_store.hpp"
#include "os/clock.hpp"
#include "replication/ignore_rules.hpp"
#include "replication/walk_report.hpp"
#include "volume/volume.hpp"

namespace geogrid {

struct WalkOptions {
  Path start;  ///< the folder to walk, with all below; or one file
  IgnoreRules ignore;
  bool deep = false;            ///< digest everything, also what looks unchanged
  bool dry_run = false;         ///< change nothing, neither disk nor metadata
  bool accept_missing = false;  ///< the operator's word against the brake
  double brake_percent = 5.0;
  DigestAlgorithm algorithm = DigestAlgorithm::md5;  ///< of files that have no digest yet
  std::size_t parallel_folders = 8;
  std::size_t parallel_digests = 4;  ///< pieces of work at a time on the volume's threads
  /// A file is left alone for so long after its inode changed, and then looked at again (within the walk): it
  /// may still be being written.
  std::chrono::milliseconds settle{2000};
  std::chrono::seconds resume_within{
      std::chrono::hours(24)};  ///< an interrupted walk older than this is begun anew
  std::chrono::milliseconds checkpoint_every{2000};
  std::chrono::milliseconds progress_every{500};
  std::function<void(const WalkProgress&)> on_progress;
  const Clock* clock = &system_clock();
};

/// Walks `volume`, which is `node`'s, once; only one walk of a volume runs at a time, on all machines that
/// share it.
///
/// Rules: a copy counts only after its digest was checked; what is recorded and has not changed (size, mtime)
/// costs a stat; other bytes are reported and never spread; owner and mode of known files never come from a
/// disk; a copy is withdrawn as missing only upon a positive ENOENT beneath the volume's marker, and never
/// more than `brake_percent` of the node's copies, in one walk or in several: once the brake held, nothing is
/// withdrawn until a walk finds few missing again, or the operator says so.
///
/// A walk of the whole node that was interrupted is resumed by the next one. The first complete one ends the
/// node's joining. Stopping `stop`, or cancelling the caller, ends it with errc::cancelled within a few
/// hundred milliseconds of work. `store` must outlive the call.
task<WalkReport> walk(MetadataStore& store, NodeVolume node, WalkOptions options,
                      std::shared_ptr<StopSignal> stop, Log log);

}  // namespace geogrid
