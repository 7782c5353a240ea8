// verify

#include <iostream>

#include "admin.hpp"
#include "progress.hpp"
#include "replication/verifier.hpp"
#include "stats/render_actions.hpp"
#include "stop_on_signal.hpp"

namespace geogrid {

task<result<int>> verify(const Process& process, Verify request, Output output) {
  GG_CO_TRY(const Path start, Path::parse(request.path));
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  GG_CO_TRY(std::vector<NodeVolume> volumes, co_await open_configured_volumes(process, *store));
  auto stop = std::make_shared<StopSignal>();
  const auto executor = co_await asio::this_coro::executor;
  const StopOnSignal signals(executor, process.log, [stop] { stop->stop(); });
  auto bar = std::make_shared<ProgressBar>("verify", process.log, output.json);
  VerifyOptions options;
  options.start = start;
  options.deep = request.deep;
  options.ignore = IgnoreRules(process.config.storage.walk.ignore);
  options.on_progress = [bar](std::uint64_t files, std::uint64_t bytes) {
    bar->show({files, bytes, std::nullopt, ""});
  };
  const VerifyReport report =
      co_await verify(*store, std::move(volumes), std::move(options), stop, process.log);
  bar.reset();
  if (!report.end && !output.json) co_return report.end.error();
  output.print(output.json ? verification_json(report).dump(2) + "\n"
                           : render_verification(report, Style{output.colour}));
  co_return report.good() ? 0 : 1;
}

}  // namespace geogrid
