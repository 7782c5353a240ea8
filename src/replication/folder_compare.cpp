#include "replication/folder_compare.hpp"

#include <algorithm>

namespace geogrid {
namespace {

bool is_young(const DiskEntry& disk, const CompareOptions& options) {
  const Timestamp& changed = disk.attributes.ctime;
  return options.young_from <= changed && changed <= options.young_to;
}

Verdict verdict_of_unknown(const DiskEntry& disk, const CompareOptions& options) {
  switch (disk.type) {
    case FileType::folder:
    case FileType::symlink:
      return Verdict::new_entry;
    case FileType::file:
      return is_young(disk, options) ? Verdict::young : Verdict::new_file;
    default:
      return Verdict::special;
  }
}

Verdict verdict_of_counted(const DiskEntry& disk, const Inode& known, const CompareOptions& options) {
  const bool as_recorded =
      disk.size == known.size && same_mtime(disk.attributes.mtime, known.attributes.mtime);
  if (known.digest.pending()) return disk.size == known.size ? Verdict::fill : Verdict::recheck;
  if (!as_recorded) return Verdict::recheck;
  return options.deep ? Verdict::prove : Verdict::nothing;
}

Verdict verdict_of_uncounted(const DiskEntry& disk, const Inode& known, const CompareOptions& options) {
  const bool older = known.older.contains(options.node);
  if (disk.size != known.size) {
    if (older) return Verdict::older;
    return is_young(disk, options) ? Verdict::young : Verdict::conflict;
  }
  // What nobody has hashed is defined by the nodes whose copy counts, not by a stranger of the same size.
  if (known.digest.pending() && !known.replicas.empty()) return Verdict::nothing;
  return is_young(disk, options) ? Verdict::young : Verdict::claim;
}

Verdict verdict_of_both(const DiskEntry& disk, const Inode& known, const CompareOptions& options) {
  if (known.is_file() && known.state == ContentState::pending) return Verdict::nothing;
  if (disk.type != known.type) return Verdict::type_conflict;
  if (known.is_folder()) return Verdict::folder;
  if (known.type == FileType::symlink)
    return disk.link_target == known.link_target ? Verdict::nothing : Verdict::conflict;
  if (!known.is_file()) return Verdict::nothing;
  return known.replicas.contains(options.node) ? verdict_of_counted(disk, known, options)
                                               : verdict_of_uncounted(disk, known, options);
}

Verdict verdict_of_absent(const Inode& known, const CompareOptions& options) {
  if (known.is_folder()) return Verdict::folder_absent;
  if (known.type == FileType::symlink) return Verdict::missing_link;
  const bool counted =
      known.is_file() && known.state == ContentState::published && known.replicas.contains(options.node);
  return counted ? Verdict::missing : Verdict::nothing;
}

template <typename Entry>
std::vector<const Entry*> by_name(std::span<const Entry> entries) {
  std::vector<const Entry*> sorted;
  sorted.reserve(entries.size());
  for (const Entry& entry : entries) sorted.push_back(&entry);
  const auto less = [](const Entry* a, const Entry* b) { return a->name < b->name; };
  if (!std::ranges::is_sorted(sorted, less)) std::ranges::sort(sorted, less);
  return sorted;
}

}  // namespace

bool same_mtime(const Timestamp& disk, const Timestamp& recorded) {
  return disk.seconds == recorded.seconds &&
         (disk.nanoseconds == recorded.nanoseconds || disk.nanoseconds == 0);
}

FolderComparison compare_folder(std::span<const DiskEntry> disk, std::span<const Inode> known,
                                const IgnoreRules& ignore, const CompareOptions& options) {
  const auto disk_sorted = by_name(disk);
  const auto known_sorted = by_name(known);
  FolderComparison answer;
  answer.items.reserve(std::max(disk.size(), known.size()));
  auto d = disk_sorted.begin();
  auto k = known_sorted.begin();
  while (d != disk_sorted.end() || k != known_sorted.end()) {
    const int order = d == disk_sorted.end()    ? 1
                      : k == known_sorted.end() ? -1
                                                : (*d)->name.compare((*k)->name);
    Comparison item;
    if (order <= 0) item.disk = *d++;
    if (order >= 0) item.known = *k++;
    if (ignore.ignores(item.name(), options.at_top)) {
      answer.ignored += item.disk != nullptr ? 1 : 0;
      continue;
    }
    if (item.known == nullptr) {
      item.verdict = verdict_of_unknown(*item.disk, options);
    } else if (item.disk == nullptr) {
      item.verdict = verdict_of_absent(*item.known, options);
      if (item.verdict == Verdict::nothing) continue;
    } else {
      item.verdict = verdict_of_both(*item.disk, *item.known, options);
    }
    answer.items.push_back(item);
  }
  return answer;
}

}  // namespace geogrid
