#pragma once
// What the stages of one replication run share. Internal to the replicator.

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "async/throttle.hpp"
#include "replication/fetch.hpp"
#include "replication/replicator.hpp"
#include "replication/source_set.hpp"

namespace geogrid {

/// A copy that is whole, on its way to its name.
struct Fetched {
  WorkItem item;
  std::shared_ptr<IncomingFile> file;
  Digest digest;
  int tries = 0;  ///< publications that found the path occupied
};

/// What a replicator keeps from run to run.
struct ReplicatorMemory {
  SourceSet sources;
  Throttle throttle;
  std::unordered_set<std::string> folders;  ///< that are there on the destination; make_recorded_folders()
  std::map<NodeIndex, std::uint64_t> withdrawn_from;
  /// A source with more wrong copies than this is a matter for a person, and for a walk with its brake.
  static constexpr std::uint64_t kMaxWithdrawn = 100;
};

class CopyRun {
 public:
  CopyRun(MetadataStore& store_, NodeVolume destination_, ReplicateOptions options_,
          std::shared_ptr<ReplicatorMemory> memory_, std::shared_ptr<StopSignal> stop_, Log log_)
      : store(store_),
        node(destination_.index),
        destination(std::move(destination_.volume)),
        options(std::move(options_)),
        memory(std::move(memory_)),
        stop(std::move(stop_)),
        log(std::move(log_)) {}

  MetadataStore& store;
  const NodeIndex node;
  const std::shared_ptr<Volume> destination;
  const ReplicateOptions options;
  const std::shared_ptr<ReplicatorMemory> memory;
  const std::shared_ptr<StopSignal> stop;
  const Log log;

  ReplicateReport report;
  std::vector<Fetched> ready;         ///< to be published
  std::set<InodeId> in_hand;          ///< taken and not done: a claim that ran out brings a file twice
  std::uint64_t in_flight_bytes = 0;  ///< of files being fetched or ready
  Notifier changed;
  std::optional<Error> failure;  ///< the first error that ends the run

  bool ending() const { return stop->stopped() || failure.has_value(); }
  void fail_with(Error error);
  /// An error of the destination: ends the run where it concerns more than this file; answers whether it
  /// does.
  bool destination_failed(const Error& error);

  /// The item goes back to the queue as it was: the run is ending.
  void give_back(const WorkItem& item);
  /// A writer is at it: for a moment it is left alone.
  void put_off(const WorkItem& item);
  /// It failed: it sinks in the queue and comes up again later.
  void give_up(const WorkItem& item);
  /// Writes both kinds to the store.
  task<result<void>> flush_returns();

  Finding finding(FindingKind kind, NodeIndex where, Path path, std::string detail);
  task<void> tell(Finding finding);

 private:
  struct GivenUp {
    InodeId id;
    std::chrono::seconds after{};
  };
  std::vector<InodeId> untouched_;
  std::vector<GivenUp> given_up_;
};

/// How long a file that failed `attempts` times before is left alone.
std::chrono::seconds retry_after(int attempts);

/// Fetches one file from the first source that has it right, and puts it into `ready`.
task<void> fetch_item(std::shared_ptr<CopyRun> run, WorkItem item);
/// Publishes, counts, and cleans up.
task<void> publish_batch(std::shared_ptr<CopyRun> run, std::vector<Fetched> batch);

}  // namespace geogrid
