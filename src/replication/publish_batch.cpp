// The second stage of replication: names on the disk, then records in metadata; what does not fit is cleaned
// up.

#include <set>

#include "async/task_group.hpp"
#include "replication/copy_run.hpp"
#include "replication/folder_compare.hpp"
#include "replication/folder_listing.hpp"
#include "replication/recorded_folders.hpp"

namespace geogrid {
namespace {

constexpr int kTries = 3;  // how often what lies in the way is put aside
constexpr std::size_t kParallelFolders = 8;

// Where this fails, the publication below it fails too, or makes the folder with plain attributes.
task<void> make_folders(std::shared_ptr<CopyRun> run, Path path) {
  (void)co_await make_recorded_folders(run->store, run->destination, std::move(path), run->memory->folders);
}

class Batch {
 public:
  Batch(std::shared_ptr<CopyRun> run, std::vector<Fetched> batch)
      : run_(std::move(run)), batch_(std::move(batch)) {}

  task<void> run();

 private:
  // A copy under its name, about to be counted.
  struct Placed {
    WorkItem item;
    Digest digest;
    std::shared_ptr<IncomingFile> file;  ///< nullptr: it lay there before
  };

  task<void> prepare_folders();
  task<void> publish();
  task<void> failed(const Fetched& one, Error error);
  task<void> make_way(Fetched one);
  task<void> adopt_or_put_aside(Fetched one, DiskEntry there);
  task<bool> may_put_aside(WorkItem item, DiskEntry there);
  task<void> put_aside(Fetched one, DiskEntry there);
  task<void> count();
  task<void> take_back(const Placed& placed);
  void over(const WorkItem& item) { run_->in_flight_bytes -= item.inode.size; }

