#pragma once
// A draft's file: how it comes to be, gets its path and loses it again. Blocking, on the volume's threads;
// errors are not yet explained.

#include <memory>
#include <mutex>

#include "volume/local_disk.hpp"

namespace geogrid {

struct DraftFile {
  DraftFile(DraftName n, UniqueFd f) : name(n), file(std::move(f)) {}
  const DraftName name;
  const UniqueFd file;
  std::mutex naming;  ///< held while its names change hands
};

/// Where a draft is.
struct PlacedDraft {
  Path path;
  bool replaces = false;
  bool power_safe = false;
  bool displaced = false;  ///< what lay at the path has the draft's name in `.geogrid/tmp`
  dev_t device = 0;        ///< the draft itself
  ino_t inode = 0;
};

/// An empty one. EEXIST if the name is taken.
result<std::shared_ptr<DraftFile>> make_draft(LocalDisk& disk, int root, const DraftName& name);
/// One with the bytes of a file of the tree; as DraftRequest says.
result<std::shared_ptr<DraftFile>> make_draft_from(LocalDisk& disk, int root, const DraftRequest& request);
/// Removes it from `.geogrid/tmp`, if it is there.
void remove_draft(LocalDisk& disk, int root, DraftFile& draft);

/// What Draft::place() does.
result<PlacedDraft> place_draft(LocalDisk& disk, int root, DraftFile& draft, const DraftPlace& where);
/// What Draft::take_back() does. Null: it has its draft's name again. Else it did not lie at its path any
/// more, and this is its copy.
result<std::shared_ptr<DraftFile>> take_back_draft(LocalDisk& disk, int root, DraftFile& draft,
                                                   const PlacedDraft& placed);
/// What Draft::settle() does with what the draft displaced.
result<void> put_displaced_aside(LocalDisk& disk, int root, DraftFile& draft, const PlacedDraft& placed,
                                 Timestamp when);

}  // namespace geogrid
