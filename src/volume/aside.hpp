#pragma once
// Moving things out of the tree, into a dated folder of `.geogrid`, at the path that they had. Blocking.

#include <string>
#include <string_view>

#include "volume/local_disk.hpp"

namespace geogrid {

struct MoveAside {
  int from = -1;           ///< the folder it is in
  std::string name;        ///< its name there
  std::string_view aside;  ///< where to: one of the folders in marker.hpp
  Path path;               ///< the path that it keeps
  Timestamp when;          ///< names DATE
  bool safe_way = true;    ///< folders that are made for it are power-safe before it is in them
};

/// Moves it, never over anything: where the place is taken, DATE becomes DATE.1, and so on. Returns where to,
/// relative to the root. The move itself is not made power-safe. Errors: ENOENT if it is not there;
/// errc::refused.
result<std::string> move_aside(LocalDisk& disk, int root, const MoveAside& move);

std::string_view folder_of(AsideReason reason);
/// Of a path relative to the root: "a/b" of "a/b/c".
std::string_view parent_of(std::string_view relative);
std::string_view filename_of(std::string_view relative);

}  // namespace geogrid
