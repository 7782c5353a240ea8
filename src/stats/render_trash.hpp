#pragma once
// The trash, and what was restored or removed for good, for people and for programs.

#include <string>
#include <vector>

#include "meta/records.hpp"
#include "replication/trash_restorer.hpp"
#include "replication/trash_search.hpp"
#include "stats/render_json.hpp"
#include "stats/table.hpp"

namespace geogrid {

/// At most so many files are listed as text; JSON has all.
inline constexpr std::size_t kListedTrash = 1000;

std::string render_trash(const TrashFound& found, const std::vector<NodeRecord>& nodes, Style style);
Json trash_json(const TrashFound& found, const std::vector<NodeRecord>& nodes);

std::string render_restore(const RestoreReport& report, const std::vector<NodeRecord>& nodes, bool dry_run,
                           Style style);
Json restore_json(const RestoreReport& report, const std::vector<NodeRecord>& nodes, bool dry_run);

/// What `trash purge` did on one node.
struct PurgedNode {
  NodeIndex node;
  TrashPurge purged;
  result<void> end;
};
std::string render_purge(const std::vector<PurgedNode>& purged, const std::vector<NodeRecord>& nodes,
                         bool dry_run, Style style);
Json purge_json(const std::vector<PurgedNode>& purged, const std::vector<NodeRecord>& nodes, bool dry_run);

}  // namespace geogrid
