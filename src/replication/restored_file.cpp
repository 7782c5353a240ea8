#include "replication/restored_file.hpp"

#include <algorithm>

namespace geogrid {
namespace {

class OneFile {
 public:
  OneFile(std::shared_ptr<Restoration> shared, TrashFile file, Path to, InodeId parent)
      : shared_(std::move(shared)), file_(std::move(file)), to_(std::move(to)), parent_(parent) {}

  task<RestoredFile> run();

 private:
  task<result<void>> restore();
  task<result<bool>> restore_on(TrashPlace place);
  task<result<bool>> settle(NodeVolume node, WholeFile whole);
  task<result<bool>> define(NodeVolume node, WholeFile whole);
  task<result<Registration>> register_found(NodeVolume node, WholeFile whole);
  task<result<WholeFile>> look_at(NodeVolume node, FileType type);
  task<result<void>> back_to_trash(NodeVolume node);
  const NodeVolume* volume_of(NodeIndex index) const;

  const std::shared_ptr<Restoration> shared_;
  const TrashFile file_;
  const Path to_;
  const InodeId parent_;
  std::optional<Inode> inode_;  // once it is registered
  NodeSet counted_;
  std::optional<Error> trouble_;  // the first
};

const NodeVolume* OneFile::volume_of(NodeIndex index) const {
  const auto found = std::ranges::find(shared_->volumes, index, &NodeVolume::index);
  return found == shared_->volumes.end() ? nullptr : &*found;
}

task<RestoredFile> OneFile::run() {
  RestoredFile answer{file_.path, to_, file_.day, file_.size(), {}, {}};
  const auto done = co_await restore();
  answer.nodes = counted_;
  if (!done)
    answer.error = done.error();
  else if (!inode_)
    answer.error = trouble_.value_or(fail(errc::not_found, "it is not in the trash any more"));
  co_return answer;
}

// The newest on any node says what is restored; the others join it where their bytes are the same.
task<result<void>> OneFile::restore() {
  std::vector<TrashPlace> places = file_.places;
  std::ranges::stable_sort(
      places, [](const TrashPlace& a, const TrashPlace& b) { return older_trash(b.date, a.date); });
  for (const TrashPlace& place : places) {
    if (counted_.contains(place.node)) continue;
    if (inode_ && place.entry.size != inode_->size) continue;
    const auto restored = co_await restore_on(place);
    if (restored) continue;
    if (restored.error().is(errc::unavailable)) co_return restored.error();
    if (!trouble_) trouble_ = restored.error();
    // A name that is taken is taken on every node.
    if (!inode_ && restored.error().is(errc::already_exists)) co_return restored.error();
  }
  co_return result<void>();
}

task<result<bool>> OneFile::restore_on(TrashPlace place) {
  const NodeVolume* found = volume_of(place.node);
  if (found == nullptr) co_return false;
  const NodeVolume node = *found;
  const auto moved = co_await node.volume->restore_from_trash(place.date, file_.path, to_);
  if (!moved && moved.error().is(std::errc::file_exists))
    co_return fail(errc::conflict, "node {} has something at {} that the archive does not know; move it away",
                   node.volume->node(), printable(to_.str()));
  if (!moved) co_return moved.error();
  auto whole = co_await look_at(node, place.entry.type);
  if (!whole) {
    GG_CO_CHECK(co_await back_to_trash(node));
    co_return std::move(whole).error();
  }
  const result<bool> counts = co_await settle(node, std::move(*whole));
  if (counts && *counts) {
    counted_ = counted_.with(node.index);
    co_return true;
  }
  // Where the store is the trouble the file stays: the next walk registers it.
  if (!counts && counts.error().is(errc::unavailable)) co_return counts.error();
  GG_CO_CHECK(co_await back_to_trash(node));
  if (!counts) co_return counts.error();
  co_return *counts;
}

task<result<WholeFile>> OneFile::look_at(NodeVolume node, FileType type) {
  if (type == FileType::symlink) {
    GG_CO_TRY(DiskEntry entry, co_await node.volume->stat(to_));
    co_return WholeFile{std::move(entry), {}, nullptr};
  }
  std::vector<Path> paths{to_};
  const DigestAlgorithm algorithm =
      inode_ && !inode_->digest.pending() ? inode_->digest.algorithm : DigestAlgorithm::md5;
  auto digested = co_await node.volume->digest(std::move(paths), algorithm, false);
  co_return std::move(digested.front());
}

// Whether what now lies at the path is the file.
task<result<bool>> OneFile::settle(NodeVolume node, WholeFile whole) {
  if (!inode_) co_return co_await define(node, std::move(whole));
  if (whole.entry.type != inode_->type) co_return false;
  if (inode_->type == FileType::symlink) co_return whole.entry.link_target == inode_->link_target;
  std::vector<CopyClaim> claims{{inode_->id, inode_->version, to_, whole.entry.size, whole.digest}};
  GG_CO_TRY(const std::vector<ClaimOutcome> outcomes,
            co_await shared_->store.claim_copies(node.index, std::move(claims), false));
  co_return outcomes.front() == ClaimOutcome::counted;
}

task<result<Registration>> OneFile::register_found(NodeVolume node, WholeFile whole) {
  const FoundEntry entry{
      std::string(to_.filename()), whole.entry.type, whole.entry.attributes, whole.entry.size, whole.digest,
      whole.entry.link_target};
  for (;;) {
    std::vector<FoundEntry> entries{entry};
    GG_CO_TRY(const std::vector<Registration> registered,
              co_await shared_->store.register_found(node.index, parent_, shared_->seen, std::move(entries)));
    // For some seconds the store cannot tell a removal just before from one just now.
    const bool over = registered.front().outcome != RegisterOutcome::removed ||
                      shared_->clock->steady() >= shared_->patience;
    if (over) co_return registered.front();
    GG_CO_CHECK(co_await sleep_for(std::chrono::seconds(1)));
  }
}

// The first copy makes the file.
task<result<bool>> OneFile::define(NodeVolume node, WholeFile whole) {
  GG_CO_TRY(const Registration one, co_await register_found(node, whole));
  if (one.outcome == RegisterOutcome::removed)
    co_return fail(errc::busy, "its removal is not done yet on node {}; try again in a minute",
                   node.volume->node());
  GG_CO_TRY(Inode inode, co_await shared_->store.get(one.id));
  // A walk may have been quicker; then it is the same.
  const bool same =
      inode.type == whole.entry.type && inode.size == whole.entry.size &&
      (inode.is_file() ? inode.digest == whole.digest : inode.link_target == whole.entry.link_target);
  if (one.outcome == RegisterOutcome::known && !same)
    co_return fail(errc::already_exists, "something is at {} now; restore it elsewhere with --to=PATH",
                   printable(to_.str()));
  inode_ = std::move(inode);
  if (one.outcome == RegisterOutcome::known && inode_->is_file())
    co_return co_await settle(node, std::move(whole));
  co_return true;
}

task<result<void>> OneFile::back_to_trash(NodeVolume node) {
  const auto moved = co_await node.volume->put_aside(to_, AsideReason::stale_version, shared_->clock->wall());
  if (!moved && !moved.error().is(std::errc::no_such_file_or_directory)) co_return moved.error();
  co_return result<void>();
}

}  // namespace

task<RestoredFile> restore_file(std::shared_ptr<Restoration> shared, TrashFile file, Path to,
                                InodeId parent) {
  auto one = std::make_unique<OneFile>(std::move(shared), std::move(file), std::move(to), parent);
  co_return co_await one->run();
}

}  // namespace geogrid
