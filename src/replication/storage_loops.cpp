#include "replication/storage_loops.hpp"

#include <algorithm>

#include "async/task_group.hpp"
#include "base/units.hpp"
#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

// Wakes the workers that a change may concern.
class WakeOnChange final : public ChangeListener {
 public:
  std::vector<WorkerLoop*> on_any;
  std::vector<WorkerLoop*> on_nodes_and_moves;
  std::vector<WorkerLoop*> on_names;
  std::vector<WorkerLoop*> on_content;

  void on_changes(std::span<const Change> changes) override {
    const auto any = [&](auto... kinds) {
      return std::ranges::any_of(changes,
                                 [&](const Change& change) { return ((change.kind == kinds) || ...); });
    };
    wake(on_any);
    if (any(ChangeKind::node, ChangeKind::moved)) wake(on_nodes_and_moves);
    if (any(ChangeKind::removed, ChangeKind::moved)) wake(on_names);
    if (any(ChangeKind::content)) wake(on_content);
  }
  void on_gap() override {
    for (const auto* loops : {&on_any, &on_nodes_and_moves, &on_names, &on_content}) wake(*loops);
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
  void add_node(const NodeVolume& node, std::shared_ptr<IntentRunner> runner,
                std::shared_ptr<StopSignal> stop, WakeOnChange& wake);

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

void Loops::add_node(const NodeVolume& node, std::shared_ptr<IntentRunner> runner,
                     std::shared_ptr<StopSignal> stop, WakeOnChange& wake) {
  const auto gate = std::make_shared<NodeGate>(std::move(runner), node.index);
  const auto poll = options_.poll_every;
  add(make_heartbeat_worker(store_, node, gate, options_), options_.heartbeat_every);
  wake.on_any.push_back(add(make_replicate_worker(store_, node, gate, options_, stop, log_), poll));
  add(make_walk_worker(store_, node, gate, options_, stop, log_), std::chrono::minutes(1));
  wake.on_names.push_back(add(make_debts_worker(node, gate, options_), poll));
  add(make_salvage_worker(store_, node, gate, options_, log_), std::chrono::minutes(1));
  wake.on_content.push_back(add(make_hash_worker(store_, node, options_, stop, log_), poll));
  add(make_trash_worker(node, options_, log_), std::chrono::minutes(10));
}

task<result<void>> Loops::run_loops(std::shared_ptr<StopSignal> stop) {
  WakeOnChange wake;
  loops_.clear();
  const auto executor = co_await asio::this_coro::executor;
  const LeaseOwner owner{options_.random->next() | 1U};
  const auto runner = std::make_shared<IntentRunner>(executor, store_, options_.own, owner, log_);
  for (const NodeVolume& node : options_.own) add_node(node, runner, stop, wake);
  wake.on_nodes_and_moves.push_back(add(make_jobs_worker(store_, options_), options_.poll_every));
  feed_.subscribe(wake);
  TaskGroup group(loops_.size());
  for (const auto& loop : loops_) co_await group.start(loop->run(stop));
  co_await group.wait();
  feed_.unsubscribe(wake);
  runner->close();
  co_return result<void>();
}

}  // namespace

std::unique_ptr<StorageLoops> make_storage_loops(MetadataStore& store, ChangeFeed& feed,
                                                 StorageLoopsOptions options, Log log) {
  return std::make_unique<Loops>(store, feed, std::move(options), std::move(log));
}

}  // namespace geogrid
