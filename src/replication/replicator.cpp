#include "replication/replicator.hpp"

#include <algorithm>

#include "async/task_group.hpp"
#include "base/units.hpp"
#include "replication/copy_run.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kTake = 256;      // files taken from the queue at a time
constexpr std::size_t kBatch = 128;     // files published at a time
constexpr std::size_t kGoodBatch = 32;  // worth a second publication beside one under way
constexpr std::size_t kPublications = 2;
constexpr std::size_t kMaxReady = 192;  // each holds a descriptor
constexpr std::chrono::seconds kProbeEvery{2};

/// One run: takes work, keeps the stages busy, ends them.
class Pipeline {
 public:
  explicit Pipeline(std::shared_ptr<CopyRun> run)
      : run_(std::move(run)),
        copies_(std::max<std::size_t>(1, run_->options.parallel), look_again()),
        publications_(kPublications, look_again()),
        takes_(1, look_again()) {}

  task<result<void>> run();

 private:
  const Clock& clock() const { return *run_->options.clock; }
  std::function<void()> look_again() const {
    return [run = run_] { run->changed.notify_all(); };
  }
  task<bool> advance();
  bool wants_work() const;
  task<void> take_work();
  bool may_publish() const;
  bool may_copy() const;
  std::uint64_t room() const;
  task<void> start_publication();
  task<void> start_copy();
  task<result<void>> look_at_space();
  task<void> end_stages();
  void show_progress(bool at_once);

  const std::shared_ptr<CopyRun> run_;
  TaskGroup copies_;
  TaskGroup publications_;
  TaskGroup takes_;
  std::deque<WorkItem> todo_;
  bool queue_empty_ = false;
  std::uint64_t free_bytes_ = 0;
  std::optional<Clock::SteadyTime> probed_at_;
  Clock::SteadyTime shown_at_{};
  const Clock::SteadyTime began_ = run_->options.clock->steady();
};

task<result<void>> Pipeline::run() {
  const StopSignal::Link link(*run_->stop, run_->changed);
  GG_CO_TRY(const std::vector<NodeRecord> nodes, co_await run_->store.nodes(NodeKind::storage));
  run_->memory->sources.set_nodes(nodes);
  shown_at_ = clock().steady();
  for (bool more = true; more && !run_->ending();) more = co_await advance();
  co_await end_stages();
  show_progress(true);
  const auto returned = co_await run_->flush_returns();
  if (run_->failure) co_return *run_->failure;
  if (run_->stop->stopped()) co_return fail(errc::cancelled, "stopped");
  co_return returned;
}

// Starts one thing, or waits for something to end; false when nothing is left.
task<bool> Pipeline::advance() {
  show_progress(false);
  if (auto space = co_await look_at_space(); !space) {
    run_->fail_with(space.error());
    co_return false;
  }
  if (wants_work()) co_await takes_.start(take_work());
  if (may_publish()) {
    co_await start_publication();
  } else if (may_copy()) {
    co_await start_copy();
  } else if (copies_.running() + publications_.running() + takes_.running() > 0) {
    co_await run_->changed.wait_for(run_->options.progress_every);
  } else {
    co_return !todo_.empty() || !run_->ready.empty();
  }
  co_return true;
}

bool Pipeline::wants_work() const {
  if (queue_empty_ || takes_.running() > 0 || todo_.size() >= kTake / 2) return false;
  return run_->options.at_most == 0 || run_->report.taken < run_->options.at_most;
}

task<void> Pipeline::take_work() {
  std::size_t limit = kTake;
  if (run_->options.at_most > 0)
    limit = std::min<std::size_t>(limit, run_->options.at_most - run_->report.taken);
  auto items =
      co_await run_->store.take_work(run_->node, run_->store.origin().value, limit, run_->options.hold);
  if (!items) {
    run_->fail_with(std::move(items).error());
  } else {
    queue_empty_ = items->empty();
    run_->report.taken += items->size();
    run_->report.may_be_more = run_->options.at_most > 0 && run_->report.taken >= run_->options.at_most;
    for (WorkItem& item : *items)
      if (run_->in_hand.insert(item.inode.id).second) todo_.push_back(std::move(item));
  }
  run_->changed.notify_all();
}

bool Pipeline::may_publish() const {
  if (run_->ready.empty() || publications_.running() >= kPublications) return false;
  return publications_.running() == 0 || run_->ready.size() >= kGoodBatch;
}

task<void> Pipeline::start_publication() {
  auto& ready = run_->ready;
  const auto end = ready.begin() + static_cast<std::ptrdiff_t>(std::min(kBatch, ready.size()));
  std::vector<Fetched> batch(std::make_move_iterator(ready.begin()), std::make_move_iterator(end));
  ready.erase(ready.begin(), end);
  co_await publications_.start(publish_batch(run_, std::move(batch)));
}

bool Pipeline::may_copy() const {
  if (todo_.empty() || copies_.running() >= run_->options.parallel || run_->ready.size() >= kMaxReady)
    return false;
  // Where room is short, what is on its way comes to rest first: part of it is on the disk already, part is
  // not.
  return todo_.front().inode.size <= room() || run_->in_flight_bytes == 0;
}

std::uint64_t Pipeline::room() const {
  return free_bytes_ - std::min(free_bytes_, run_->options.min_free + run_->in_flight_bytes);
}

