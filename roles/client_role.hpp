#pragma once
// The client role: the mounts.

#include <memory>

#include "async/notifier.hpp"
#include "meta/change_feed.hpp"
#include "process.hpp"

namespace geogrid {

/// Mounts what the configuration says and serves it until `stop`, or until all mounts are unmounted from
/// outside; `mounted` is called when all are there. `store` and `feed` must outlive it.
task<result<void>> serve_mounts(const Process& process, MetadataStore& store, ChangeFeed& feed,
                                std::vector<NodeVolume> volumes, std::shared_ptr<StopSignal> stop,
                                std::function<void()> mounted);

}  // namespace geogrid
