#pragma once
// The workers that the storage loops run. `store` must outlive them.

#include <memory>

#include "async/worker.hpp"
#include "replication/storage_loops.hpp"

namespace geogrid {

/// Tells the registry every `heartbeat_every` how much room the node has; while its volume is absent it says
/// nothing.
std::shared_ptr<Worker> make_heartbeat_worker(MetadataStore& store, NodeVolume node,
                                              const StorageLoopsOptions& options);

/// Gives the node its copies. Woken by the change feed, it looks at the queue at once, and every `poll_every`
/// anyway.
std::shared_ptr<Worker> make_replicate_worker(MetadataStore& store, NodeVolume node,
                                              const StorageLoopsOptions& options,
                                              std::shared_ptr<StopSignal> stop, Log log);

/// Walks the node a `walk_cycle` after its last walk ended; at once if there was none, or one was
/// interrupted.
std::shared_ptr<Worker> make_walk_worker(MetadataStore& store, NodeVolume node,
                                         const StorageLoopsOptions& options, std::shared_ptr<StopSignal> stop,
                                         Log log);

/// The store's background jobs, expired leases, and what is old in the change log.
std::shared_ptr<Worker> make_jobs_worker(MetadataStore& store, const StorageLoopsOptions& options);

}  // namespace geogrid
