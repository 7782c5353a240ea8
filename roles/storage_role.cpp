#include "storage_role.hpp"

#include <algorithm>
#include <iostream>

#include "progress.hpp"
#include "replication/replicator.hpp"
#include "replication/walker.hpp"
#include "stats/render_actions.hpp"
#include "stop_on_signal.hpp"

namespace geogrid {
namespace {

/// What an action on nodes needs, opened.
struct Opened {
  std::unique_ptr<MetadataStore> store;
  std::vector<NodeVolume> volumes;
  std::vector<NodeVolume> chosen;
};

task<result<Opened>> open_for(const Process& process, const RunRoles& run) {
  Opened opened;
  GG_CO_TRY(opened.store, co_await open_configured_store(process));
  GG_CO_TRY(opened.volumes, co_await open_configured_volumes(process, *opened.store));
  GG_CO_TRY(opened.chosen, chosen_nodes(process, opened.volumes, run.replica));
  co_return opened;
}

/// A second run beside a first is a habit of cron, and no failure.
int code_of(const std::string& node, const result<void>& end, int status) {
  if (end) return status;
  std::cerr << "geogridd: node " << node << ": " << end.error().message << "\n";
  return end.error().is(errc::busy) ? 0 : status;
}

}  // namespace

result<std::vector<NodeVolume>> chosen_nodes(const Process& process, const std::vector<NodeVolume>& volumes,
                                             const std::string& replica) {
  if (replica == "all") return volumes;
  if (replica.empty() && !process.config.node)
    return fail(errc::invalid_argument,
                "{} does not say which node this machine is ('node:'); name one with --replica",
                process.config.file);
  const std::string& wanted = replica.empty() ? *process.config.node : replica;
  for (const NodeVolume& v : volumes)
    if (v.volume->node() == wanted) return std::vector<NodeVolume>{v};
  return fail(
      errc::invalid_argument,
      "no registered storage node that this machine reaches is called '{}'; 'geogridd node list' shows them",
      printable(wanted));
}

task<result<int>> walk_nodes(const Process& process, RunRoles run, Output output) {
  GG_CO_TRY(const Path start, Path::parse(run.path));
  GG_CO_TRY(const Opened opened, co_await open_for(process, run));
  auto stop = std::make_shared<StopSignal>();
  const auto executor = co_await asio::this_coro::executor;
  const StopOnSignal signals(executor, process.log, [stop] { stop->stop(); });
  Json reports = Json::array();
  int code = 0;
  for (const NodeVolume& node : opened.chosen) {
    const std::string& name = node.volume->node();
    auto bar = std::make_shared<ProgressBar>("walk " + name, process.log.named(name), output.json);
    WalkOptions options;
    options.start = start;
    options.ignore = IgnoreRules(process.config.storage.walk.ignore);
    options.dry_run = output.dry_run;
    options.accept_missing = run.accept_missing;
    options.brake_percent = process.config.brake.percent;
    options.on_progress = [bar](const WalkProgress& p) {
      ProgressState state{p.files, p.bytes, std::nullopt, ""};
      if (p.done && *p.done > 0)
        state.expected_files = static_cast<std::uint64_t>(static_cast<double>(p.files) / *p.done);
      bar->show(state);
    };
    const WalkReport report =
        co_await walk(*opened.store, node, std::move(options), stop, process.log.named(name));
    bar.reset();
    if (output.json)
      reports.push_back(walk_json(name, report));
    else
      output.print(render_walk(name, report, Style{output.colour}));
    code = std::max(code, code_of(name, report.end, report.exit_status()));
    if (stop->stopped()) break;
  }
  if (output.json) output.print(reports.dump(2) + "\n");
  co_return code;
}

task<result<int>> replicate_nodes(const Process& process, RunRoles run, Output output) {
  if (output.dry_run)
    co_return fail(errc::invalid_argument,
                   "replicate has no --dry-run: 'geogridd queue' shows what it would copy");
  GG_CO_TRY(const Opened opened, co_await open_for(process, run));
  auto stop = std::make_shared<StopSignal>();
  const auto executor = co_await asio::this_coro::executor;
  const StopOnSignal signals(executor, process.log, [stop] { stop->stop(); });
  // What a node's change of state left to do decides what is in the queue.
  for (bool more = true; more;) {
    GG_CO_TRY(more, co_await opened.store->run_jobs());
  }
  GG_CO_TRY(const QueueSummary queue, co_await opened.store->queue_summary());
  Json reports = Json::array();
  int code = 0;
  for (const NodeVolume& node : opened.chosen) {
    const std::string& name = node.volume->node();
    auto bar = std::make_shared<ProgressBar>("replicate " + name, process.log.named(name), output.json);
    const std::uint64_t expected =
        node.index.value < queue.helped_by.size() ? queue.helped_by[node.index.value] : 0;
    ReplicateOptions options;
    options.sources = opened.volumes;
    options.parallel = static_cast<std::size_t>(process.config.storage.replicate.parallel);
    options.rate = process.config.storage.replicate.rate;
    options.min_free = process.config.storage.min_free;
    options.on_progress = [bar, expected](const ReplicateProgress& p) {
      bar->show({p.files, p.bytes, expected, ""});
    };
    const auto replicator = make_replicator(*opened.store, node, std::move(options), process.log.named(name));
    const ReplicateReport report = co_await replicator->run(stop);
    bar.reset();
    if (output.json)
      reports.push_back(replication_json(name, report));
    else
      output.print(render_replication(name, report, Style{output.colour}));
    code = std::max(code, code_of(name, report.end, report.exit_status()));
    if (stop->stopped()) break;
  }
  if (output.json) output.print(reports.dump(2) + "\n");
  co_return code;
}

result<std::unique_ptr<StorageLoops>> storage_loops(const Process& process, const RunRoles& run,
                                                    MetadataStore& store, ChangeFeed& feed,
                                                    const std::vector<NodeVolume>& volumes) {
  const StorageConfig& config = process.config.storage;
  StorageLoopsOptions options;
  GG_TRY(options.own, chosen_nodes(process, volumes, run.replica));
  options.all = volumes;
  options.ignore = IgnoreRules(config.walk.ignore);
  options.brake_percent = process.config.brake.percent;
  options.walk_cycle = config.walk.cycle;
  options.parallel = static_cast<std::size_t>(config.replicate.parallel);
  options.rate = config.replicate.rate;
  options.min_free = config.min_free;
  options.trash_keep = process.config.trash.keep;
  return make_storage_loops(store, feed, std::move(options), process.log.named("storage"));
}

}  // namespace geogrid
