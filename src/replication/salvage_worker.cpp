#include "replication/salvager.hpp"
#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

class SalvageWorker final : public Worker {
 public:
  SalvageWorker(MetadataStore& store, NodeVolume node, std::shared_ptr<NodeGate> gate,
                const StorageLoopsOptions& options, Log log)
      : store_(store),
        node_(std::move(node)),
        gate_(std::move(gate)),
        every_(options.salvage_every),
        clock_(options.clock),
        log_(std::move(log)) {}

  std::string name() const override { return "salvage " + node_.volume->node(); }
  std::string status() const override { return fmt::format("{} drafts salvaged", salvaged_); }

  task<result<WorkerStep>> step() override {
    GG_CO_CHECK(co_await gate_->pass());
    SalvageOptions options;
    options.clock = clock_;
    GG_CO_TRY(const SalvageReport report, co_await salvage_drafts(store_, node_, options, log_));
    salvaged_ += report.salvaged;
    co_return WorkerStep::idle(every_);
  }

 private:
  MetadataStore& store_;
  const NodeVolume node_;
  const std::shared_ptr<NodeGate> gate_;
  const std::chrono::milliseconds every_;
  const Clock* clock_;
  const Log log_;
  std::uint64_t salvaged_ = 0;
};

}  // namespace

std::shared_ptr<Worker> make_salvage_worker(MetadataStore& store, NodeVolume node,
                                            std::shared_ptr<NodeGate> gate,
                                            const StorageLoopsOptions& options, Log log) {
  return std::make_shared<SalvageWorker>(store, std::move(node), std::move(gate), options, std::move(log));
}

}  // namespace geogrid
