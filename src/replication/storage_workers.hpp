#pragma once
// The workers that the storage loops run. `store` must outlive them.

#include <memory>

#include "async/worker.hpp"
#include "replication/node_gate.hpp"
#include "replication/storage_loops.hpp"

namespace geogrid {

/// Tells the registry every `heartbeat_every` how much room the node has; while its volume is absent it says
/// nothing, and closes the node's gate.
std::shared_ptr<Worker> make_heartbeat_worker(MetadataStore& store, NodeVolume node,
                                              std::shared_ptr<NodeGate> gate,
                                              const StorageLoopsOptions& options);

/// Gives the node its copies. Woken by the change feed, it looks at the queue at once, and every `poll_every`
/// anyway.
std::shared_ptr<Worker> make_replicate_worker(MetadataStore& store, NodeVolume node,
                                              std::shared_ptr<NodeGate> gate,
                                              const StorageLoopsOptions& options,
                                              std::shared_ptr<StopSignal> stop, Log log);

/// Walks the node a `walk_cycle` after its last walk ended; at once if there was none, or one was
/// interrupted.
std::shared_ptr<Worker> make_walk_worker(MetadataStore& store, NodeVolume node,
                                         std::shared_ptr<NodeGate> gate, const StorageLoopsOptions& options,
                                         std::shared_ptr<StopSignal> stop, Log log);

/// Does what clients left to do on the node's disk. Woken by changes of names.
std::shared_ptr<Worker> make_debts_worker(NodeVolume node, std::shared_ptr<NodeGate> gate,
                                          const StorageLoopsOptions& options);

/// Sees to the drafts of writers that died, every `salvage_every`.
std::shared_ptr<Worker> make_salvage_worker(MetadataStore& store, NodeVolume node,
                                            std::shared_ptr<NodeGate> gate,
                                            const StorageLoopsOptions& options, Log log);

/// Digests large files that were closed without: the node's own copies. Woken by new content.
std::shared_ptr<Worker> make_hash_worker(MetadataStore& store, NodeVolume node,
                                         const StorageLoopsOptions& options, std::shared_ptr<StopSignal> stop,
                                         Log log);

/// Removes for good, every hour, what has lain in the node's trash for `trash_keep`, by the dates of its
/// folders.
std::shared_ptr<Worker> make_trash_worker(NodeVolume node, const StorageLoopsOptions& options, Log log);
/// The first day ("2026-11-22") whose folder of the trash stays.
std::string first_day_kept(Timestamp now, std::chrono::milliseconds keep);

/// The store's background jobs, expired leases, and what is old in the change log.
std::shared_ptr<Worker> make_jobs_worker(MetadataStore& store, const StorageLoopsOptions& options);

}  // namespace geogrid
