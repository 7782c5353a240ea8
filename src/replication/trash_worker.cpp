#include "base/units.hpp"
#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kUnit = 1000;  // entries a step
constexpr std::chrono::milliseconds kBreath{100};
constexpr std::chrono::hours kEvery{1};

class TrashWorker final : public Worker {
 public:
  TrashWorker(NodeVolume node, const StorageLoopsOptions& options, Log log)
      : node_(std::move(node)), keep_(options.trash_keep), clock_(options.clock), log_(std::move(log)) {}

  std::string name() const override { return "trash " + node_.volume->node(); }
  std::string status() const override { return status_; }
  task<result<WorkerStep>> step() override;

 private:
  const NodeVolume node_;
  const std::chrono::milliseconds keep_;
  const Clock* clock_;
  const Log log_;
  TrashPurge purged_;  // since the last rest
  std::string status_ = "waiting";
};

task<result<WorkerStep>> TrashWorker::step() {
  GG_CO_TRY(const std::vector<TrashDate> dates, co_await node_.volume->trash_dates());
  const std::string first_kept = first_day_kept(clock_->wall(), keep_);
  for (const TrashDate& date : dates) {
    if (date.day >= first_kept) continue;
    status_ = "purging " + date.name;
    GG_CO_TRY(const TrashPurge purge, co_await node_.volume->purge_trash(date.name, Path(), kUnit));
    purged_.files += purge.files;
    purged_.bytes += purge.bytes;
    if (purge.more) co_return WorkerStep::throttled(kBreath);
  }
  if (purged_.files > 0)
    log_.info("node {}: {} files ({}) purged from the trash", node_.volume->node(),
              format_count(purged_.files), format_size(purged_.bytes));
  purged_ = TrashPurge();
  status_ = "waiting";
  co_return WorkerStep::idle(kEvery);
}

}  // namespace

std::string first_day_kept(Timestamp now, std::chrono::milliseconds keep) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(keep).count();
  return Timestamp{now.seconds - seconds, 0}.str().substr(0, 10);
}

std::shared_ptr<Worker> make_trash_worker(NodeVolume node, const StorageLoopsOptions& options, Log log) {
  return std::make_shared<TrashWorker>(std::move(node), options, std::move(log));
}

}  // namespace geogrid
