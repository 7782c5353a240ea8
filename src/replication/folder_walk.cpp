// One folder of a walk: list, compare, go down, digest, record.

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/log.hpp"
#include "replication/folder_judgement.hpp"
#include "replication/folder_listing.hpp"
#include "replication/missing_links.hpp"
#include "replication/pages.hpp"
#include "replication/walk_state.hpp"

namespace geogrid {
namespace {

constexpr int kPasses = 3;  // when metadata changes under the walk, the folder is compared again
constexpr int kVisits = 3;  // when files are young, the folder is visited again
constexpr std::size_t kWave = CopyStore::kMaxBatch;

class FolderWalk {
 public:
  FolderWalk(std::shared_ptr<WalkState> state, FolderJob job)
      : state_(std::move(state)), job_(std::move(job)) {}

  /// Names that are to be looked at once more. Errors end the walk.
  task<result<std::set<std::string>>> run();

 private:
  enum class Next { done, again, gone };

  task<result<Next>> pass();
  void count_seen(const FolderComparison& comparison);
  FolderComparison compare(const FolderListing& listing) const;
  task<result<Next>> register_entries(const FolderComparison& comparison, ChangeId seen);
  void go_down(const FolderComparison& comparison);
  void go_down_to(const std::string& name, InodeId id, bool absent);
  task<result<Next>> work_on_files(const FolderComparison& comparison, ChangeId seen);
  task<result<Next>> work_on_wave(std::vector<Comparison> wave, ChangeId seen);
  task<result<Next>> register_files(FolderJudgement& judgement, ChangeId seen);
  task<result<Next>> register_batch(std::vector<FoundEntry> entries, ChangeId seen);
  task<result<void>> withdraw_vanished(const std::vector<Registration>& registered,
                                       const std::vector<FoundEntry>& entries);
  task<result<Next>> claim(FolderJudgement& judgement);
  task<result<void>> align(const FolderJudgement& judgement);
  task<result<void>> look_for_missing(const FolderComparison& comparison);
  task<result<void>> make_links(const FolderComparison& comparison);
  task<result<void>> tell_rest(const FolderComparison& comparison);
  task<result<void>> note_proofs();

  WalkReport& report() { return state_->report; }

