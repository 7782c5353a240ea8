#include "replication/trash_restorer.hpp"

#include <algorithm>
#include <map>

#include "async/task_group.hpp"
#include "intents/intent_runner.hpp"
#include "replication/folder_listing.hpp"
#include "replication/restored_file.hpp"

namespace geogrid {
namespace {

constexpr std::chrono::seconds kPatience{15};

class Restorer {
 public:
  Restorer(MetadataStore& store, std::vector<NodeVolume> volumes, RestoreRequest request,
           std::shared_ptr<StopSignal> stop, Log log)
      : shared_(
            std::make_shared<Restoration>(Restoration{store, std::move(volumes), {}, &system_clock(), {}})),
        request_(std::move(request)),
        stop_(std::move(stop)),
        log_(std::move(log)) {}

  task<result<RestoreReport>> run();

 private:
  MetadataStore& store() { return shared_->store; }
  task<void> pay_debts();
  task<result<std::optional<Inode>>> at(Path path);
  task<result<InodeId>> folder_for(Path path);
  task<result<InodeId>> make_folder(InodeId parent, Path path);
  task<result<void>> start(TaskGroup& group, TrashFile file);
  task<void> restore_one(TrashFile file, Path to, InodeId parent);
  Path target_of(const Path& path) const;
  void done(RestoredFile file);
  void refuse(const TrashFile& file, Path to, Error error);

