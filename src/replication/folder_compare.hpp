#pragma once
// One folder on a node's disk against the same folder in metadata: what is to be done about each name. Pure.

#include <cstdint>
#include <span>
#include <vector>

#include "base/timestamp.hpp"
#include "meta/records.hpp"
#include "replication/ignore_rules.hpp"
#include "volume/volume.hpp"

namespace geogrid {

enum class Verdict : std::uint8_t {
  nothing,  ///< as recorded and counted; or none of a walk's business (being written, a known special file)
  folder,   ///< known on both sides: go down
  folder_absent,  ///< only metadata has it: go down all the same, for what is counted below is missing
  new_entry,      ///< an unknown folder or symlink: register
  new_file,       ///< an unknown file: digest, then register
  young,          ///< an uncounted file that may still be being written: look again in a moment
  claim,          ///< a known file of the right size that does not count here: digest; the right one counts
  fill,           ///< counted, but nobody knows its digest yet: digest
  recheck,        ///< counted, but size or mtime are not the recorded ones: digest
  prove,          ///< as recorded and counted; the walk is deep: digest
  missing,        ///< counted, and not in the listing: prove its absence
  missing_link,   ///< a symlink that is not in the listing: to be made
  older,          ///< bytes of an older version: replication replaces them
  conflict,       ///< not counted, and of another size or link target
  type_conflict,  ///< of another type than metadata has it
  special,        ///< an unknown fifo, socket or device: left alone
};

struct Comparison {
  Verdict verdict = Verdict::nothing;
  const DiskEntry* disk = nullptr;  ///< nullptr: not on the disk
  const Inode* known = nullptr;     ///< nullptr: not in metadata

  const std::string& name() const { return disk != nullptr ? disk->name : known->name; }
};

struct CompareOptions {
  NodeIndex node;
  bool at_top = false;  ///< the folder is the root
  bool deep = false;
  /// Uncounted files whose inode changed in this span are young. By default there are none.
  Timestamp young_from{1, 0};
  Timestamp young_to{0, 0};
};

struct FolderComparison {
  std::vector<Comparison> items;  ///< by name; pointers into the two lists
  std::uint64_t ignored = 0;
};

/// Each name of either list at most once in a list. Metadata entries that are ignored or absent and need
/// nothing are left out.
FolderComparison compare_folder(std::span<const DiskEntry> disk, std::span<const Inode> known,
                                const IgnoreRules& ignore, const CompareOptions& options);

/// Whether the disk has the recorded time; a disk that keeps whole seconds only is believed.
bool same_mtime(const Timestamp& disk, const Timestamp& recorded);

}  // namespace geogrid