  const std::shared_ptr<WalkState> state_;
  const FolderJob job_;
  std::set<std::string> gone_down_;  // subfolders that are queued
  Timestamp began_;
  std::set<std::string> young_;  // names of files that may still be being written
  bool all_proved_ = true;       // every counted file was digested
  std::vector<InodeId> proved_;
  WalkReport seen_;  // what the last pass saw: counted once, however many passes
};

task<result<std::set<std::string>>> FolderWalk::run() {
  began_ = state_->options.clock->wall();
  for (int pass_number = 0;; ++pass_number) {
    if (state_->stop->stopped()) co_return fail(errc::cancelled, "stopped");
    GG_CO_TRY(const Next next, co_await pass());
    if (next == Next::gone) co_return std::set<std::string>();
    if (next == Next::done) break;
    if (pass_number + 1 == kPasses) {
      ++report().changed_meanwhile;
      all_proved_ = false;
      break;
    }
  }
  if (job_.visits == 0) {
    ++report().folders;
    report().files += seen_.files;
    report().bytes += seen_.bytes;
    report().unchanged += seen_.unchanged;
    report().ignored += seen_.ignored;
    report().older += seen_.older;
  }
  GG_CO_CHECK(co_await note_proofs());
  if (job_.visits + 1 == kVisits) {
    report().changed_meanwhile += young_.size();
    young_.clear();
  }
  co_return std::move(young_);
}

task<result<FolderWalk::Next>> FolderWalk::pass() {
  young_.clear();
  GG_CO_TRY(const ChangeId seen, co_await state_->seen_changes());
  GG_CO_TRY(const FolderListing listing, co_await list_folder(state_->store, *state_->volume, job_));
  if (listing.unreadable) {
    ++report().unreadable_folders;
    std::vector<Finding> findings{
        state_->finding(FindingKind::unreadable, job_.path, listing.unreadable->message)};
    GG_CO_CHECK(co_await state_->tell(std::move(findings)));
    co_return Next::gone;
  }
  FolderComparison comparison = compare(listing);
  if (job_.only)
    std::erase_if(comparison.items,
                  [this](const Comparison& item) { return !job_.only->contains(item.name()); });
  count_seen(comparison);
  GG_CO_TRY(Next next, co_await register_entries(comparison, seen));
  if (next == Next::gone) co_return next;
  go_down(comparison);
  GG_CO_TRY(const Next files, co_await work_on_files(comparison, seen));
  if (files == Next::gone) co_return files;
  GG_CO_CHECK(co_await look_for_missing(comparison));
  GG_CO_CHECK(co_await make_links(comparison));
  if (next == Next::again || files == Next::again) co_return Next::again;
  GG_CO_CHECK(co_await tell_rest(comparison));
  co_return Next::done;
}

FolderComparison FolderWalk::compare(const FolderListing& listing) const {
  CompareOptions options;
  options.node = state_->node;
  options.at_top = job_.path.is_root();
  options.deep = state_->options.deep;
  const auto settle = std::chrono::ceil<std::chrono::seconds>(state_->options.settle).count();
  if (settle > 0) {
    const Timestamp now = state_->options.clock->wall();
    options.young_from = {now.seconds - settle, now.nanoseconds};
    options.young_to = {now.seconds + settle, now.nanoseconds};
  }
  return compare_folder(listing.disk, listing.known, state_->options.ignore, options);
}

void FolderWalk::count_seen(const FolderComparison& comparison) {
  seen_ = WalkReport();
  seen_.ignored = comparison.ignored;
  for (const Comparison& item : comparison.items) {
    if (item.disk == nullptr || item.disk->type != FileType::file) continue;
    ++seen_.files;
    seen_.bytes += item.disk->size;
    if (item.verdict == Verdict::nothing) ++seen_.unchanged;
    if (item.verdict == Verdict::older) ++seen_.older;
    if (item.verdict == Verdict::young) young_.insert(item.name());
    if (item.verdict == Verdict::nothing && item.known->replicas.contains(state_->node)) all_proved_ = false;
  }
}

task<result<FolderWalk::Next>> FolderWalk::register_entries(const FolderComparison& comparison,
                                                            ChangeId seen) {
  std::vector<FoundEntry> entries;
  for (const Comparison& item : comparison.items)
    if (item.verdict == Verdict::new_entry)
      entries.push_back(
          {item.disk->name, item.disk->type, item.disk->attributes, 0, {}, item.disk->link_target});
  Next next = Next::done;
  auto pages = in_pages(std::move(entries), kWave);
  for (auto& page : pages) {
    GG_CO_TRY(next, co_await register_batch(std::move(page), seen));
    if (next != Next::done) break;
  }
  co_return next;
}

task<result<FolderWalk::Next>> FolderWalk::register_batch(std::vector<FoundEntry> entries, ChangeId seen) {
  const auto count = [&](const FoundEntry& entry) {
    ++(entry.type == FileType::folder    ? report().registered_folders
       : entry.type == FileType::symlink ? report().registered_symlinks
                                         : report().registered_files);
  };
  if (state_->options.dry_run) {
    for (const FoundEntry& entry : entries) {
      count(entry);
      if (entry.type == FileType::folder) go_down_to(entry.name, InodeId{}, false);
    }
    co_return Next::done;
  }
  // The folder may have been moved away since its id was learnt, and another one be at its path now.
  auto path = co_await state_->store.path_of(job_.id);
  if (!path && !path.error().is(errc::not_found)) co_return std::move(path).error();
  if (!path || *path != job_.path) {
    report().removed_meanwhile += entries.size();
    co_return Next::gone;
  }
  auto outcomes = co_await state_->store.register_found(state_->node, job_.id, seen, entries);
  if (!outcomes && outcomes.error().is(errc::stale)) co_return Next::again;
  if (!outcomes && outcomes.error().is(errc::not_found)) {
    report().removed_meanwhile += entries.size();
    co_return Next::gone;
  }
  if (!outcomes) co_return std::move(outcomes).error();
  Next next = Next::done;
  bool files = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Registration& one = (*outcomes)[i];
    if (one.outcome == RegisterOutcome::known) next = Next::again;
    if (one.outcome == RegisterOutcome::removed) ++report().removed_meanwhile;
    if (one.outcome != RegisterOutcome::registered) continue;
    count(entries[i]);
    if (entries[i].type == FileType::folder) go_down_to(entries[i].name, one.id, false);
    if (entries[i].type == FileType::file) {
      files = true;
      proved_.push_back(one.id);
    }
  }
  if (files) GG_CO_CHECK(co_await withdraw_vanished(*outcomes, entries));
  co_return next;
}

// What was removed on the disk between its digest and its registration counts by mistake: one more listing
// tells.
task<result<void>> FolderWalk::withdraw_vanished(const std::vector<Registration>& registered,
                                                 const std::vector<FoundEntry>& entries) {
  auto disk = co_await state_->volume->list(job_.path);
  if (!disk && !disk.error().is(std::errc::no_such_file_or_directory)) {
    if (ends_traversal(disk.error())) co_return std::move(disk).error();
    co_return result<void>();  // unreadable now: nothing may be concluded
  }
  std::set<std::string_view> there;
  if (disk)
    for (const DiskEntry& entry : *disk) there.insert(entry.name);
  std::vector<Withdrawal> gone;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (registered[i].outcome != RegisterOutcome::registered || entries[i].type != FileType::file) continue;
    if (there.contains(entries[i].name)) continue;
    const Path path = job_.path.child(entries[i].name);
    const auto now = co_await state_->volume->stat(path);
    if (now || !now.error().is(std::errc::no_such_file_or_directory)) continue;
    const auto inode = co_await state_->store.get(registered[i].id);
    if (inode)
      gone.push_back(
          {inode->id, inode->version, path, FindingKind::missing, "removed while it was registered"});
  }
  co_return co_await state_->withdraw(std::move(gone));
}

