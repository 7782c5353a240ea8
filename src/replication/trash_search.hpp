#pragma once
// What lies in the trash of several nodes, as one tree a date.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/notifier.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// Where one node has it.
struct TrashPlace {
  NodeIndex node;
  std::string date;  ///< the folder of the trash: "2026-11-22.1"
  DiskEntry entry;
};

/// A file or symlink that was removed or replaced on a day.
struct TrashFile {
  Path path;
  std::string day;                 ///< "2026-11-22"
  std::vector<TrashPlace> places;  ///< by node, on each the newest first

  std::uint64_t size() const { return places.empty() ? 0 : places.front().entry.size; }
};

struct TrashSearch {
  Path below;                       ///< a folder or a file
  std::optional<std::string> date;  ///< only this day, or this very folder ("2026-11-22.1")
  bool newest_day_only = false;     ///< only the newest day that has something there
};

struct TrashFound {
  std::vector<TrashFile> files;  ///< newest day first, then by path
  struct Failed {
    NodeIndex node;
    Error error;
  };
  std::vector<Failed> failed;  ///< nodes whose trash could not be read to the end
};

/// Looks through the trash of all these volumes. Errors: errc::cancelled.
task<result<TrashFound>> search_trash(std::vector<NodeVolume> volumes, TrashSearch search,
                                      std::shared_ptr<StopSignal> stop);

/// Orders the folders of the trash by age: "2026-11-22.10" is newer than "2026-11-22.9".
bool older_trash(const std::string& a, const std::string& b);

}  // namespace geogrid
