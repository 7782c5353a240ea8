#pragma once
// What the digests of a folder's files mean: which are registered, claimed, withdrawn, reported. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "meta/copy_store.hpp"
#include "replication/digest_batch.hpp"
#include "replication/folder_compare.hpp"
#include "replication/walk_report.hpp"

namespace geogrid {

/// Whether the verdict waits for a digest.
constexpr bool needs_digest(Verdict verdict) {
  return verdict == Verdict::new_file || verdict == Verdict::claim || verdict == Verdict::fill ||
         verdict == Verdict::recheck || verdict == Verdict::prove;
}

/// A file whose bytes are the recorded ones, but not its mtime.
struct MtimeRepair {
  Path path;
  DiskEntry digested;  ///< as it was then
  Timestamp mtime;     ///< the recorded one
};

class FolderJudgement {
 public:
  struct Told {
    FindingKind kind;
    Path path;
    std::string detail;
  };

  FolderJudgement(NodeIndex node, Path folder) : node_(node), folder_(std::move(folder)) {}

  /// Takes in the answer for one file. REQUIRES: needs_digest(verdict); the error, if any, concerns this file
  /// only.
  void add(const DigestedFile& one);
  /// Adds what was digested, proved, older, unreadable and in conflict to the report.
  void count_in(WalkReport& report) const;

  std::vector<FoundEntry> entries;  ///< to be registered
  std::vector<CopyClaim> claims;
  std::vector<bool> fills;  ///< [as claims]: the digest was pending
  std::vector<Withdrawal> withdrawals;
  std::vector<MtimeRepair> repairs;
  std::vector<InodeId> proved;  ///< counted copies that are right
  std::vector<Told> findings;
  std::vector<std::string> in_motion;  ///< files that changed while they were read
  bool not_proved = false;             ///< a counted copy could not be read, or is not right

 private:
  void judge_error(const Comparison& item, const Error& error);
  void judge_counted(const Comparison& item, const WholeFile& file);
  void judge_uncounted(const Comparison& item, const WholeFile& file);
  void align(const Comparison& item, const WholeFile& file);
  Path path_of(const Comparison& item) const { return folder_.child(item.name()); }

  const NodeIndex node_;
  const Path folder_;
  std::uint64_t digested_files_ = 0;
  std::uint64_t digested_bytes_ = 0;
  std::uint64_t older_ = 0;
  std::uint64_t conflicts_ = 0;
  std::uint64_t unreadable_ = 0;
};

/// For Verdict::conflict, in words.
std::string describe_conflict(const Comparison& item);

}  // namespace geogrid