void FolderWalk::go_down_to(const std::string& name, InodeId id, bool absent) {
  if (!gone_down_.insert(name).second) return;
  Path path = job_.path.child(name);
  if (state_->resume_from && !to_visit(path, *state_->resume_from)) return;
  state_->queue.add({std::move(path), id, absent, 0, nullptr});
  state_->progressed.notify_all();
}

void FolderWalk::go_down(const FolderComparison& comparison) {
  for (const Comparison& item : comparison.items)
    if (item.verdict == Verdict::folder || item.verdict == Verdict::folder_absent)
      go_down_to(item.name(), item.known->id, item.verdict == Verdict::folder_absent);
}

task<result<FolderWalk::Next>> FolderWalk::work_on_files(const FolderComparison& comparison, ChangeId seen) {
  std::vector<Comparison> files;
  for (const Comparison& item : comparison.items)
    if (needs_digest(item.verdict)) files.push_back(item);
  Next next = Next::done;
  auto waves = in_pages(std::move(files), kWave);
  for (auto& one : waves) {
    GG_CO_TRY(const Next wave, co_await work_on_wave(std::move(one), seen));
    if (wave != Next::done) next = wave;
    if (next == Next::gone) break;
  }
  co_return next;
}

task<result<FolderWalk::Next>> FolderWalk::work_on_wave(std::vector<Comparison> wave, ChangeId seen) {
  auto digested = co_await digest_batch(state_->volume, job_.path, std::move(wave), state_->digests);
  if (state_->stop->stopped()) co_return fail(errc::cancelled, "stopped");
  FolderJudgement judgement(state_->node, job_.path);
  for (const DigestedFile& one : digested) {
    if (!one.file && ends_traversal(one.file.error())) co_return one.file.error();
    judgement.add(one);
  }
  judgement.count_in(report());
  young_.insert(judgement.in_motion.begin(), judgement.in_motion.end());
  if (judgement.not_proved) all_proved_ = false;
  proved_.insert(proved_.end(), judgement.proved.begin(), judgement.proved.end());
  state_->progressed.notify_all();

  std::vector<Finding> findings;
  for (auto& told : judgement.findings)
    findings.push_back(state_->finding(told.kind, told.path, told.detail));
  GG_CO_CHECK(co_await state_->tell(std::move(findings)));
  GG_CO_TRY(const Next registered, co_await register_files(judgement, seen));
  if (registered == Next::gone) co_return registered;
  GG_CO_TRY(const Next claimed, co_await claim(judgement));
  if (claimed == Next::done) GG_CO_CHECK(co_await align(judgement));
  GG_CO_CHECK(co_await state_->withdraw(std::move(judgement.withdrawals)));
  co_return registered == Next::again ? registered : claimed;
}

task<result<FolderWalk::Next>> FolderWalk::register_files(FolderJudgement& judgement, ChangeId seen) {
  if (judgement.entries.empty()) co_return Next::done;
  co_return co_await register_batch(std::move(judgement.entries), seen);
}

task<result<FolderWalk::Next>> FolderWalk::claim(FolderJudgement& judgement) {
  if (judgement.claims.empty()) co_return Next::done;
  if (state_->options.dry_run) {
    for (const bool fills : judgement.fills) ++(fills ? report().filled : report().claimed);
    co_return Next::done;
  }
  GG_CO_TRY(const std::vector<ClaimOutcome> outcomes,
            co_await state_->store.claim_copies(state_->node, judgement.claims, false));
  Next next = Next::done;
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const CopyClaim& one = judgement.claims[i];
    if (outcomes[i] == ClaimOutcome::counted) {
      ++(judgement.fills[i] ? report().filled : report().claimed);
      proved_.push_back(one.id);
    } else if (outcomes[i] == ClaimOutcome::stale) {
      next = Next::again;
    } else {
      ++report().conflicts;
      findings.push_back(
          state_->finding(FindingKind::conflict, one.path,
                          fmt::format("{} here, something else in metadata", one.digest.str())));
    }
  }
  GG_CO_CHECK(co_await state_->tell(std::move(findings)));
  co_return next;
}

