#include "base/units.hpp"
#include "replication/storage_workers.hpp"
#include "replication/walk_checkpoint.hpp"
#include "replication/walker.hpp"

namespace geogrid {
namespace {

constexpr std::chrono::minutes kBusyWait{1};

class WalkWorker final : public Worker {
 public:
  WalkWorker(MetadataStore& store, NodeVolume node, std::shared_ptr<NodeGate> gate, WalkOptions walk,
             std::chrono::milliseconds cycle, std::shared_ptr<StopSignal> stop, Log log)
      : store_(store),
        node_(std::move(node)),
        gate_(std::move(gate)),
        walk_(std::move(walk)),
        cycle_(cycle),
        stop_(std::move(stop)),
        log_(std::move(log)) {}

  std::string name() const override { return "walk " + node_.volume->node(); }
  std::string status() const override { return *status_; }
  task<result<WorkerStep>> step() override;

 private:
  task<result<std::chrono::milliseconds>> due_in();
  void tell(const WalkReport& report);

  MetadataStore& store_;
  const NodeVolume node_;
  const std::shared_ptr<NodeGate> gate_;
  const WalkOptions walk_;
  const std::chrono::milliseconds cycle_;
  const std::shared_ptr<StopSignal> stop_;
  const Log log_;
  const std::shared_ptr<std::string> status_ = std::make_shared<std::string>("waiting");
};

task<result<std::chrono::milliseconds>> WalkWorker::due_in() {
  using std::chrono::milliseconds;
  GG_CO_TRY(const std::string interrupted, co_await store_.checkpoint(node_.index, kWalkCheckpoint));
  GG_CO_TRY(const std::string text, co_await store_.checkpoint(node_.index, kWalkTotals));
  const auto last = WalkTotals::parse(text);
  if (!interrupted.empty() || !last) co_return milliseconds(0);
  const auto age = std::chrono::seconds(walk_.clock->wall().seconds - last->finished.seconds);
  // A clock that was set back must not put off the walk for long.
  if (age.count() < 0 || age >= cycle_) co_return milliseconds(0);
  co_return cycle_ - age;
}

task<result<WorkerStep>> WalkWorker::step() {
  GG_CO_TRY(const auto wait, co_await due_in());
  if (wait.count() > 0) {
    *status_ = fmt::format("next in {}", format_duration(wait));
    co_return WorkerStep::idle(wait);
  }
  GG_CO_CHECK(co_await gate_->pass());
  WalkOptions options = walk_;
  options.on_progress = [status = status_](const WalkProgress& progress) {
    *status = fmt::format("{} files{}", format_count(progress.files),
                          progress.left ? fmt::format(", {} left", format_duration(*progress.left)) : "");
  };
  const WalkReport report = co_await walk(store_, node_, std::move(options), stop_, log_);
  *status_ = "waiting";
  if (!report.end && report.end.error().is(errc::busy)) co_return WorkerStep::idle(kBusyWait);
  if (!report.end && !report.end.error().is(errc::refused)) co_return report.end.error();
  tell(report);
  co_return WorkerStep::idle(cycle_);
}

void WalkWorker::tell(const WalkReport& report) {
  const std::string& node = node_.volume->node();
  log_.info("node {}: walked {} files in {}: {} registered, {} counted, {} withdrawn, {} conflicts", node,
            format_count(report.files), format_duration(report.duration),
            format_count(report.registered_files), format_count(report.claimed),
            format_count(report.withdrawn()), format_count(report.conflicts));
  if (!report.end) log_.error("{}", report.end.error().message);
  if (report.unreadable_folders + report.unreadable_files > 0)
    log_.warning("node {}: {} folders and {} files could not be read", node, report.unreadable_folders,
                 report.unreadable_files);
}

}  // namespace

std::shared_ptr<Worker> make_walk_worker(MetadataStore& store, NodeVolume node,
                                         std::shared_ptr<NodeGate> gate, const StorageLoopsOptions& options,
                                         std::shared_ptr<StopSignal> stop, Log log) {
  WalkOptions walk;
  walk.ignore = options.ignore;
  walk.brake_percent = options.brake_percent;
  walk.clock = options.clock;
  return std::make_shared<WalkWorker>(store, std::move(node), std::move(gate), std::move(walk),
                                      options.walk_cycle, std::move(stop), std::move(log));
}

}  // namespace geogrid