  const std::shared_ptr<CopyRun> run_;
  std::vector<Fetched> batch_;
  std::vector<Placed> placed_;
};

task<void> Batch::run() {
  co_await prepare_folders();
  co_await publish();
  co_await count();
}

task<void> Batch::prepare_folders() {
  std::set<Path> parents;
  for (const Fetched& one : batch_)
    if (const Path parent = one.item.path.parent();
        !parent.is_root() && !run_->memory->folders.contains(parent.str()))
      parents.insert(parent);
  TaskGroup group(kParallelFolders);
  for (const Path& parent : parents) co_await group.start(make_folders(run_, parent));
  co_await group.wait();
}

task<void> Batch::publish() {
  std::vector<PublishRequest> requests;
  requests.reserve(batch_.size());
  for (const Fetched& one : batch_) requests.push_back({one.file, one.item.path, one.item.inode.attributes});
  const auto outcomes = co_await run_->destination->publish(std::move(requests));
  std::vector<Fetched> occupied;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    Fetched& one = batch_[i];
    if (!outcomes[i])
      co_await failed(one, outcomes[i].error());
    else if (*outcomes[i] == PublishOutcome::occupied)
      occupied.push_back(std::move(one));
    else
      placed_.push_back({std::move(one.item), std::move(one.digest), std::move(one.file)});
  }
  for (Fetched& one : occupied) co_await make_way(std::move(one));
}

task<void> Batch::failed(const Fetched& one, Error error) {
  over(one.item);
  if (run_->destination_failed(error)) {
    run_->give_back(one.item);
    co_return;
  }
  // A folder that was known to be there may be gone.
  run_->memory->folders.clear();
  run_->log.warning("{}: {}", printable(one.item.path.str()), error.message);
  if (error.is(std::errc::not_a_directory) || error.is(errc::not_a_folder))
    co_await run_->tell(
        run_->finding(FindingKind::type_conflict, run_->node, one.item.path.parent(), "no folder here"));
  run_->give_up(one.item);
}

task<void> Batch::make_way(Fetched one) {
  const auto there = co_await run_->destination->stat(one.item.path);
  if (!there && there.error().is(std::errc::no_such_file_or_directory)) {
    run_->ready.push_back(std::move(one));  // gone again
  } else if (!there) {
    co_await failed(one, there.error());
  } else if (there->type == FileType::folder) {
    over(one.item);
    co_await run_->tell(run_->finding(FindingKind::type_conflict, run_->node, one.item.path,
                                      "a folder here, a file in metadata"));
    run_->give_up(one.item);
  } else {
    co_await adopt_or_put_aside(std::move(one), *there);
  }
}

task<void> Batch::adopt_or_put_aside(Fetched one, DiskEntry there) {
  const Inode& recorded = one.item.inode;
  if (there.type == FileType::file && there.size == recorded.size) {
    std::vector<Path> paths{one.item.path};
    const auto digested = co_await run_->destination->digest(std::move(paths), one.digest.algorithm, false);
    if (!digested.front() && ends_traversal(digested.front().error()))
      co_return co_await failed(one, digested.front().error());
    if (digested.front() && digested.front()->digest == one.digest) {
      if (!same_mtime(there.attributes.mtime, recorded.attributes.mtime))
        (void)co_await run_->destination->set_mtime(one.item.path, recorded.attributes.mtime);
      placed_.push_back({std::move(one.item), std::move(one.digest), nullptr});
      co_return;
    }
  }
  if (++one.tries > kTries) {
    over(one.item);
    run_->give_up(one.item);
    co_return;
  }
  co_await put_aside(std::move(one), std::move(there));
}

// What lies there may be a later version that this node was given meanwhile, or what a writer has just put
// there and is about to record: the store says so by refusing to call it a conflict.
task<bool> Batch::may_put_aside(WorkItem item, DiskEntry there) {
  const auto now = co_await run_->store.get(item.inode.id);
  if (!now || now->version != item.inode.version || now->replicas.contains(run_->node)) co_return false;
  std::vector<Withdrawal> asked{
      {item.inode.id, item.inode.version, item.path, FindingKind::conflict, "other content lies here"}};
  const auto nobodys = co_await run_->store.withdraw_copies(run_->node, std::move(asked));
  if (!nobodys || !nobodys->front()) co_return false;
  const auto still = co_await run_->destination->stat(item.path);
  co_return still && still->disk_inode == there.disk_inode && still->disk_device == there.disk_device;
}

task<void> Batch::put_aside(Fetched one, DiskEntry there) {
  const bool may = co_await may_put_aside(one.item, std::move(there));
  if (!may) {
    over(one.item);
    ++run_->report.dropped;
    run_->put_off(one.item);
    co_return;
  }
  const bool stale = one.item.inode.older.contains(run_->node);
  const auto reason = stale ? AsideReason::stale_version : AsideReason::conflict;
  const auto where =
      co_await run_->destination->put_aside(one.item.path, reason, run_->options.clock->wall());
  if (!where && !where.error().is(std::errc::no_such_file_or_directory))
    co_return co_await failed(one, where.error());
  if (where) ++(stale ? run_->report.stale_aside : run_->report.conflicts);
  if (where && !stale)
    co_await run_->tell(
        run_->finding(FindingKind::conflict, run_->node, one.item.path,
                      fmt::format("other content lay here; it is in {} now", printable(*where))));
  run_->ready.push_back(std::move(one));
}

task<void> Batch::count() {
  if (placed_.empty()) co_return;
  std::vector<CopyClaim> claims;
  claims.reserve(placed_.size());
  for (const Placed& one : placed_)
    claims.push_back(
        {one.item.inode.id, one.item.inode.version, one.item.path, one.item.inode.size, one.digest});
  const auto outcomes = co_await run_->store.claim_copies(run_->node, std::move(claims), false);
  for (const Placed& one : placed_) {
    over(one.item);
    run_->in_hand.erase(one.item.inode.id);
  }
  if (!outcomes) {
    // Whether they count is unknown: they stay, and are adopted when their turn comes again.
    run_->fail_with(outcomes.error());
    for (const Placed& one : placed_) run_->give_back(one.item);
    co_return;
  }
  ReplicateReport& report = run_->report;
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    const Placed& one = placed_[i];
    if ((*outcomes)[i] == ClaimOutcome::counted) {
      ++(one.file != nullptr ? report.copied : report.adopted);
      if (one.file != nullptr) report.copied_bytes += one.item.inode.size;
      continue;
    }
    ++report.dropped;
    co_await take_back(one);
    if ((*outcomes)[i] == ClaimOutcome::mismatch) run_->give_up(one.item);
  }
}

task<void> Batch::take_back(const Placed& placed) {
  if (placed.file == nullptr) co_return;  // not ours to remove
  const auto done = co_await run_->destination->take_back(placed.item.path, placed.file->identity());
  if (done || done.error().is(errc::stale) || done.error().is(std::errc::no_such_file_or_directory))
    co_return;
  if (!run_->destination_failed(done.error()))
    run_->log.warning("{} stays, uncounted: {}", printable(placed.item.path.str()), done.error().message);
}

}  // namespace

task<void> publish_batch(std::shared_ptr<CopyRun> run, std::vector<Fetched> batch) {
  auto one = std::make_unique<Batch>(run, std::move(batch));
  co_await one->run();
  run->changed.notify_all();
}

}  // namespace geogrid
