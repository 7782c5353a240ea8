#include "base/units.hpp"
#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

class HeartbeatWorker final : public Worker {
 public:
  HeartbeatWorker(MetadataStore& store, NodeVolume node, std::shared_ptr<NodeGate> gate,
                  std::chrono::milliseconds every)
      : store_(store), node_(std::move(node)), gate_(std::move(gate)), every_(every) {}

  std::string name() const override { return "heartbeat " + node_.volume->node(); }
  std::string status() const override { return status_; }

  task<result<WorkerStep>> step() override {
    const auto space = co_await node_.volume->probe();
    if (!space) {
      status_ = space.error().message;
      gate_->closed();
      co_return space.error();
    }
    GG_CO_CHECK(co_await store_.heartbeat(node_.index, space->free_bytes, space->total_bytes));
    status_ = fmt::format("{} of {} free", format_size(space->free_bytes), format_size(space->total_bytes));
    co_return WorkerStep::idle(every_);
  }

 private:
  MetadataStore& store_;
  const NodeVolume node_;
  const std::shared_ptr<NodeGate> gate_;
  const std::chrono::milliseconds every_;
  std::string status_ = "starting";
};

}  // namespace

std::shared_ptr<Worker> make_heartbeat_worker(MetadataStore& store, NodeVolume node,
                                              std::shared_ptr<NodeGate> gate,
                                              const StorageLoopsOptions& options) {
  return std::make_shared<HeartbeatWorker>(store, std::move(node), std::move(gate), options.heartbeat_every);
}

}  // namespace geogrid
