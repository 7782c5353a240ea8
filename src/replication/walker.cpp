#include "replication/walker.hpp"

#include <algorithm>
#include <set>

#include "async/task_group.hpp"
#include "replication/walk_state.hpp"

namespace geogrid {
namespace {

class Walk {
 public:
  explicit Walk(std::shared_ptr<WalkState> state) : state_(std::move(state)), began_(clock().steady()) {}

  task<WalkReport> run();

 private:
  const WalkOptions& options() const { return state_->options; }
  const Clock& clock() const { return *state_->options.clock; }
  /// Walks of the whole node are resumed; a deep one or a dry run means something else.
  bool resumable() const { return options().start.is_root() && !options().dry_run && !options().deep; }

  task<result<void>> run_locked();
  task<result<void>> prepare();
  task<result<FolderJob>> find_start();
  task<result<bool>> is_folder_on_disk(Path path);
  task<result<InodeId>> register_on_the_way(InodeId parent, const Path& path);
  task<result<void>> traverse();
  task<result<void>> wait_for_young();
  task<result<void>> finish();
  std::optional<Path> position() const;
  task<result<void>> checkpoint();
  task<result<void>> housekeeping();
  void show_progress() const;

  const std::shared_ptr<WalkState> state_;
  const Clock::SteadyTime began_;
  WalkCheckpoint resumed_;  // of the earlier parts of this walk
  std::optional<WalkTotals> last_totals_;
  std::uint64_t bytes_used_ = 0;
  Clock::SteadyTime checkpointed_at_{};
  Clock::SteadyTime shown_at_{};
};

task<WalkReport> Walk::run() {
  state_->report.end = co_await run_locked();
  state_->report.duration = std::chrono::duration_cast<std::chrono::milliseconds>(clock().steady() - began_);
  co_return std::move(state_->report);
}

task<result<void>> Walk::run_locked() {
  std::shared_ptr<void> lock;
  if (!options().dry_run) {
    auto taken = co_await state_->volume->lock("walk");
    if (!taken && taken.error().is(errc::busy))
      co_return fail(errc::busy, "node {} is being walked already", state_->volume->node());
    if (!taken) co_return std::move(taken).error();
    lock = std::move(*taken);
  }
  GG_CO_CHECK(co_await prepare());
  GG_CO_TRY(FolderJob start, co_await find_start());
  state_->queue.add(std::move(start));
  auto traversed = co_await traverse();
  if (traversed) co_return co_await finish();
  if (resumable()) {
    // Where the store itself is the trouble, the last checkpoint serves.
    [[maybe_unused]] const auto saved = co_await checkpoint();
  }
  co_return traversed;
}

task<result<void>> Walk::prepare() {
  GG_CO_TRY(const VolumeSpace space, co_await state_->volume->probe());
  bytes_used_ = space.total_bytes - std::min(space.free_bytes, space.total_bytes);
  GG_CO_TRY(const std::string totals, co_await state_->store.checkpoint(state_->node, kWalkTotals));
  if (options().start.is_root()) last_totals_ = WalkTotals::parse(totals);
  resumed_.started = clock().wall();
  checkpointed_at_ = shown_at_ = clock().steady();
  if (resumable()) {
    GG_CO_TRY(const std::string text, co_await state_->store.checkpoint(state_->node, kWalkCheckpoint));
    const auto left = WalkCheckpoint::parse(text);
    const auto age = left ? resumed_.started.seconds - left->started.seconds : 0;
    if (left && age >= 0 && age < options().resume_within.count()) {
      resumed_ = *left;
      state_->resume_from = left->position;
      state_->report.resumed = true;
      state_->log.info("resuming the walk of {} at {}", state_->volume->node(),
                       printable(left->position.str()));
    }
  }
  const auto files = last_totals_ ? std::optional(last_totals_->files) : std::nullopt;
  co_return co_await state_->load_brake(resumed_.withdrawn, files);
}

task<result<FolderJob>> Walk::find_start() {
  FolderJob job{Path(), kRootInode, false, 0, nullptr};
  for (const std::string_view name : options().start.components()) {
    if (options().ignore.ignores(name, job.path.is_root()))
      co_return fail(errc::invalid_argument, "{} is not walked: {} is to be ignored",
                     printable(options().start.str()), printable(name));
    const Path path = job.path.child(name);
    std::optional<Inode> known;
    if (job.id != InodeId{}) {
      GG_CO_TRY(known, co_await state_->store.lookup(job.id, std::string(name)));
    }
    const bool last = path == options().start;
    if (known && known->is_folder()) {
      job.id = known->id;
    } else {
      GG_CO_TRY(const bool folder, co_await is_folder_on_disk(path));
      if ((known || !folder) && !last)
        co_return fail(errc::not_a_folder, "{} is not a folder", printable(path.str()));
      if (known || !folder) {  // a file alone: its folder, and of that only this name
        job.only = std::make_shared<const std::set<std::string>>(std::set<std::string>{std::string(name)});
        co_return job;
      }
      GG_CO_TRY(job.id, co_await register_on_the_way(job.id, path));
    }
    job.path = path;
  }
  co_return job;
}

task<result<bool>> Walk::is_folder_on_disk(Path path) {
  const auto disk = co_await state_->volume->stat(path);
  if (disk) co_return disk->type == FileType::folder;
  if (!disk.error().is(std::errc::no_such_file_or_directory)) co_return disk.error();
  const auto known = co_await state_->store.resolve(path);
  if (known) co_return false;
  co_return fail(errc::not_found, "there is no {}, neither in metadata nor on node {}", printable(path.str()),
                 state_->volume->node());
}

// The folders above the start are registered alone, without their other entries.
task<result<InodeId>> Walk::register_on_the_way(InodeId parent, const Path& path) {
  GG_CO_TRY(const ChangeId seen, co_await state_->seen_changes());
  GG_CO_TRY(const DiskEntry disk, co_await state_->volume->stat(path));
  ++state_->report.registered_folders;
  if (options().dry_run) co_return InodeId{};
  std::vector<FoundEntry> entries{
      {std::string(path.filename()), FileType::folder, disk.attributes, 0, {}, {}}};
  GG_CO_TRY(const std::vector<Registration> outcome,
            co_await state_->store.register_found(state_->node, parent, seen, std::move(entries)));
  if (outcome.front().outcome == RegisterOutcome::removed)
    co_return fail(errc::not_found, "{} was removed just now", printable(path.str()));
  co_return outcome.front().id;
}

task<result<void>> Walk::traverse() {
  const StopSignal::Link link(*state_->stop, state_->progressed);
  TaskGroup folders(options().parallel_folders, [state = state_] { state->progressed.notify_all(); });
  while (!state_->ending()) {
    if (auto done = co_await housekeeping(); !done) {
      state_->fail_with(done.error());
      break;
    }
    if (folders.running() >= options().parallel_folders ||
        (!state_->queue.waiting() && folders.running() > 0)) {
      co_await state_->progressed.wait_for(options().progress_every);
    } else if (auto job = state_->queue.take()) {
      co_await folders.start(walk_folder(state_, std::move(*job)));
    } else if (state_->revisits.empty()) {
      break;
    } else if (auto waited = co_await wait_for_young(); !waited) {
      break;
    }
  }
  co_await folders.wait();
  if (state_->failure) co_return *state_->failure;
  if (state_->stop->stopped()) co_return fail(errc::cancelled, "stopped");
  co_return result<void>();
}

task<result<void>> Walk::wait_for_young() {
  GG_CO_CHECK(co_await state_->stop->sleep_for(options().settle + std::chrono::milliseconds(50)));
  for (FolderJob& job : std::exchange(state_->revisits, {})) state_->queue.add(std::move(job));
  co_return result<void>();
}

task<result<void>> Walk::finish() {
  WalkReport& report = state_->report;
  const bool whole = report.unreadable_folders == 0 && resumed_.whole;
  report.complete = whole;
  show_progress();
  if (options().start.is_root() && !options().dry_run) {
    if (resumable()) {
      GG_CO_CHECK(co_await state_->store.set_checkpoint(state_->node, kWalkCheckpoint, ""));
    }
    WalkTotals totals{report.files + resumed_.files, report.bytes + resumed_.bytes, clock().wall()};
    // While the brake holds, what is left is no measure of what should be there.
    if (state_->brake_holds() && last_totals_) totals.files = std::max(totals.files, last_totals_->files);
    GG_CO_CHECK(co_await state_->store.set_checkpoint(state_->node, kWalkTotals, totals.text()));
    if (whole) GG_CO_CHECK(co_await state_->store.finish_first_walk(state_->node));
    if (whole && !report.resumed) GG_CO_CHECK(co_await state_->settle_findings());
  }
  co_return co_await state_->settle_brake(whole && options().start.is_root());
}

std::optional<Path> Walk::position() const {
  std::optional<Path> first = state_->queue.position();
  for (const FolderJob& job : state_->revisits)
    if (!first || before_in_walk(job.path, *first)) first = job.path;
  return first;
}

task<result<void>> Walk::checkpoint() {
  WalkCheckpoint now = resumed_;
  const auto at = position();
  // Until a resumed walk has come to where it stopped, its subfolders are not all queued.
  if (!at || (state_->resume_from && before_in_walk(*at, *state_->resume_from))) co_return result<void>();
  now.position = *at;
  now.withdrawn = state_->withdrawn();
  now.files += state_->report.files;
  now.bytes += state_->report.bytes;
  now.whole = resumed_.whole && state_->report.unreadable_folders == 0;
  co_return co_await state_->store.set_checkpoint(state_->node, kWalkCheckpoint, now.text());
}

task<result<void>> Walk::housekeeping() {
  const auto now = clock().steady();
  if (now - shown_at_ >= options().progress_every) {
    shown_at_ = now;
    show_progress();
  }
  if (resumable() && now - checkpointed_at_ >= options().checkpoint_every) {
    checkpointed_at_ = now;
    GG_CO_CHECK(co_await checkpoint());
  }
  co_return result<void>();
}

void Walk::show_progress() const {
  if (!options().on_progress) return;
  const WalkReport& report = state_->report;
  WalkProgress progress;
  progress.folders = report.folders;
  progress.files = report.files;
  progress.bytes = report.bytes;
  progress.digested_bytes = report.digested_bytes;
  progress.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock().steady() - began_);
  const double seconds = std::max(0.001, static_cast<double>(progress.elapsed.count()) / 1000.0);
  progress.files_per_second = static_cast<double>(report.files) / seconds;
  progress.bytes_per_second = static_cast<double>(report.digested_bytes) / seconds;
  progress.done = options().start.is_root()
                      ? walk_fraction(report.files + resumed_.files, report.bytes + resumed_.bytes,
                                      last_totals_, bytes_used_)
                      : std::nullopt;
  const auto before = walk_fraction(resumed_.files, resumed_.bytes, last_totals_, bytes_used_);
  if (progress.done && before && *progress.done - *before > 0.01)
    progress.left = std::chrono::milliseconds(static_cast<std::int64_t>(
        static_cast<double>(progress.elapsed.count()) * (1.0 - *progress.done) / (*progress.done - *before)));
  options().on_progress(progress);
}

task<WalkReport> run_walk(std::shared_ptr<WalkState> state) {
  auto walk = std::make_unique<Walk>(std::move(state));
  co_return co_await walk->run();
}

}  // namespace

task<WalkReport> walk(MetadataStore& store, NodeVolume node, WalkOptions options,
                      std::shared_ptr<StopSignal> stop, Log log) {
  auto state =
      std::make_shared<WalkState>(store, std::move(node), std::move(options), stop, log.named("walk"));
  co_return co_await run_shielded(stop, run_walk(std::move(state)));
}

}  // namespace geogrid
