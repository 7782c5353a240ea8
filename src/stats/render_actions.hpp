#pragma once
// What walks, replications and verifications did, for people and for programs.

#include <string>
#include <vector>

#include "meta/records.hpp"
#include "replication/replicator.hpp"
#include "replication/verifier.hpp"
#include "replication/walk_report.hpp"
#include "stats/render_json.hpp"
#include "stats/table.hpp"

namespace geogrid {

/// At most so many findings or problems are listed as text; JSON has all that the report kept.
inline constexpr std::size_t kListedFindings = 50;

std::string render_walk(const std::string& node, const WalkReport& report, Style style);
Json walk_json(const std::string& node, const WalkReport& report);

std::string render_replication(const std::string& node, const ReplicateReport& report, Style style);
Json replication_json(const std::string& node, const ReplicateReport& report);

std::string render_verification(const VerifyReport& report, Style style);
Json verification_json(const VerifyReport& report);

}  // namespace geogrid
