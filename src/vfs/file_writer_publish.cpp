// FileWriter: how private bytes become the file's next version.

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <thread>

#include "os/clock.hpp"
#include "vfs/answer.hpp"
#include "vfs/file_writer_impl.hpp"

namespace geogrid {
namespace {

// What a node owes on the path may be in the hands of another client, and of a dead one until its hold ends.
constexpr std::chrono::seconds kPatience = NamespaceStore::kIntentHold + std::chrono::seconds(10);
constexpr std::chrono::milliseconds kPause{10};  // before the second attempt; longer each time
constexpr std::chrono::milliseconds kLongestPause{200};

}  // namespace

task<result<void>> FileWriter::publish(bool power_safe) {
  GG_CO_CHECK(co_await ensure_drafts(Extent{}));
  const auto until = system_clock().steady() + kPatience;
  for (int i = 0; i == 0 || system_clock().steady() < until; ++i) {
    if (i > 0) {
      const auto slept = co_await sleep_for(std::min<std::chrono::milliseconds>(kPause * i, kLongestPause));
      if (!slept) co_return slept.error();
    }
    auto attempt = co_await attempt_publication(power_safe, i == 0);
    if (!attempt) {
      co_await give_up_publication(attempt.error());
      co_return attempt.error();
    }
    if (*attempt == Attempt::vanished) removed();
    if (*attempt != Attempt::again) co_return result<void>();
  }
  const Error busy =
      fail(errc::busy, "its name is being changed again and again, or a node does not do what it owes");
  co_await give_up_publication(busy);
  co_return busy;
}

// What lies on the nodes counts again. A new file keeps its name and lease: the next close may do better.
task<void> FileWriter::give_up_publication(Error why) {
  context_->log.error("file #{} could not be published: {}", id_.value, why.message);
  if (created_) co_return;
  (void)co_await context_->store->cancel_publication(id_, context_->owner, drafts_->nodes(), base_->version);
}

task<result<FileWriter::Attempt>> FileWriter::attempt_publication(bool power_safe, bool first) {
  const StorageClass* rule = context_->classes->find(base_->storage_class);
  const bool durable = power_safe || (rule && (rule->durable || rule->sync_copies >= 2));
  const std::uint64_t change = changes_;
  GG_CO_TRY(Target target, co_await ask_where(first));
  if (target.attempt != Attempt::published) co_return target.attempt;
  const Path path = target.place.path;
  GG_CO_TRY(const Attempt placed, co_await place_drafts(std::move(target), durable));
  if (placed != Attempt::published) co_return placed;
  co_return co_await record(path, durable, change);
}

// A new file goes where this client believes its path to be: publish() makes sure of that. What replaces
// something must ask first.
task<result<FileWriter::Target>> FileWriter::ask_where(bool first) {
  Target target;
  if (created_ && first) {
    const auto host = context_->host.lock();
    if (!host) co_return fail(errc::cancelled, "the mount ends");
    auto place = co_await host->place_of(id_, false);
    if (!place && place.error().is(errc::not_found)) {
      target.attempt = Attempt::vanished;
      co_return target;
    }
    if (!place) co_return place.error();
    target.place = std::move(*place);
    co_return target;
  }
  const NodeSet nodes = drafts_->nodes();
  const auto begun = co_await context_->store->begin_publication(id_, context_->owner, nodes, kLease);
  if (!begun && begun.error().is(errc::not_found)) {
    target.attempt = Attempt::vanished;
    co_return target;
  }
  if (!begun) co_return begun.error();
  for (const NodeIndex node : begun->owing) {
    // What it owes on this path would hit the new bytes.
    const auto drained = co_await context_->intents->drain(node);
    if (!drained)
      context_->log.debug("node #{} does not do what it owes: {}", node.value, drained.error().message);
    target.attempt = Attempt::again;
  }
  target.place.inode = std::make_shared<const Inode>(begun->inode);
  target.place.path = begun->path;
  target.replaces = begun->inode.older & nodes;
  co_return target;
}

task<result<FileWriter::Attempt>> FileWriter::place_drafts(Target target, bool power_safe) {
  DraftPlace where;
  where.path = target.place.path;
  where.attributes = target.place.inode->attributes;
  where.attributes.mtime = mtime_;
  where.power_safe = power_safe;
  const auto lost = co_await drafts_->place(where, target.replaces);
  if (lost.empty()) co_return Attempt::published;
  // The next attempt puts all of them there.
  co_await take_back();
  GG_CO_CHECK(co_await replace_lost(lost));
  co_return Attempt::again;
}

task<void> FileWriter::take_back() {
  const auto lost = co_await drafts_->take_back();
  for (const LostCopy& copy : lost)
    if (!copy.error.is(errc::stale))
      context_->log.warning("what was not recorded could not be taken back on node #{}: {}", copy.node.value,
                            copy.error.message);
}

task<result<Digest>> FileWriter::digest() {
  const Answer<std::optional<Digest>> answer(context_->access->gate());
  auto ready = std::make_shared<std::optional<Digest>>();
  const bool later = stream_->finish(
      drafted_size_, [answer, ready, here = std::this_thread::get_id()](std::optional<Digest> digest) {
        if (std::this_thread::get_id() == here)
          *ready = std::move(digest);
        else
          answer.give(std::move(digest));
      });
  if (later) *ready = co_await answer.wait();
  if (*ready) co_return **ready;
  if (drafted_size_ > DigestStream::kLongest) co_return Digest();
  co_return co_await drafts_->digest(DigestAlgorithm::md5);
}

task<result<FileWriter::Attempt>> FileWriter::record(Path path, bool durable, std::uint64_t change) {
  Publication publication;
  publication.id = id_;
  publication.owner = context_->owner;
  publication.base = created_ ? Version() : base_->version;
  publication.path = path;
  publication.size = drafted_size_;
  auto own_digest = co_await digest();
  if (!own_digest) {
    co_await take_back();
    co_return own_digest.error();
  }
  publication.digest = std::move(*own_digest);
  publication.mtime = mtime_;
  publication.ctime = ctime_;
  publication.replicas = drafts_->nodes();
  auto published = co_await context_->store->publish(std::move(publication), durable);
  if (published && published->recorded) {
    recorded(std::move(*published), std::move(path), change, durable);
    co_return Attempt::published;
  }
  co_await take_back();
  if (published) co_return Attempt::again;
  if (published.error().is(errc::not_found)) co_return Attempt::vanished;
  if (published.error().is(errc::stale)) co_return Attempt::again;  // the lease ran out: it is asked for anew
  co_return published.error();
}

void FileWriter::recorded(Published published, Path path, std::uint64_t change, bool durable) {
  const auto host = context_->host.lock();
  if (published.base_was_stale)
    context_->log.warning(
        "{} was changed elsewhere while it was written here: this version counts, the other one's "
        "bytes are in trash",
        printable(path.str()));
  const bool replaced = !created_ || published.base_was_stale;
  base_ = std::make_shared<const Inode>(std::move(published.inode));
  created_ = false;
  published_changes_ = change;
  refused_ = NodeSet();
  placed_ = std::exchange(drafts_, nullptr);
  placed_at_ = path;
  if (host) host->was_published(base_);
  const auto drafts = placed_;
  if (replaced) {
    context_->settler->add(drafts, base_->attributes.ctime, durable);
  } else {
    // Nothing of ours lay there.
    auto settle = [](std::shared_ptr<DraftSet> set, Timestamp when) -> task<void> {
      (void)co_await set->settle(when);
    };
    asio::co_spawn(context_->access->loop(), settle(drafts, base_->attributes.ctime), asio::detached);
  }
  if (!base_->digest.pending()) return;
  CopyClaim claim;
  claim.id = id_;
  claim.version = base_->version;
  claim.path = std::move(path);
  claim.size = base_->size;
  asio::co_spawn(context_->access->loop(), hash_later(shared_from_this(), drafts, std::move(claim)),
                 asio::detached);
}

// Now, while the bytes are in memory; if this process dies, the storage loop of a node does it.
task<void> FileWriter::hash_later(std::shared_ptr<FileWriter> self, std::shared_ptr<DraftSet> drafts,
                                  CopyClaim claim) {
  auto digest = co_await drafts->digest(DigestAlgorithm::md5);
  if (!digest) {
    self->context_->log.debug("file #{} is digested later: {}", self->id_.value, digest.error().message);
    co_return;
  }
  claim.digest = std::move(*digest);
  for (const NodeIndex node : drafts->nodes()) {
    std::vector<CopyClaim> claims(1, claim);
    (void)co_await self->context_->store->claim_copies(node, std::move(claims), false);
  }
}

}  // namespace geogrid
