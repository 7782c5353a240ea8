#include "replication/folder_judgement.hpp"

#include <fmt/format.h>

namespace geogrid {

void FolderJudgement::add(const DigestedFile& one) {
  if (!one.file) return judge_error(one.item, one.file.error());
  const WholeFile& file = *one.file;
  ++digested_files_;
  digested_bytes_ += file.entry.size;
  if (one.item.known == nullptr) {
    entries.push_back(
        {one.item.disk->name, FileType::file, file.entry.attributes, file.entry.size, file.digest, {}});
  } else if (one.item.known->replicas.contains(node_)) {
    judge_counted(one.item, file);
  } else {
    judge_uncounted(one.item, file);
  }
}

void FolderJudgement::judge_error(const Comparison& item, const Error& error) {
  if (item.known != nullptr && item.known->replicas.contains(node_)) not_proved = true;
  // Gone since it was listed: of what counts, the next walk asks for a proof.
  if (error.is(std::errc::no_such_file_or_directory)) return;
  if (error.is(errc::stale)) {
    in_motion.push_back(item.name());
    return;
  }
  ++unreadable_;
  findings.push_back({FindingKind::unreadable, path_of(item), error.message});
}

void FolderJudgement::judge_counted(const Comparison& item, const WholeFile& file) {
  const Inode& known = *item.known;
  if (known.digest.pending() && file.entry.size == known.size) {
    claims.push_back({known.id, known.version, path_of(item), file.entry.size, file.digest});
    fills.push_back(true);
    align(item, file);
    return;
  }
  if (!known.digest.pending() && file.entry.size == known.size && file.digest == known.digest) {
    proved.push_back(known.id);
    align(item, file);
    return;
  }
  not_proved = true;
  const bool as_recorded =
      file.entry.size == known.size && same_mtime(file.entry.attributes.mtime, known.attributes.mtime);
  withdrawals.push_back({known.id, known.version, path_of(item),
                         as_recorded ? FindingKind::damaged : FindingKind::changed_outside,
                         fmt::format("{} bytes, {} here; {} bytes, {} recorded", file.entry.size,
                                     file.digest.str(), known.size, known.digest.str())});
}

void FolderJudgement::judge_uncounted(const Comparison& item, const WholeFile& file) {
  const Inode& known = *item.known;
  const bool right = file.entry.size == known.size && (known.digest.pending() || file.digest == known.digest);
  if (right) {
    claims.push_back({known.id, known.version, path_of(item), file.entry.size, file.digest});
    fills.push_back(known.digest.pending());
    align(item, file);
  } else if (known.older.contains(node_)) {
    ++older_;
  } else {
    ++conflicts_;
    findings.push_back({FindingKind::conflict, path_of(item),
                        fmt::format("{} here, {} in metadata", file.digest.str(), known.digest.str())});
  }
}

void FolderJudgement::align(const Comparison& item, const WholeFile& file) {
  if (!same_mtime(file.entry.attributes.mtime, item.known->attributes.mtime))
    repairs.push_back({path_of(item), file.entry, item.known->attributes.mtime});
}

void FolderJudgement::count_in(WalkReport& report) const {
  report.digested_files += digested_files_;
  report.digested_bytes += digested_bytes_;
  report.proved += proved.size();
  report.older += older_;
  report.conflicts += conflicts_;
  report.unreadable_files += unreadable_;
}

std::string describe_conflict(const Comparison& item) {
  if (item.disk->type == FileType::symlink)
    return fmt::format("leads to {} here, to {} in metadata", printable(item.disk->link_target),
                       printable(item.known->link_target));
  return fmt::format("{} bytes here, {} bytes in metadata", item.disk->size, item.known->size);
}

}  // namespace geogrid
