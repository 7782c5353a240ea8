#include "base/units.hpp"
#include "replication/replicator.hpp"
#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

constexpr std::uint64_t kUnit = 4096;  // files a step
/// After a copy was dropped. The file may be in the queue still, where this node owed something on its path:
/// no change tells when that is done.
constexpr std::chrono::milliseconds kLookAgain{500};

class ReplicateWorker final : public Worker {
 public:
  ReplicateWorker(NodeVolume node, std::shared_ptr<NodeGate> gate, std::shared_ptr<Replicator> replicator,
                  std::chrono::milliseconds poll, std::shared_ptr<StopSignal> stop, Log log)
      : node_(std::move(node)),
        gate_(std::move(gate)),
        replicator_(std::move(replicator)),
        poll_(poll),
        stop_(std::move(stop)),
        log_(std::move(log)) {}

  std::string name() const override { return "replicate " + node_.volume->node(); }
  std::string status() const override { return replicator_->status(); }
  task<result<WorkerStep>> step() override;

 private:
  const NodeVolume node_;
  const std::shared_ptr<NodeGate> gate_;
  const std::shared_ptr<Replicator> replicator_;
  const std::chrono::milliseconds poll_;
  const std::shared_ptr<StopSignal> stop_;
  const Log log_;
  bool cleaned_ = false;
};

task<result<WorkerStep>> ReplicateWorker::step() {
  if (!cleaned_) {
    GG_CO_TRY(const std::size_t removed, co_await node_.volume->clean_temporary());
    if (removed > 0)
      log_.info("node {}: {} temporary files of earlier runs removed", node_.volume->node(), removed);
    cleaned_ = true;
  }
  GG_CO_CHECK(co_await gate_->pass());
  const ReplicateReport report = co_await replicator_->run(stop_);
  if (report.copied + report.adopted > 0)
    log_.info("node {}: {} copies ({}) in {}, {} adopted, {} failed", node_.volume->node(),
              format_count(report.copied), format_size(report.copied_bytes), format_duration(report.duration),
              report.adopted, report.failed);
  for (const Finding& finding : report.findings)
    log_.warning("{} on node {}: {}: {}", printable(finding.path.str()), finding.node.value,
                 name_of(finding.kind), finding.detail);
  // By hand, or by another machine that shares the volume: let it.
  if (!report.end && report.end.error().is(errc::busy)) co_return WorkerStep::idle(poll_);
  if (!report.end && report.end.error().is(errc::volume_absent)) gate_->closed();
  if (!report.end) co_return report.end.error();
  if (report.may_be_more) co_return WorkerStep::busy();
  if (report.dropped > 0) co_return WorkerStep::throttled(kLookAgain);
  co_return WorkerStep::idle(poll_);
}

}  // namespace

std::shared_ptr<Worker> make_replicate_worker(MetadataStore& store, NodeVolume node,
                                              std::shared_ptr<NodeGate> gate,
                                              const StorageLoopsOptions& options,
                                              std::shared_ptr<StopSignal> stop, Log log) {
  ReplicateOptions replicate;
  replicate.sources = options.all;
  replicate.parallel = options.parallel;
  replicate.rate = options.rate;
  replicate.min_free = options.min_free;
  replicate.at_most = kUnit;
  replicate.clock = options.clock;
  replicate.random = options.random;
  auto replicator = make_replicator(store, node, std::move(replicate), log);
  return std::make_shared<ReplicateWorker>(std::move(node), std::move(gate), std::move(replicator),
                                           options.poll_every, std::move(stop), std::move(log));
}

}  // namespace geogrid
