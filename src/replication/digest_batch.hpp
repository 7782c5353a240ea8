#pragma once
// Digesting many files of one folder with all the threads that a volume has to give.

#include <memory>
#include <span>
#include <vector>

#include "async/notifier.hpp"
#include "async/semaphore.hpp"
#include "replication/folder_compare.hpp"
#include "volume/volume.hpp"

namespace geogrid {

struct DigestedFile {
  Comparison item;
  result<WholeFile> file = fail(errc::cancelled, "stopped");
};

/// What several digest batches share.
struct DigestLimits {
  Semaphore places;           ///< pieces of work on the volume at a time
  DigestAlgorithm algorithm;  ///< of files without a recorded digest
  std::shared_ptr<StopSignal> stop;
};

/// Digests the files of `items` (all with a disk entry) in `folder`. Those not done when `stop` came are
/// errc::cancelled. The order of the answer is not that of `items`.
task<std::vector<DigestedFile>> digest_batch(std::shared_ptr<Volume> volume, Path folder,
                                             std::vector<Comparison> items,
                                             std::shared_ptr<DigestLimits> limits);

/// Pure: cuts the items into pieces of one algorithm each, in the order in which they lie on the disk, small
/// enough for a stop or a reader not to wait long.
std::vector<std::vector<Comparison>> cut_for_digesting(std::vector<Comparison> items,
                                                       DigestAlgorithm otherwise);

}  // namespace geogrid