  const std::shared_ptr<Restoration> shared_;
  const RestoreRequest request_;
  const std::shared_ptr<StopSignal> stop_;
  const Log log_;
  std::map<Path, InodeId> folders_;
  RestoreReport report_;
  std::uint64_t bytes_ = 0;
};

// The trash is whole, and nothing is removed later that was restored now, once the nodes did what they owe.
task<void> Restorer::pay_debts() {
  const auto executor = co_await asio::this_coro::executor;
  const LeaseOwner owner{system_random().next() | 1U};
  const auto runner = std::make_shared<IntentRunner>(executor, store(), shared_->volumes, owner, log_);
  for (const NodeVolume& node : shared_->volumes) (void)co_await runner->drain(node.index);
  runner->close();
}

task<result<std::optional<Inode>>> Restorer::at(Path path) {
  auto found = co_await store().resolve(path);
  if (found) co_return std::optional(std::move(*found));
  if (found.error().is(errc::not_found) || found.error().is(errc::not_a_folder))
    co_return std::optional<Inode>();
  co_return std::move(found).error();
}

Path Restorer::target_of(const Path& path) const {
  if (!request_.to) return path;
  Path to = *request_.to;
  const std::size_t skipped = request_.path.components().size();
  const auto names = path.components();
  for (std::size_t i = skipped; i < names.size(); ++i) to = to.child(names[i]);
  return to;
}

task<result<InodeId>> Restorer::folder_for(Path path) {
  if (path.is_root()) co_return kRootInode;
  if (const auto known = folders_.find(path); known != folders_.end()) co_return known->second;
  GG_CO_TRY(const InodeId parent, co_await folder_for(path.parent()));
  GG_CO_TRY(const InodeId made, co_await make_folder(parent, path));
  folders_.emplace(path, made);
  co_return made;
}

task<result<InodeId>> Restorer::make_folder(InodeId parent, Path path) {
  if (parent == InodeId{}) co_return InodeId{};  // a dry run's
  GG_CO_TRY(const std::optional<Inode> known, co_await store().lookup(parent, std::string(path.filename())));
  if (known && !known->is_folder())
    co_return fail(errc::not_a_folder, "{} is no folder now; restore elsewhere with --to=PATH",
                   printable(path.str()));
  if (known) co_return known->id;
  if (request_.dry_run) co_return InodeId{};
  GG_CO_TRY(const Inode above, co_await store().get(parent));
  NewNode folder;
  folder.parent = parent;
  folder.name = std::string(path.filename());
  folder.attributes = above.attributes;
  folder.attributes.atime = folder.attributes.mtime = folder.attributes.ctime = shared_->clock->wall();
  auto made = co_await store().make_node(std::move(folder));
  if (made) co_return made->id;
  if (!made.error().is(errc::already_exists)) co_return std::move(made).error();
  GG_CO_TRY(const Inode now, co_await store().resolve(path));
  co_return now.id;
}

void Restorer::done(RestoredFile file) {
  if (!file.error) bytes_ += file.size;
  report_.files.push_back(std::move(file));
  if (request_.on_progress) request_.on_progress(report_.files.size(), bytes_);
}

void Restorer::refuse(const TrashFile& file, Path to, Error error) {
  done({file.path, std::move(to), file.day, file.size(), {}, std::move(error)});
}

task<void> Restorer::restore_one(TrashFile file, Path to, InodeId parent) {
  done(co_await restore_file(shared_, std::move(file), std::move(to), parent));
}

// Errors: those that end it all.
task<result<void>> Restorer::start(TaskGroup& group, TrashFile file) {
  const Path to = target_of(file.path);
  const auto taken = co_await at(to);
  if (!taken) co_return taken.error();
  if (*taken) {
    refuse(file, to,
           fail(errc::already_exists, "something is at {} now; restore it elsewhere with --to=PATH",
                printable(to.str())));
    co_return result<void>();
  }
  const auto parent = co_await folder_for(to.parent());
  if (!parent && parent.error().is(errc::unavailable)) co_return parent.error();
  if (!parent) {
    refuse(file, to, parent.error());
  } else if (request_.dry_run) {
    NodeSet nodes;
    for (const TrashPlace& place : file.places) nodes = nodes.with(place.node);
    done({file.path, to, file.day, file.size(), nodes, {}});
  } else {
    co_await group.start(restore_one(std::move(file), to, *parent));
  }
  co_return result<void>();
}

task<result<RestoreReport>> Restorer::run() {
  shared_->patience = shared_->clock->steady() + kPatience;
  if (!request_.dry_run) co_await pay_debts();
  GG_CO_TRY(shared_->seen, co_await store().latest_change());
  TrashSearch search{request_.path, request_.date, true};
  GG_CO_TRY(TrashFound found, co_await search_trash(shared_->volumes, std::move(search), stop_));
  report_.failed = std::move(found.failed);
  if (found.files.empty())
    co_return fail(errc::not_found,
                   "the trash of no node that is reached has {}{}{}; see 'geogridd trash list'",
                   printable(request_.path.str()), request_.date ? " of " : "",
                   request_.date ? printable(*request_.date) : "");
  report_.day = found.files.front().day;
  if (request_.to && request_.to->is_reserved())
    co_return fail(errc::invalid_argument, "{} is reserved", printable(request_.to->str()));
  TaskGroup group(std::max<std::size_t>(1, request_.parallel));
  result<void> ended;
  for (TrashFile& file : found.files) {
    if (stop_->stopped()) ended = fail(errc::cancelled, "stopped");
    if (ended) ended = co_await start(group, std::move(file));
    if (!ended) break;
  }
  co_await group.wait();
  if (!ended) co_return ended.error();
  std::ranges::sort(report_.files, {}, &RestoredFile::from);
  co_return std::move(report_);
}

}  // namespace

std::size_t RestoreReport::refused() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(files, [](const RestoredFile& file) { return file.error.has_value(); }));
}

task<result<RestoreReport>> restore_from_trash(MetadataStore& store, std::vector<NodeVolume> volumes,
                                               RestoreRequest request, std::shared_ptr<StopSignal> stop,
                                               Log log) {
  auto restorer = std::make_unique<Restorer>(store, std::move(volumes), std::move(request), std::move(stop),
                                             std::move(log));
  co_return co_await restorer->run();
}

}  // namespace geogrid
