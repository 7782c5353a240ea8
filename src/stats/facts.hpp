#pragma once
// Gathers what `status`, `queue` and `locate` show (and later the pages) from the store, so that all say the
// same.

#include <optional>
#include <vector>

#include "meta/metadata_store.hpp"
#include "stats/health.hpp"

namespace geogrid {

/// At most so many findings are listed.
inline constexpr std::size_t kMaxFindings = 1000;

/// At most so many operations that a node owes are counted.
inline constexpr std::size_t kMaxOwed = 1000;

task<result<Facts>> gather_facts(MetadataStore& store);

/// Everything known of one file or folder.
struct FileFacts {
  Path path;
  Inode inode;
  std::vector<NodeRecord> nodes;  ///< all storage nodes
  std::vector<ProvedTime> proved;
};
/// Errors: errc::not_found with the path.
task<result<FileFacts>> gather_file_facts(MetadataStore& store, Path path);

struct QueueFacts {
  QueueSummary summary;
  std::vector<QueueEntry> entries;
  std::vector<NodeRecord> nodes;
};
task<result<QueueFacts>> gather_queue_facts(MetadataStore& store, std::size_t limit);

}  // namespace geogrid
