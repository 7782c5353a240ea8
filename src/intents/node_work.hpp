#pragma once
// What those who work on one node's debts share.

#include <memory>

#include "async/notifier.hpp"
#include "base/log.hpp"
#include "meta/metadata_store.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// Copied freely. The store may be used as long as `stop` is not stopped: a volume that hangs may answer when
/// the store is gone.
struct NodeWork {
  MetadataStore& store;
  NodeVolume node;
  std::shared_ptr<StopSignal> stop;
  Log log;

  /// errc::cancelled once it is stopped: to be asked before the store is, whenever a volume was.
  result<void> open() const {
    if (stop->stopped()) return fail(errc::cancelled, "stopped");
    return {};
  }
  const std::string& name() const { return node.volume->node(); }
};

}  // namespace geogrid
