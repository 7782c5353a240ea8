#pragma once
// What a person should know of, kept until it is settled.

#include <span>
#include <vector>

#include "meta/sql_tx.hpp"

namespace geogrid {

/// Records findings as seen now; those known already only renew their time and detail.
task<result<void>> report_findings(Tx& tx, std::span<const Finding> findings);

/// A good copy lies at each of these paths: whatever was found there before is settled.
task<result<void>> settle_paths(Tx& tx, NodeIndex node, std::vector<Path> paths);

}  // namespace geogrid
