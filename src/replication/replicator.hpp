#pragma once
// The replicator: gives one node the copies it is to take, from the nodes that hold them.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/notifier.hpp"
#include "base/log.hpp"
#include "meta/metadata_store.hpp"
#include "os/clock.hpp"
#include "volume/volume.hpp"

namespace geogrid {

struct ReplicateProgress {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::chrono::milliseconds elapsed{};
  double files_per_second = 0;
  double bytes_per_second = 0;
};

struct ReplicateOptions {
  std::vector<NodeVolume> sources;  ///< all volumes this machine can reach; the destination may be among them
  std::size_t parallel = 8;         ///< files being read at a time
  std::uint64_t rate = 0;           ///< bytes a second; 0: no limit
  std::uint64_t min_free = 0;       ///< bytes that stay free on the destination
  std::uint64_t at_most = 0;        ///< files in one run; 0: no limit
  DigestAlgorithm algorithm = DigestAlgorithm::md5;  ///< where none is recorded
  std::chrono::seconds hold{600};  ///< how long a file that was taken is kept from other nodes
  std::chrono::milliseconds progress_every{500};
  std::function<void(const ReplicateProgress&)> on_progress;
  const Clock* clock = &system_clock();
  Random* random = &system_random();
};

/// Counts of one run.
struct ReplicateReport {
  std::uint64_t taken = 0;   ///< files taken from the queue
  std::uint64_t copied = 0;  ///< copies that count now
  std::uint64_t copied_bytes = 0;
  std::uint64_t adopted = 0;         ///< the right bytes lay there already: they count now
  std::uint64_t dropped = 0;         ///< changed, moved or removed meanwhile: the copy was taken back
  std::uint64_t failed = 0;          ///< given back to the queue, for later
  std::uint64_t without_source = 0;  ///< of the failed: no node that holds it could be read
  std::uint64_t too_large = 0;       ///< of the failed: no room for it
  std::uint64_t conflicts = 0;       ///< other content was put aside
  std::uint64_t stale_aside = 0;     ///< older versions that were put aside
  std::uint64_t bad_sources = 0;     ///< copies whose bytes were wrong: withdrawn
  std::uint64_t source_errors = 0;   ///< reads that failed; another source was tried
  std::vector<Finding> findings;     ///< the first kMaxFindings
  static constexpr std::size_t kMaxFindings = 1000;
  bool may_be_more = false;  ///< it stopped at `at_most`
  std::chrono::milliseconds duration{};
  /// How it ended. Errors: errc::busy (another process replicates to this node), errc::low_space,
  /// errc::volume_absent, errc::cancelled, errc::unavailable and others.
  result<void> end;

  /// 0; 1 if something failed; 3 for low space.
  int exit_status() const {
    if (!end) return exit_code(end.error());
    return failed > 0 ? 1 : 0;
  }
};

/// One destination node. Used from one loop; keeps what it learnt about sources, and its rate, from run to
/// run.
///
/// Rules: most endangered first; a copy counts only after its bytes had the recorded digest on the way and
/// were made power-safe under their final name; claims name version and path, and what turns out stale is
/// taken back; what lies in the way is adopted if it is right, and else put aside, never overwritten; a
/// source whose bytes are wrong is withdrawn and reported. Memory: at most `parallel` files of 1 MiB, or
/// pieces of larger ones, twice.
class Replicator {
 public:
  virtual ~Replicator() = default;
  /// Works until the queue has nothing for this node, or `stop`, or the caller is cancelled. One run at a
  /// time, in all processes (a lock on the volume): errc::busy.
  virtual task<ReplicateReport> run(std::shared_ptr<StopSignal> stop) = 0;
  /// One line: what it does now.
  virtual std::string status() const = 0;
};

/// `store` must outlive it.
std::shared_ptr<Replicator> make_replicator(MetadataStore& store, NodeVolume destination,
                                            ReplicateOptions options, Log log);

}  // namespace geogrid
