#include <optional>

#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kLeases = 100;
constexpr std::chrono::minutes kPruneEvery{10};

class JobsWorker final : public Worker {
 public:
  JobsWorker(MetadataStore& store, const StorageLoopsOptions& options)
      : store_(store), poll_(options.poll_every), keep_(options.keep_changes), clock_(options.clock) {}

  std::string name() const override { return "jobs"; }
  std::string status() const override { return status_; }

  task<result<WorkerStep>> step() override {
    GG_CO_TRY(const bool more_jobs, co_await store_.run_jobs());
    GG_CO_TRY(const auto expired, co_await store_.expire_leases(kLeases));
    bool more_changes = false;
    const auto now = clock_->steady();
    if (!pruned_at_ || now - *pruned_at_ >= kPruneEvery) {
      GG_CO_TRY(more_changes, co_await store_.prune_changes(keep_));
      if (!more_changes) pruned_at_ = now;
    }
    const bool more = more_jobs || more_changes || expired.size() == kLeases;
    status_ = more ? "working" : "waiting";
    co_return more ? WorkerStep::busy() : WorkerStep::idle(poll_);
  }

 private:
  MetadataStore& store_;
  const std::chrono::milliseconds poll_;
  const std::chrono::seconds keep_;
  const Clock* clock_;
  std::optional<Clock::SteadyTime> pruned_at_;
  std::string status_ = "waiting";
};

}  // namespace

std::shared_ptr<Worker> make_jobs_worker(MetadataStore& store, const StorageLoopsOptions& options) {
  return std::make_shared<JobsWorker>(store, options);
}

}  // namespace geogrid
