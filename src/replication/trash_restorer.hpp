#pragma once
// Takes files out of the trash again.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "meta/metadata_store.hpp"
#include "replication/trash_search.hpp"

namespace geogrid {

struct RestoreRequest {
  Path path;                        ///< a file, or a folder with all below
  std::optional<std::string> date;  ///< none: the newest day that has it
  std::optional<Path> to;           ///< none: where it was
  bool dry_run = false;
  std::size_t parallel = 8;
  std::function<void(std::uint64_t files, std::uint64_t bytes)> on_progress;
};

struct RestoredFile {
  Path from;
  Path to;
  std::string day;
  std::uint64_t size = 0;
  NodeSet nodes;               ///< whose copies count now
  std::optional<Error> error;  ///< why it stays in the trash
};

struct RestoreReport {
  std::string day;
  std::vector<RestoredFile> files;         ///< by path
  std::vector<TrashFound::Failed> failed;  ///< nodes that could not be looked at

  std::size_t refused() const;
};

/// Moves the file back on every node that has these bytes, registers it as a walk would (a new file: its
/// attributes are those on the disk), and counts the other nodes' copies. Folders that are missing are made,
/// with mode and owner of the folder above. Nothing is ever replaced: a file whose name is taken stays in the
/// trash, in a folder file by file. What the nodes owe is done first, as far as they are there. Errors:
/// errc::not_found (no trash has it), errc::cancelled, and the
/// store's; those of single files are in the report.
task<result<RestoreReport>> restore_from_trash(MetadataStore& store, std::vector<NodeVolume> volumes,
                                               RestoreRequest request, std::shared_ptr<StopSignal> stop,
                                               Log log);

}  // namespace geogrid