task<void> Pipeline::start_copy() {
  WorkItem item = std::move(todo_.front());
  todo_.pop_front();
  if (item.inode.size > room()) {  // even with nothing in flight
    ++run_->report.too_large;
    run_->give_up(item);
    co_return;
  }
  run_->in_flight_bytes += item.inode.size;
  co_await copies_.start(fetch_item(run_, std::move(item)));
}

task<result<void>> Pipeline::look_at_space() {
  const auto now = clock().steady();
  const bool short_of_room =
      run_->in_flight_bytes == 0 && !todo_.empty() && todo_.front().inode.size > room();
  if (probed_at_ && now - *probed_at_ < kProbeEvery && !short_of_room) co_return result<void>();
  probed_at_ = now;
  GG_CO_TRY(const VolumeSpace space, co_await run_->destination->probe());
  free_bytes_ = space.free_bytes;
  if (free_bytes_ >= run_->options.min_free) co_return result<void>();
  co_return fail(errc::low_space,
                 "node {} has {} free, and {} are to stay free (storage.min_free): nothing is copied to it",
                 run_->destination->node(), format_size(free_bytes_), format_size(run_->options.min_free));
}

// What is being published gets counted; what is not there yet is given back.
task<void> Pipeline::end_stages() {
  co_await takes_.wait();
  co_await copies_.wait();
  co_await publications_.wait();
  // A disk that is full takes no more bytes, but the names of those it has.
  while (!run_->ready.empty() && run_->failure && run_->failure->is(errc::low_space) &&
         !run_->stop->stopped()) {
    co_await start_publication();
    co_await publications_.wait();
  }
  for (const WorkItem& item : todo_) run_->give_back(item);
  for (const Fetched& one : run_->ready) run_->give_back(one.item);
  run_->ready.clear();
}

void Pipeline::show_progress(bool at_once) {
  const auto now = clock().steady();
  if (!run_->options.on_progress || (!at_once && now - shown_at_ < run_->options.progress_every)) return;
  shown_at_ = now;
  ReplicateProgress progress;
  progress.files = run_->report.copied + run_->report.adopted;
  progress.bytes = run_->report.copied_bytes;
  progress.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
  const double seconds = std::max(0.001, static_cast<double>(progress.elapsed.count()) / 1000.0);
  progress.files_per_second = static_cast<double>(progress.files) / seconds;
  progress.bytes_per_second = static_cast<double>(progress.bytes) / seconds;
  run_->options.on_progress(progress);
}

class NodeReplicator final : public Replicator, public std::enable_shared_from_this<NodeReplicator> {
 public:
  NodeReplicator(MetadataStore& store, NodeVolume destination, ReplicateOptions options, Log log)
      : store_(store),
        destination_(std::move(destination)),
        options_(std::move(options)),
        log_(log.named("replicate")),
        memory_(std::make_shared<ReplicatorMemory>(ReplicatorMemory{
            SourceSet(options_.sources, destination_.index), Throttle(options_.rate), {}, {}})) {}

  task<ReplicateReport> run(std::shared_ptr<StopSignal> stop) override {
    co_return co_await run_shielded(stop, run_held(shared_from_this(), stop));
  }
  std::string status() const override;

 private:
  static task<ReplicateReport> run_held(std::shared_ptr<NodeReplicator> self,
                                        std::shared_ptr<StopSignal> stop) {
    const auto began = self->options_.clock->steady();
    auto run = std::make_shared<CopyRun>(self->store_, self->destination_, self->options_, self->memory_,
                                         stop, self->log_);
    self->current_ = run;
    run->report.end = co_await self->run_locked(run);
    self->current_ = nullptr;
    run->report.duration =
        std::chrono::duration_cast<std::chrono::milliseconds>(self->options_.clock->steady() - began);
    self->copied_ += run->report.copied + run->report.adopted;
    co_return run->report;
  }
  task<result<void>> run_locked(std::shared_ptr<CopyRun> run);

  MetadataStore& store_;
  const NodeVolume destination_;
  const ReplicateOptions options_;
  const Log log_;
  const std::shared_ptr<ReplicatorMemory> memory_;
  std::shared_ptr<CopyRun> current_;
  std::uint64_t copied_ = 0;
};

task<result<void>> NodeReplicator::run_locked(std::shared_ptr<CopyRun> run) {
  auto lock = co_await destination_.volume->lock("replicate");
  if (!lock && lock.error().is(errc::busy))
    co_return fail(errc::busy, "another process replicates to node {} already", destination_.volume->node());
  if (!lock) co_return std::move(lock).error();
  auto pipeline = std::make_unique<Pipeline>(run);
  co_return co_await pipeline->run();
}

std::string NodeReplicator::status() const {
  const std::uint64_t now = current_ ? current_->report.copied + current_->report.adopted : 0;
  return fmt::format("{}: {}, {} copied", destination_.volume->node(), current_ ? "copying" : "waiting",
                     format_count(copied_ + now));
}

}  // namespace

std::shared_ptr<Replicator> make_replicator(MetadataStore& store, NodeVolume destination,
                                            ReplicateOptions options, Log log) {
  return std::make_shared<NodeReplicator>(store, std::move(destination), std::move(options), std::move(log));
}

}  // namespace geogrid
