#pragma once
// What the folders of one walk share. Internal to the walker.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "async/semaphore.hpp"
#include "replication/digest_batch.hpp"
#include "replication/folder_queue.hpp"
#include "replication/walk_checkpoint.hpp"
#include "replication/walker.hpp"

namespace geogrid {

class WalkState {
 public:
  WalkState(MetadataStore& store_, NodeVolume node_, WalkOptions options_, std::shared_ptr<StopSignal> stop_,
            Log log_);

  MetadataStore& store;
  const NodeIndex node;
  const std::shared_ptr<Volume> volume;
  const WalkOptions options;
  const std::shared_ptr<StopSignal> stop;
  const Log log;
  const std::shared_ptr<DigestLimits> digests;

  FolderQueue queue;
  std::vector<FolderJob> revisits;  ///< folders with young files, to be looked at once more
  std::optional<Path> resume_from;  ///< subtrees before it are done
  Notifier progressed;
  WalkReport report;
  std::optional<Error> failure;  ///< the first error that ends the walk

  bool ending() const { return stop->stopped() || failure.has_value(); }
  void fail_with(Error error);

  /// The newest change known before this call, at most a second old: older is only more careful, and costs
  /// nothing.
  task<result<ChangeId>> seen_changes();

  /// Findings go to metadata (not in a dry run) and to the report.
  Finding finding(FindingKind kind, Path path, std::string detail) const;
  task<result<void>> tell(std::vector<Finding> findings);

  /// After a whole walk: what earlier walks found here and this one did not is settled.
  task<result<void>> settle_findings();

  /// Withdraws what was proved to be missing or wrong, as far as the brake allows, and counts it.
  task<result<void>> withdraw(std::vector<Withdrawal> withdrawals);
  /// Reads the brake of earlier walks; `withdrawn` are those of the earlier parts of this one. `files` that
  /// the last whole walk saw stand for the copies recorded here, where there was one: counting those anew is
  /// a long scan.
  task<result<void>> load_brake(std::uint64_t withdrawn, std::optional<std::uint64_t> files);
  bool brake_holds() const { return brake_holds_; }
  /// Remembers the brake, or lets go of it after a whole walk that found few missing. The error is that of
  /// the walk.
  task<result<void>> settle_brake(bool whole);
  std::uint64_t withdrawn() const { return withdrawn_; }

 private:
  task<result<void>> drop_owed(std::vector<Withdrawal>& withdrawals);
  task<result<bool>> may_withdraw(std::size_t count);
  task<result<bool>> is_over(Finding finding);
  void count(FindingKind reason);
  void keep(const Finding& finding);

  std::set<std::pair<FindingKind, Path>> told_;  // bounded by kMaxTold

  ChangeId seen_;
  std::optional<Clock::SteadyTime> seen_at_;

  bool brake_holds_ = false;
  bool brake_held_before_ = false;
  std::uint64_t withdrawn_ = 0;           // in all parts of this walk
  std::optional<std::uint64_t> counted_;  // copies on this node when the first was to be withdrawn
};

/// Walks one folder: queues its subfolders as soon as they are known, and marks it done unless the walk is
/// ending.
task<void> walk_folder(std::shared_ptr<WalkState> state, FolderJob job);

}  // namespace geogrid
