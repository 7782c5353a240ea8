#pragma once
// What the storage role does all day, for each of its nodes: heartbeat, replicate, walk, what its disk owes,
// what dead writers left, digests that are pending, trash; and the store's background jobs.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/notifier.hpp"
#include "async/worker.hpp"
#include "base/log.hpp"
#include "meta/change_feed.hpp"
#include "meta/metadata_store.hpp"
#include "replication/ignore_rules.hpp"
#include "volume/volume.hpp"

namespace geogrid {

struct StorageLoopsOptions {
  std::vector<NodeVolume> own;  ///< the nodes this process looks after
  std::vector<NodeVolume> all;  ///< every volume it can reach: the sources
  IgnoreRules ignore;
  double brake_percent = 5.0;
  std::chrono::milliseconds walk_cycle = std::chrono::hours(24);
  std::size_t parallel = 8;  ///< replicate.parallel
  std::uint64_t rate = 0;    ///< replicate.rate
  std::uint64_t min_free = 0;
  std::chrono::milliseconds heartbeat_every{10'000};
  std::chrono::milliseconds poll_every{30'000};  ///< the safety net under the change feed
  std::chrono::milliseconds salvage_every{15'000};
  std::chrono::milliseconds trash_keep = std::chrono::days(7);
  std::chrono::seconds keep_changes = std::chrono::hours(24);
  const Clock* clock = &system_clock();
  Random* random = &system_random();
};

/// Used from one loop. `store` and `feed` must outlive it; the feed is run by whoever owns it.
class StorageLoops {
 public:
  virtual ~StorageLoops() = default;
  /// Runs until `stop`, or until the caller is cancelled; then ends what is under way at its next good point.
  /// The outcome is always a success: what goes wrong is logged and tried again.
  virtual task<result<void>> run(std::shared_ptr<StopSignal> stop) = 0;
  /// A line for each worker.
  virtual std::vector<std::string> status() const = 0;
};
std::unique_ptr<StorageLoops> make_storage_loops(MetadataStore& store, ChangeFeed& feed,
                                                 StorageLoopsOptions options, Log log);

}  // namespace geogrid
