#include "replication/verifier.hpp"

#include <algorithm>
#include <numeric>

#include "async/task_group.hpp"
#include "replication/digest_batch.hpp"
#include "replication/folder_judgement.hpp"
#include "replication/folder_listing.hpp"
#include "replication/folder_queue.hpp"
#include "replication/still_true.hpp"

namespace geogrid {
namespace {

// What the folders of one verification share.
struct Verification {
  MetadataStore& store;
  VerifyOptions options;
  std::shared_ptr<StopSignal> stop;
  std::shared_ptr<DigestLimits> digests;
  VerifyReport report;
  // Of the node being looked at:
  NodeVolume node;
  VerifyNodeReport counts;
  FolderQueue queue;
  Notifier progressed;
  std::optional<Error> failure;

  bool ending() const { return stop->stopped() || failure.has_value(); }
  void tell(VerifyKind kind, const Path& path, std::string detail) {
    ++counts.counts[static_cast<std::size_t>(kind)];
    if (report.problems.size() < options.max_problems)
      report.problems.push_back({kind, node.index, path, std::move(detail)});
  }
};
using Shared = std::shared_ptr<Verification>;

// Files change while they are looked at: a fault counts only if metadata still says what the disk does not
// have.
task<result<void>> tell_fault(Shared v, VerifyKind kind, Inode known, Path path, std::string detail) {
  GG_CO_TRY(const bool counts, co_await still_counted(v->store, v->node.index, std::move(known), path));
  if (counts) v->tell(kind, path, std::move(detail));
  co_return result<void>();
}

task<result<void>> verify_digested(Shared v, Path folder, DigestedFile one) {
  const Inode& known = *one.item.known;
  const Path path = folder.child(one.item.name());
  if (!one.file) {
    if (one.file.error().is(errc::cancelled)) co_return one.file.error();
    if (ends_traversal(one.file.error())) co_return one.file.error();
    if (one.file.error().is(errc::stale)) co_return result<void>();  // on the move
    const bool gone = one.file.error().is(std::errc::no_such_file_or_directory);
    co_return co_await tell_fault(v, gone ? VerifyKind::missing : VerifyKind::unreadable, known, path,
                                  one.file.error().message);
  }
  v->counts.digested_bytes += one.file->entry.size;
  FolderJudgement judgement(v->node.index, folder);
  judgement.add(one);
  if (judgement.withdrawals.empty()) {
    ++v->counts.right;
    co_return result<void>();
  }
  const Withdrawal& fault = judgement.withdrawals.front();
  co_return co_await tell_fault(
      v, fault.reason == FindingKind::damaged ? VerifyKind::damaged : VerifyKind::changed, known, path,
      fault.detail);
}

task<result<void>> verify_missing(Shared v, Path path, Inode known) {
  const auto there = co_await v->node.volume->stat(path);
  if (!there && ends_traversal(there.error())) co_return there.error();
  if (there || !there.error().is(std::errc::no_such_file_or_directory)) co_return result<void>();
  co_return co_await tell_fault(v, VerifyKind::missing, std::move(known), path, "counted, and not there");
}

// What is to leave the path soon, or has left it by now, is no stranger.
task<result<void>> tell_unknown(Shared v, Path path, std::string detail) {
  GG_CO_TRY(const bool owes, co_await owes_on(v->store, v->node.index, path));
  if (owes) co_return result<void>();
  const auto there = co_await v->node.volume->stat(path);
  if (!there && ends_traversal(there.error())) co_return there.error();
  if (!there && there.error().is(std::errc::no_such_file_or_directory)) co_return result<void>();
  const auto known = co_await v->store.resolve(path);
  if (!known && !known.error().is(errc::not_found) && !known.error().is(errc::not_a_folder))
    co_return known.error();
  if (!known) v->tell(VerifyKind::unknown, path, std::move(detail));
  co_return result<void>();
}

// What is clear from the listing; what needs a digest is put into `to_digest`.
task<result<void>> verify_item(Shared v, const FolderJob& job, Comparison item,
                               std::vector<Comparison>& to_digest) {
  const Path path = job.path.child(item.name());
  const bool counted =
      item.known != nullptr && item.known->is_file() && item.known->replicas.contains(v->node.index);
  if (counted) {
    ++v->counts.files;
    v->counts.bytes += item.known->size;
  }
  switch (item.verdict) {
    case Verdict::folder:
    case Verdict::folder_absent:
      if (!job.only) v->queue.add({path, item.known->id, item.verdict == Verdict::folder_absent, 0, nullptr});
      break;
    case Verdict::nothing:
      if (counted) ++v->counts.right;
      break;
    case Verdict::new_entry:
      if (item.disk->type == FileType::folder)
        v->queue.add({path, InodeId{}, false, 0, nullptr});
      else
        co_return co_await tell_unknown(v, path, "a symlink that metadata does not know");
      break;
    case Verdict::new_file:
    case Verdict::young:
      co_return co_await tell_unknown(v, path, "not in metadata");
    case Verdict::missing:
      co_return co_await verify_missing(v, path, *item.known);
    case Verdict::recheck:
      if (v->options.deep)
        to_digest.push_back(item);
      else
        co_return co_await tell_fault(v, VerifyKind::changed, *item.known, path,
                                      "size or mtime are not the recorded ones");
      break;
    case Verdict::fill:
    case Verdict::prove:
      if (v->options.deep)
        to_digest.push_back(item);
      else
        ++v->counts.right;
      break;
    case Verdict::claim:
    case Verdict::older:
    case Verdict::conflict:
      v->tell(VerifyKind::uncounted, path, "there, and not counted");
      break;
    case Verdict::type_conflict:
      v->tell(VerifyKind::type_conflict, path, "of another type than in metadata");
      break;
    case Verdict::missing_link:  // the next walk makes it
    case Verdict::special:
      break;
  }
  co_return result<void>();
}

task<result<void>> verify_folder(Shared v, FolderJob job) {
  GG_CO_TRY(const FolderListing listing, co_await list_folder(v->store, *v->node.volume, job));
  if (listing.unreadable) {
    v->tell(VerifyKind::unreadable, job.path, listing.unreadable->message);
    co_return result<void>();
  }
  ++v->counts.folders;
  CompareOptions options;
  options.node = v->node.index;
  options.at_top = job.path.is_root();
  options.deep = v->options.deep;
  const FolderComparison comparison = compare_folder(listing.disk, listing.known, v->options.ignore, options);
  std::vector<Comparison> to_digest;
  for (const Comparison& item : comparison.items) {
    if (v->ending()) co_return fail(errc::cancelled, "stopped");
    if (job.only && !job.only->contains(item.name())) continue;
    GG_CO_CHECK(co_await verify_item(v, job, item, to_digest));
  }
  auto digested = co_await digest_batch(v->node.volume, job.path, std::move(to_digest), v->digests);
  for (DigestedFile& one : digested) GG_CO_CHECK(co_await verify_digested(v, job.path, std::move(one)));
  if (v->options.on_progress) v->options.on_progress(v->counts.files, v->counts.digested_bytes);
  co_return result<void>();
}

task<void> verify_one(Shared v, FolderJob job) {
  const auto done = co_await verify_folder(v, job);
  if (!done && !v->failure && !done.error().is(errc::cancelled)) v->failure = done.error();
  v->queue.done(job.path);
  v->progressed.notify_all();
}

task<result<void>> verify_node(Shared v, FolderJob start) {
  const StopSignal::Link link(*v->stop, v->progressed);
  GG_CO_CHECK(co_await v->node.volume->probe());
  v->queue = FolderQueue();
  v->failure.reset();
  v->queue.add(std::move(start));
  TaskGroup folders(v->options.parallel_folders);
  while (!v->ending() && !v->queue.finished()) {
    co_await folders.wait_for_place();
    if (auto job = v->queue.take())
      co_await folders.start(verify_one(v, std::move(*job)));
    else if (!v->queue.finished())
      co_await v->progressed.wait();
  }
  co_await folders.wait();
  if (v->failure) co_return *v->failure;
  if (v->stop->stopped()) co_return fail(errc::cancelled, "stopped");
  co_return result<void>();
}

task<result<FolderJob>> find_start(Shared v) {
  const Path& start = v->options.start;
  GG_CO_TRY(const Inode inode, co_await v->store.resolve(start));
  if (inode.is_folder()) co_return FolderJob{start, inode.id, false, 0, nullptr};
  auto only = std::make_shared<const std::set<std::string>>(std::set<std::string>{inode.name});
  co_return FolderJob{start.parent(), inode.parent, false, 0, std::move(only)};
}

task<result<void>> verify_all(Shared v, std::vector<NodeVolume> volumes) {
  GG_CO_TRY(const FolderJob start, co_await find_start(v));
  for (NodeVolume& volume : volumes) {
    v->node = std::move(volume);
    v->counts = VerifyNodeReport();
    v->counts.node = v->node.index;
    v->counts.name = v->node.volume->node();
    v->counts.end = co_await verify_node(v, start);
    v->report.nodes.push_back(v->counts);
    if (v->stop->stopped()) co_return fail(errc::cancelled, "stopped");
    if (!v->counts.end && v->counts.end.error().is(errc::unavailable)) co_return v->counts.end;
  }
  co_return result<void>();
}

task<VerifyReport> run_verification(Shared v, std::vector<NodeVolume> volumes) {
  v->report.end = co_await verify_all(v, std::move(volumes));
  co_return std::move(v->report);
}

}  // namespace

std::string_view name_of(VerifyKind kind) {
  switch (kind) {
    case VerifyKind::missing:
      return "missing";
    case VerifyKind::damaged:
      return "damaged";
    case VerifyKind::changed:
      return "changed";
    case VerifyKind::unknown:
      return "unknown";
    case VerifyKind::uncounted:
      return "uncounted";
    case VerifyKind::type_conflict:
      return "type_conflict";
    case VerifyKind::unreadable:
      return "unreadable";
  }
  return "?";
}

bool VerifyReport::good() const {
  return end.has_value() && std::ranges::all_of(nodes, [](const VerifyNodeReport& node) {
           return node.end.has_value() &&
                  std::accumulate(std::begin(node.counts), std::end(node.counts), std::uint64_t{0}) ==
                      node.count(VerifyKind::uncounted);
         });
}

task<VerifyReport> verify(MetadataStore& store, std::vector<NodeVolume> volumes, VerifyOptions options,
                          std::shared_ptr<StopSignal> stop, Log) {
  auto digests = std::make_shared<DigestLimits>(DigestLimits{
      Semaphore(std::max<std::size_t>(1, options.parallel_digests)), DigestAlgorithm::md5, stop});
  auto v = std::make_shared<Verification>(
      Verification{store, std::move(options), stop, std::move(digests), {}, {}, {}, {}, {}, {}});
  co_return co_await run_shielded(stop, run_verification(std::move(v), std::move(volumes)));
}

}  // namespace geogrid
