#include "replication/storage_loops.hpp"

#include "async/task_group.hpp"
#include "base/units.hpp"
#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

// Wakes the workers that a change may concern.
class WakeOnChange final : public ChangeListener {
 public:
  std::vector<WorkerLoop*> on_any;
  std::vector<WorkerLoop*> on_nodes_and_names;

  void on_changes(std::span<const Change> changes) override {
    wake(on_any);
    for (const Change& change : changes)
      if (change.kind == ChangeKind::node || change.kind == ChangeKind::moved)
        return wake(on_nodes_and_names);
  }
  void on_gap() override {
    wake(on_any);
    wake(on_nodes_and_names);
  }

 private:
  static void wake(const std::vector<WorkerLoop*>& loops) {
    for (WorkerLoop* loop : loops) loop->wake();
  }
};

class Loops final : public StorageLoops {
 public:
  Loops(MetadataStore& store, ChangeFeed& feed, StorageLoopsOptions options, Log log)
      : store_(store), feed_(feed), options_(std::move(options)), log_(std::move(log)) {}

  task<result<void>> run(std::shared_ptr<StopSignal> stop) override {
    co_return co_await run_shielded(stop, run_loops(stop));
  }

  std::vector<std::string> status() const override {
    std::vector<std::string> lines;
    for (const auto& loop : loops_)
      lines.push_back(fmt::format("{}: {}", loop->worker().name(), loop->worker().status()));
    return lines;
  }

 private:
  task<result<void>> run_loops(std::shared_ptr<StopSignal> stop);
  WorkerLoop* add(std::shared_ptr<Worker> worker, std::chrono::milliseconds last_retry);

  MetadataStore& store_;
  ChangeFeed& feed_;
  const StorageLoopsOptions options_;
  const Log log_;
  std::vector<std::unique_ptr<WorkerLoop>> loops_;
};

WorkerLoop* Loops::add(std::shared_ptr<Worker> worker, std::chrono::milliseconds last_retry) {
  WorkerLoop::Options options;
  options.last_retry = last_retry;
  options.clock = options_.clock;
  options.random = options_.random;
  loops_.push_back(std::make_unique<WorkerLoop>(std::move(worker), log_, options));
  return loops_.back().get();
}

task<result<void>> Loops::run_loops(std::shared_ptr<StopSignal> stop) {
  WakeOnChange wake;
  loops_.clear();
  for (const NodeVolume& node : options_.own) {
    add(make_heartbeat_worker(store_, node, options_), options_.heartbeat_every);
    wake.on_any.push_back(
        add(make_replicate_worker(store_, node, options_, stop, log_), options_.poll_every));
    add(make_walk_worker(store_, node, options_, stop, log_), std::chrono::minutes(1));
  }
  wake.on_nodes_and_names.push_back(add(make_jobs_worker(store_, options_), options_.poll_every));
  feed_.subscribe(wake);
  TaskGroup group(loops_.size());
  for (const auto& loop : loops_) co_await group.start(loop->run(stop));
  co_await group.wait();
  feed_.unsubscribe(wake);
  co_return result<void>();
}

}  // namespace

std::unique_ptr<StorageLoops> make_storage_loops(MetadataStore& store, ChangeFeed& feed,
                                                 StorageLoopsOptions options, Log log) {
  return std::make_unique<Loops>(store, feed, std::move(options), std::move(log));
}

}  // namespace geogrid
