#include <optional>

#include "replication/folder_listing.hpp"
#include "replication/storage_workers.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kPage = 16;
constexpr std::chrono::seconds kLookAgain{1};

// A digest that the worker does not wait for when it is to stop: a large file takes minutes.
struct Hashing {
  std::optional<result<WholeFile>> file;
  Notifier ended;
};

task<void> hash_one(std::shared_ptr<Hashing> hashing, std::shared_ptr<Volume> volume, Path path,
                    DigestAlgorithm algorithm) {
  std::vector<Path> paths{std::move(path)};
  auto files = co_await volume->digest(std::move(paths), algorithm, false);
  hashing->file = std::move(files.front());
  hashing->ended.notify_all();
}

class HashWorker final : public Worker {
 public:
  HashWorker(MetadataStore& store, NodeVolume node, const StorageLoopsOptions& options,
             std::shared_ptr<StopSignal> stop, Log log)
      : store_(store),
        node_(std::move(node)),
        poll_(options.poll_every),
        clock_(options.clock),
        stop_(std::move(stop)),
        log_(std::move(log)) {}

  std::string name() const override { return "hash " + node_.volume->node(); }
  std::string status() const override { return status_; }
  task<result<WorkerStep>> step() override;

 private:
  task<result<void>> hash(WorkItem item);
  task<result<WholeFile>> digest(Path path);

  MetadataStore& store_;
  const NodeVolume node_;
  const std::chrono::milliseconds poll_;
  const Clock* clock_;
  const std::shared_ptr<StopSignal> stop_;
  const Log log_;
  std::optional<Clock::SteadyTime> began_at_;  // the pass over what is unhashed
  InodeId after_;
  std::string status_ = "waiting";
};

task<result<WorkerStep>> HashWorker::step() {
  const auto now = clock_->steady();
  if (after_ == InodeId{}) {
    if (began_at_ && now - *began_at_ < kLookAgain)
      co_return WorkerStep::throttled(kLookAgain - (now - *began_at_));
    began_at_ = now;
  }
  GG_CO_TRY(std::vector<WorkItem> items, co_await store_.unhashed(node_.index, after_, kPage));
  for (WorkItem& item : items) {
    if (stop_->stopped()) co_return fail(errc::cancelled, "stopped");
    after_ = item.inode.id;
    status_ = printable(item.path.str());
    GG_CO_CHECK(co_await hash(std::move(item)));
  }
  status_ = "waiting";
  if (items.size() == kPage) co_return WorkerStep::busy();
  after_ = InodeId{};
  co_return WorkerStep::idle(poll_);
}

task<result<WholeFile>> HashWorker::digest(Path path) {
  const auto hashing = std::make_shared<Hashing>();
  const StopSignal::Link link(*stop_, hashing->ended);
  auto work = hash_one(hashing, node_.volume, std::move(path), DigestAlgorithm::md5);
  asio::co_spawn(co_await asio::this_coro::executor, std::move(work), asio::detached);
  while (!hashing->file && !stop_->stopped()) co_await hashing->ended.wait();
  if (!hashing->file) co_return fail(errc::cancelled, "stopped");
  co_return std::move(*hashing->file);
}

// Faults of a single file are left to the walks, which report them.
task<result<void>> HashWorker::hash(WorkItem item) {
  const auto file = co_await digest(item.path);
  if (!file && (file.error().is(errc::cancelled) || ends_traversal(file.error()))) co_return file.error();
  if (!file) {
    log_.debug("{}: {}", printable(item.path.str()), file.error().message);
    co_return result<void>();
  }
  if (file->entry.size != item.inode.size) co_return result<void>();
  // A writer that began meanwhile has put its own bytes there.
  const auto now = co_await store_.get(item.inode.id);
  if (!now && !now.error().is(errc::not_found)) co_return now.error();
  if (!now || now->version != item.inode.version || !now->replicas.contains(node_.index))
    co_return result<void>();
  std::vector<CopyClaim> claims{
      {item.inode.id, item.inode.version, item.path, file->entry.size, file->digest}};
  const auto claimed = co_await store_.claim_copies(node_.index, std::move(claims), false);
  if (!claimed) co_return claimed.error();
  co_return result<void>();
}

}  // namespace

std::shared_ptr<Worker> make_hash_worker(MetadataStore& store, NodeVolume node,
                                         const StorageLoopsOptions& options, std::shared_ptr<StopSignal> stop,
                                         Log log) {
  return std::make_shared<HashWorker>(store, std::move(node), options, std::move(stop), std::move(log));
}

}  // namespace geogrid
