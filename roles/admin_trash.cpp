// trash list, trash restore, trash purge

#include <algorithm>

#include "admin.hpp"
#include "base/units.hpp"
#include "progress.hpp"
#include "replication/storage_workers.hpp"
#include "stats/render_trash.hpp"
#include "stop_on_signal.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kPurgePage = 1000;

/// What the commands need, opened.
struct Opened {
  std::unique_ptr<MetadataStore> store;
  std::vector<NodeRecord> nodes;
  std::vector<NodeVolume> volumes;
};

task<result<Opened>> open_all(const Process& process) {
  Opened opened;
  GG_CO_TRY(opened.store, co_await open_configured_store(process));
  GG_CO_TRY(opened.nodes, co_await opened.store->nodes(NodeKind::storage));
  GG_CO_TRY(opened.volumes, co_await open_configured_volumes(process, *opened.store));
  co_return opened;
}

/// Which folders of the trash are to go: those of days before `first_kept`; all where it is empty.
task<result<std::vector<TrashDate>>> dates_to_purge(std::shared_ptr<Volume> volume, std::string first_kept) {
  GG_CO_TRY(std::vector<TrashDate> dates, co_await volume->trash_dates());
  std::erase_if(dates, [&](const TrashDate& date) { return !first_kept.empty() && date.day >= first_kept; });
  co_return dates;
}

struct Purge {
  Path below;
  std::string first_kept;
  std::shared_ptr<StopSignal> stop;
  std::shared_ptr<ProgressBar> bar;
};

task<result<void>> purge_node(std::shared_ptr<Volume> volume, Purge purge, TrashPurge& purged) {
  GG_CO_TRY(const std::vector<TrashDate> dates, co_await dates_to_purge(volume, purge.first_kept));
  for (const TrashDate& date : dates)
    for (bool more = true; more;) {
      if (purge.stop->stopped()) co_return fail(errc::cancelled, "stopped");
      const auto page = co_await volume->purge_trash(date.name, purge.below, kPurgePage);
      if (!page && page.error().is(std::errc::no_such_file_or_directory)) break;
      if (!page) co_return page.error();
      purged.files += page->files;
      purged.bytes += page->bytes;
      more = page->more;
      purge.bar->show({purged.files, purged.bytes, std::nullopt, date.name});
    }
  co_return result<void>();
}

task<result<void>> count_node(NodeVolume node, Purge purge, TrashPurge& purged) {
  std::vector<NodeVolume> alone{node};
  TrashSearch search{purge.below, std::nullopt, false};
  GG_CO_TRY(const TrashFound found, co_await search_trash(std::move(alone), std::move(search), purge.stop));
  for (const TrashFile& file : found.files) {
    if (!purge.first_kept.empty() && file.day >= purge.first_kept) continue;
    for (const TrashPlace& place : file.places) {
      ++purged.files;
      purged.bytes += place.entry.size;
    }
  }
  if (!found.failed.empty()) co_return found.failed.front().error;
  co_return result<void>();
}

}  // namespace

task<result<int>> trash_list(const Process& process, TrashList request, Output output) {
  GG_CO_TRY(const Path below, Path::parse(request.path));
  GG_CO_TRY(const Opened opened, co_await open_all(process));
  auto stop = std::make_shared<StopSignal>();
  const auto executor = co_await asio::this_coro::executor;
  const StopOnSignal signals(executor, process.log, [stop] { stop->stop(); });
  TrashSearch search{below, std::nullopt, false};
  if (!request.date.empty()) search.date = request.date;
  GG_CO_TRY(const TrashFound found, co_await search_trash(opened.volumes, std::move(search), stop));
  output.print(output.json ? trash_json(found, opened.nodes).dump(2) + "\n"
                           : render_trash(found, opened.nodes, Style{output.colour}));
  co_return found.failed.empty() ? 0 : 1;
}

task<result<int>> trash_restore(const Process& process, TrashRestore request, Output output) {
  RestoreRequest restore;
  GG_CO_TRY(restore.path, Path::parse(request.path));
  if (!request.date.empty()) restore.date = request.date;
  if (!request.to.empty()) {
    GG_CO_TRY(restore.to, Path::parse(request.to));
  }
  restore.dry_run = output.dry_run;
  GG_CO_TRY(const Opened opened, co_await open_all(process));
  auto stop = std::make_shared<StopSignal>();
  const auto executor = co_await asio::this_coro::executor;
  const StopOnSignal signals(executor, process.log, [stop] { stop->stop(); });
  auto bar = std::make_shared<ProgressBar>("trash restore", process.log, output.json);
  restore.on_progress = [bar](std::uint64_t files, std::uint64_t bytes) {
    bar->show({files, bytes, std::nullopt, ""});
  };
  const auto report =
      co_await restore_from_trash(*opened.store, opened.volumes, std::move(restore), stop, process.log);
  bar.reset();
  if (!report) co_return report.error();
  output.print(output.json ? restore_json(*report, opened.nodes, output.dry_run).dump(2) + "\n"
                           : render_restore(*report, opened.nodes, output.dry_run, Style{output.colour}));
  co_return report->refused() == 0 && report->failed.empty() ? 0 : 1;
}

task<result<int>> trash_purge(const Process& process, TrashPurgeCommand request, Output output) {
  GG_CO_TRY(const Path below, Path::parse(request.path));
  // Without a path, what is kept by the configuration stays.
  std::string first_kept;
  if (!request.older_than.empty() || request.path.empty()) {
    auto keep = result<std::chrono::milliseconds>(process.config.trash.keep);
    if (!request.older_than.empty()) keep = parse_duration(request.older_than);
    if (!keep) co_return keep.error().within("--older-than");
    first_kept = first_day_kept(system_clock().wall(), *keep);
  }
  GG_CO_TRY(const Opened opened, co_await open_all(process));
  auto stop = std::make_shared<StopSignal>();
  const auto executor = co_await asio::this_coro::executor;
  const StopOnSignal signals(executor, process.log, [stop] { stop->stop(); });
  const Purge purge{below, first_kept, stop,
                    std::make_shared<ProgressBar>("trash purge", process.log, output.json)};
  std::vector<PurgedNode> purged;
  for (const NodeVolume& node : opened.volumes) {
    PurgedNode one{node.index, {}, {}};
    if (output.dry_run)
      one.end = co_await count_node(node, purge, one.purged);
    else
      one.end = co_await purge_node(node.volume, purge, one.purged);
    purged.push_back(std::move(one));
    if (stop->stopped()) break;
  }
  output.print(output.json ? purge_json(purged, opened.nodes, output.dry_run).dump(2) + "\n"
                           : render_purge(purged, opened.nodes, output.dry_run, Style{output.colour}));
  co_return std::ranges::all_of(purged, [](const PurgedNode& one) { return one.end.has_value(); }) ? 0 : 1;
}

}  // namespace geogrid
