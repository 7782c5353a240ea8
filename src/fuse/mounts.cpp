#include "fuse/mounts.hpp"

#include <boost/asio/co_spawn.hpp>

namespace geogrid {

Mounts::Mounts(ChangeFeed& feed, std::shared_ptr<UnionNamespace> names, Log log)
    : feed_(feed), log_(std::move(log)), names_(std::move(names)) {
  feed_.subscribe(*names_);
}

Mounts::~Mounts() {
  sessions_.clear();
  names_->close();
  feed_.unsubscribe(*names_);
}

task<result<std::unique_ptr<Mounts>>> Mounts::start(MetadataStore& store, ChangeFeed& feed,
                                                    std::vector<NodeVolume> volumes, MountsOptions options,
                                                    Log log) {
  const auto loop = co_await asio::this_coro::executor;
  auto names =
      std::make_shared<UnionNamespace>(loop, store, std::move(volumes), std::move(options.names), log);
  std::unique_ptr<Mounts> mounts(new Mounts(feed, names, log));
  GG_CO_CHECK(co_await names->start());
  for (MountOptions& mount : options.mounts) {
    GG_CO_TRY(auto session, FuseSession::mount(loop, names, std::move(mount), log));
    log.info("mounted at {}", printable(session->mountpoint()));
    mounts->sessions_.push_back(std::move(session));
  }
  co_return mounts;
}

task<result<void>> Mounts::run(std::shared_ptr<StopSignal> stop) {
  const auto loop = co_await asio::this_coro::executor;
  const std::shared_ptr<Served> served = served_;
  const StopSignal::Link link(*stop, served->changed);
  for (const auto& session : sessions_) {
    ++served->count;
    asio::co_spawn(loop, session->run(), [served, log = log_](std::exception_ptr failure, result<void>) {
      if (failure) log.error("a mount ended by a bug; its requests are not answered any more");
      --served->count;
      served->changed.notify_all();
    });
  }
  while (served->count > 0 && !stop->stopped()) co_await served->changed.wait();
  co_await unmount_all();
  while (served->count > 0) co_await served->changed.wait();
  co_return result<void>();
}

task<void> Mounts::unmount_all() {
  for (const auto& session : sessions_)
    // A mount that stays in the tree is cut off all the same: nobody will serve it.
    if (const auto unmounted = co_await session->unmount(); !unmounted)
      log_.error("{}", unmounted.error().message);
  for (const auto& session : sessions_) co_await session->end(kGrace);
  co_await names_->finish(kGrace);
}

}  // namespace geogrid
