#pragma once
// Drafts of writers that died: what is the current version takes or keeps its path, the rest goes to
// lost+found.

#include <chrono>

#include "base/log.hpp"
#include "meta/metadata_store.hpp"
#include "os/clock.hpp"
#include "volume/volume.hpp"

namespace geogrid {

struct SalvageOptions {
  std::chrono::seconds min_age{5};  ///< younger drafts are left alone
  const Clock* clock = &system_clock();
};

struct SalvageReport {
  std::uint64_t salvaged = 0;  ///< files moved to lost+found
  std::uint64_t claimed = 0;   ///< copies of the current version that count again
};

/// Looks once at the drafts of `node`. A draft of a living owner, or that a process of this machine holds, is
/// left alone, and so is one of a file that was never published, which expires by itself. Errors: the node's
/// or the store's; those of a single draft are logged.
task<result<SalvageReport>> salvage_drafts(MetadataStore& store, NodeVolume node, SalvageOptions options,
                                           Log log);

}  // namespace geogrid
