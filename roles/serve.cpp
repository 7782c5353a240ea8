#include "serve.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "async/service_group.hpp"
#include "async/stall_detector.hpp"
#include "client_role.hpp"
#include "service_manager.hpp"
#include "stop_on_signal.hpp"
#include "storage_role.hpp"

namespace geogrid {
namespace {

bool has(const RunRoles& run, Role role) {
  return std::find(run.roles.begin(), run.roles.end(), role) != run.roles.end();
}

result<void> check_roles(const Process& process, const RunRoles& run) {
  for (const Role role : run.roles)
    if (role == Role::api || role == Role::backup)
      return fail(errc::invalid_argument, "the role {} is not part of this version; client and storage are",
                  name_of(role));
  Config config = process.config;
  if (!config.node && !run.replica.empty())
    config.node = run.replica;  // --replica says which node, in place of 'node:'
  const auto faults = check_for_roles(config, run.roles);
  if (faults.empty()) return {};
  std::string text;
  for (const ConfigFault& fault : faults) text += (text.empty() ? "" : "\n") + fault.str();
  return Error(errc::invalid_argument, text);
}

std::string roles_text(const RunRoles& run) {
  std::string text;
  for (const Role role : run.roles) text += (text.empty() ? "" : ", ") + std::string(name_of(role));
  return text;
}

/// Files that are read or written hold descriptors: as many as the system lets this process have.
void raise_descriptor_limit(const Log& log) {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    log.warning("the limit of open files stays what it is: {}", std::generic_category().message(errno));
}

/// The loops of all roles of this process over one store, one change feed and one set of volumes.
task<result<int>> run_loops(const Process& process, RunRoles run) {
  const auto executor = co_await asio::this_coro::executor;
  raise_descriptor_limit(process.log);
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  GG_CO_TRY(const std::vector<NodeVolume> volumes, co_await open_configured_volumes(process, *store));
  const auto feed = make_change_feed(*store, process.log.named("changes"), ChangeFeed::Options{});
  auto stop = std::make_shared<StopSignal>();
  const StopOnSignal signals(executor, process.log, [stop] {
    tell_stopping();
    stop->stop();
  });

  // What serves the roles ends after them.
  ServiceGroup services(executor);
  services.spawn("change feed", feed->run());
  services.spawn("watchdog", feed_watchdog());
  services.spawn("stall detector", detect_stalls(process.log, StallDetectorOptions{}));

  ServiceGroup roles(executor);
  std::unique_ptr<StorageLoops> storage;
  if (has(run, Role::storage)) {
    GG_CO_TRY(storage, storage_loops(process, run, *store, *feed, volumes));
    roles.spawn("storage", storage->run(stop));
  }
  const auto ready = [&process, text = roles_text(run)] {
    process.log.info("running: {}", text);
    tell_ready("running: " + text);
  };
  if (has(run, Role::client))
    roles.spawn("client", serve_mounts(process, *store, *feed, volumes, stop, ready));
  else
    ready();

  const auto ended = co_await roles.wait();
  services.cancel();
  (void)co_await services.wait();
  store->close();
  if (!ended) co_return ended.error();
  process.log.info("stopped");
  co_return 0;
}

}  // namespace

task<result<int>> run_roles(const Process& process, RunRoles run, Output output) {
  GG_CO_CHECK(check_roles(process, run));
  const bool storage = has(run, Role::storage);
  if (run.action == Action::loops) co_return co_await run_loops(process, std::move(run));
  if (storage && run.action == Action::walk) co_return co_await walk_nodes(process, std::move(run), output);
  if (storage && run.action == Action::replicate)
    co_return co_await replicate_nodes(process, std::move(run), output);
  if (storage && run.action == Action::scrub)
    co_return fail(errc::invalid_argument,
                   "the action scrub is not part of this version; 'geogridd verify --deep' reads every copy");
  co_return fail(errc::invalid_argument, "the role {} has no such action", roles_text(run));
}

}  // namespace geogrid
