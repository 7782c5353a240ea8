// The first stage of replication: a file from one of its sources.

#include "replication/copy_run.hpp"
#include "replication/still_true.hpp"

namespace geogrid {
namespace {

// A copy whose bytes are wrong stops counting, and is reported; unless it was just being replaced.
task<void> withdraw_source(std::shared_ptr<CopyRun> run, NodeIndex source, WorkItem item, Fetch fetch) {
  if (run->memory->withdrawn_from[source] >= ReplicatorMemory::kMaxWithdrawn) {
    ++run->report.bad_sources;
    run->log.warning("node {} has more than {} wrong copies: the rest still counts, walk it with --deep",
                     source.value, ReplicatorMemory::kMaxWithdrawn);
    co_return;
  }
  std::vector<Withdrawal> one{{item.inode.id, item.inode.version, item.path, fetch.reason, fetch.detail}};
  auto done = co_await run->store.withdraw_copies(source, std::move(one));
  if (!done) co_return run->fail_with(std::move(done).error());
  if (!done->front()) co_return;
  ++run->report.bad_sources;
  ++run->memory->withdrawn_from[source];
  (void)run->finding(fetch.reason, source, item.path, fetch.detail);
}

task<void> note_source_error(std::shared_ptr<CopyRun> run, NodeIndex source, WorkItem item, Error error) {
  ++run->report.source_errors;
  run->log.debug("reading {} from node {}: {}", printable(item.path.str()), source.value, error.message);
  const bool told = !error.is(errc::stale) && !error.is(errc::busy);
  const auto counted = co_await still_counted(run->store, source, item.inode, item.path);
  if (!told || !counted || !*counted) co_return;
  // A file that is missing is withdrawn by walks only: they have a brake.
  if (error.is(std::errc::no_such_file_or_directory))
    co_await run->tell(
        run->finding(FindingKind::missing, source, item.path, "not there when it was to be read"));
  else
    co_await run->tell(run->finding(FindingKind::unreadable, source, item.path, error.message));
}

enum class Next { publish, nothing, other_source };

task<Next> fetch_from(std::shared_ptr<CopyRun> run, NodeVolume source, WorkItem item) {
  Fetch got = co_await fetch(source.volume, run->destination, item, run->options.algorithm);
  switch (got.end) {
    case FetchEnd::fetched:
      run->ready.push_back({std::move(item), std::move(got.file), std::move(got.digest), 0});
      co_return Next::publish;
    case FetchEnd::wrong_bytes:
      co_await withdraw_source(run, source.index, std::move(item), std::move(got));
      co_return Next::other_source;
    case FetchEnd::source_gone:
      ++run->report.source_errors;
      run->memory->sources.failed(source.index, run->options.clock->steady());
      run->log.info("node {} is left alone for a while: {}", source.index.value, got.error.message);
      co_return Next::other_source;
    case FetchEnd::source_error:
      co_await note_source_error(run, source.index, std::move(item), std::move(got.error));
      co_return Next::other_source;
    case FetchEnd::destination_error:
      break;
  }
  if (run->destination_failed(got.error)) {
    run->give_back(item);
  } else {
    run->log.warning("{}: {}", printable(item.path.str()), got.error.message);
    run->give_up(item);
  }
  co_return Next::nothing;
}

}  // namespace

task<void> fetch_item(std::shared_ptr<CopyRun> run, WorkItem item) {
  const std::uint64_t bytes = item.inode.size;
  const auto wait = run->memory->throttle.take(bytes, run->options.clock->steady());
  if (wait.count() > 0) (void)co_await run->stop->sleep_for(wait);
  Next next = Next::other_source;
  for (const NodeVolume& source : run->memory->sources.order(item.inode, run->options.clock->steady())) {
    if (run->ending() || next != Next::other_source) break;
    next = co_await fetch_from(run, source, item);
  }
  if (next == Next::other_source && run->ending()) {
    run->give_back(item);
  } else if (next == Next::other_source) {
    ++run->report.without_source;
    run->give_up(item);
  }
  if (next != Next::publish) run->in_flight_bytes -= bytes;
  run->changed.notify_all();
}

}  // namespace geogrid