// The recorded mtime on the disk spares the next walk the digest. Only for the very bytes that were digested:
// a stat before makes sure, as far as that is possible, that no later change is hidden.
task<result<void>> FolderWalk::align(const FolderJudgement& judgement) {
  for (const MtimeRepair& repair : judgement.repairs) {
    if (state_->options.dry_run) {
      ++report().aligned;
      continue;
    }
    const auto now = co_await state_->volume->stat(repair.path);
    if (!now || now->disk_inode != repair.digested.disk_inode || now->size != repair.digested.size ||
        now->attributes.mtime != repair.digested.attributes.mtime ||
        now->attributes.ctime != repair.digested.attributes.ctime)
      continue;
    const auto done = co_await state_->volume->set_mtime(repair.path, repair.mtime);
    if (done) {
      ++report().aligned;
    } else if (ends_traversal(done.error())) {
      co_return done.error();
    }  // else: not ours to change; each walk digests it again
  }
  co_return result<void>();
}

task<result<void>> FolderWalk::look_for_missing(const FolderComparison& comparison) {
  std::vector<Withdrawal> gone;
  for (const Comparison& item : comparison.items) {
    const bool missing = item.verdict == Verdict::missing;
    const bool displaced = item.verdict == Verdict::type_conflict && item.known->is_file() &&
                           item.known->replicas.contains(state_->node);
    if (!missing && !displaced) continue;
    if (state_->stop->stopped()) co_return fail(errc::cancelled, "stopped");
    const Path path = job_.path.child(item.name());
    const auto now = co_await state_->volume->stat(path);
    if (!now && ends_traversal(now.error())) co_return now.error();
    if (missing && !now && now.error().is(std::errc::no_such_file_or_directory))
      gone.push_back({item.known->id, item.known->version, path, FindingKind::missing, "not there any more"});
    if (displaced && now && now->type != FileType::file)
      gone.push_back(
          {item.known->id, item.known->version, path, FindingKind::type_conflict, "not a file here"});
  }
  co_return co_await state_->withdraw(std::move(gone));
}

task<result<void>> FolderWalk::make_links(const FolderComparison& comparison) {
  std::vector<Inode> links;
  for (const Comparison& item : comparison.items)
    if (item.verdict == Verdict::missing_link) links.push_back(*item.known);
  co_return co_await make_missing_links(state_, job_.path, std::move(links));
}

// What was clear without a digest.
task<result<void>> FolderWalk::tell_rest(const FolderComparison& comparison) {
  std::vector<Finding> findings;
  const auto tell = [&](FindingKind kind, const Comparison& item, std::string detail) {
    findings.push_back(state_->finding(kind, job_.path.child(item.name()), std::move(detail)));
  };
  for (const Comparison& item : comparison.items) {
    if (item.verdict == Verdict::special) {
      ++report().specials;
      tell(FindingKind::special_file, item, "neither file, folder nor symlink: left alone");
    } else if (item.verdict == Verdict::conflict) {
      ++report().conflicts;
      tell(FindingKind::conflict, item, describe_conflict(item));
    } else if (item.verdict == Verdict::type_conflict &&
               !(item.known->is_file() && item.known->replicas.contains(state_->node))) {
      ++report().type_conflicts;
      tell(FindingKind::type_conflict, item, "of another type than in metadata");
    }
  }
  co_return co_await state_->tell(std::move(findings));
}

task<result<void>> FolderWalk::note_proofs() {
  if (state_->options.dry_run || proved_.empty()) co_return result<void>();
  if (all_proved_ && young_.empty() && !job_.only)
    co_return co_await state_->store.proved_folder(state_->node, job_.id, began_);
  auto pages = in_pages(std::move(proved_), kWave);
  for (auto& page : pages)
    GG_CO_CHECK(co_await state_->store.proved_files(state_->node, std::move(page), began_));
  co_return result<void>();
}

}  // namespace

task<void> walk_folder(std::shared_ptr<WalkState> state, FolderJob job) {
  auto folder = std::make_unique<FolderWalk>(state, job);
  auto again = co_await folder->run();
  if (!again) {
    if (!again.error().is(errc::cancelled)) state->fail_with(again.error());
  } else {
    if (!again->empty()) {
      FolderJob revisit = job;
      ++revisit.visits;
      revisit.only = std::make_shared<const std::set<std::string>>(std::move(*again));
      state->revisits.push_back(std::move(revisit));
    }
    state->queue.done(job.path);
  }
  state->progressed.notify_all();
}

}  // namespace geogrid
