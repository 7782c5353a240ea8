#include <optional>

#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

// Clients do what they can at once: what is left for longer than this is ours.
constexpr std::chrono::seconds kLookAgain{2};

class DebtsWorker final : public Worker {
 public:
  DebtsWorker(NodeVolume node, std::shared_ptr<NodeGate> gate, const StorageLoopsOptions& options)
      : node_(std::move(node)), gate_(std::move(gate)), poll_(options.poll_every), clock_(options.clock) {}

  std::string name() const override { return "debts " + node_.volume->node(); }
  std::string status() const override { return status_; }

  task<result<WorkerStep>> step() override {
    const auto now = clock_->steady();
    if (looked_at_ && now - *looked_at_ < kLookAgain)
      co_return WorkerStep::throttled(kLookAgain - (now - *looked_at_));
    looked_at_ = now;
    const auto drained = co_await gate_->drain();
    if (!drained) {
      status_ = drained.error().message;
      co_return drained.error();
    }
    status_ = *drained ? "nothing owed" : "clients are at it";
    co_return *drained ? WorkerStep::idle(poll_) : WorkerStep::throttled(kLookAgain);
  }

 private:
  const NodeVolume node_;
  const std::shared_ptr<NodeGate> gate_;
  const std::chrono::milliseconds poll_;
  const Clock* clock_;
  std::optional<Clock::SteadyTime> looked_at_;
  std::string status_ = "waiting";
};

}  // namespace

std::shared_ptr<Worker> make_debts_worker(NodeVolume node, std::shared_ptr<NodeGate> gate,
                                          const StorageLoopsOptions& options) {
  return std::make_shared<DebtsWorker>(std::move(node), std::move(gate), options);
}

}  // namespace geogrid
