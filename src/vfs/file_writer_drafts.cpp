// FileWriter: where its bytes lie until they are published.

#include <unistd.h>

#include <algorithm>

#include "async/task_group.hpp"
#include "vfs/answer.hpp"
#include "vfs/file_writer_impl.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kChunk = 1 << 20;
constexpr int kTries = 4;  // nodes that may fail before a file is given up

using Chunk = std::shared_ptr<std::vector<std::byte>>;

bool is_full(const Error& error) {
  return error.is(std::errc::no_space_on_device) || to_errno(error) == EDQUOT || error.is(errc::low_space);
}

// There may be room, or descriptors, when the next write or close comes.
bool may_pass(const Error& error) {
  return is_full(error) || to_errno(error) == EMFILE || to_errno(error) == ENFILE;
}

// Reads with `start`, which calls back on a volume's thread with bytes that live no longer than the call.
template <typename StartRead>
task<result<Chunk>> read_chunk(std::shared_ptr<LoopGate> gate, StartRead start) {
  const Answer<result<Chunk>> answer(std::move(gate));
  start([answer](result<std::span<const std::byte>> bytes) {
    if (!bytes) return answer.give(bytes.error());
    answer.give(std::make_shared<std::vector<std::byte>>(bytes->begin(), bytes->end()));
  });
  co_return co_await answer.wait();
}

task<result<void>> write_chunk(std::shared_ptr<LoopGate> gate, std::shared_ptr<Draft> draft,
                               std::uint64_t offset, Chunk chunk) {
  const Answer<result<void>> answer(std::move(gate));
  draft->write(offset, *chunk, [answer, chunk, draft](result<void> outcome) { answer.give(outcome); });
  co_return co_await answer.wait();
}

}  // namespace

std::size_t FileWriter::copies_wanted() const {
  const StorageClass* rule = context_->classes->find(base_->storage_class);
  return static_cast<std::size_t>(std::max(1, rule ? rule->sync_copies : 1));
}

task<result<void>> FileWriter::ensure_drafts(std::optional<Extent> over) {
  if (drafts_) co_return result<void>();
  const auto host = context_->host.lock();
  if (!host) co_return fail(errc::cancelled, "the mount ends");
  Start start;
  start.place.inode = base_;
  if (!created_ && !removed_) {
    auto place = co_await host->place_of(id_, false);
    if (!place && !place.error().is(errc::not_found)) co_return place.error();
    // Removed elsewhere: who has it open writes on, as into any file without a name.
    if (place)
      start.place = std::move(*place);
    else
      removed();
    base_ = start.place.inode;
  }
  start.empty = base_->size == 0 || (over && over->offset == 0 && over->end >= base_->size);
  WriteNodes::Wish wish;
  wish.copies = copies_wanted();
  wish.bytes = base_->size;
  wish.holders = base_->replicas;
  wish.folder = base_->parent;
  result<std::shared_ptr<DraftSet>> started = fail(errc::unavailable, "no node takes new bytes");
  for (int i = 0; i < kTries; ++i) {
    wish.refused = refused_;
    const auto chosen = co_await context_->nodes->choose(wish);
    if (!chosen) {
      // They may do better when the next write comes.
      if (!refused_.empty()) refused_ = NodeSet();
      co_return (i == 0 ? chosen.error() : started.error());
    }
    started = co_await start_drafts(start, *chosen);
    if (started || refused_ == wish.refused) break;
  }
  if (!started) {
    refused_ = NodeSet();
    co_return started.error();
  }
  drafts_ = std::move(*started);
  drafted_size_ = start.empty ? 0 : base_->size;
  if (start.empty)
    stream_->reset();
  else
    stream_->spoil();
  co_return result<void>();
}

task<result<std::shared_ptr<DraftSet>>> FileWriter::start_drafts(Start start, std::vector<NodeIndex> nodes) {
  auto set = std::make_shared<DraftSet>(std::vector<DraftSet::Copy>());
  result<void> outcome;
  TaskGroup group(nodes.size());
  const auto one = [&](NodeIndex node) -> task<void> {
    auto copy = co_await start_draft(start, node);
    if (copy)
      set->add(std::move(*copy));
    else
      outcome = copy.error();
  };
  for (const NodeIndex node : nodes) co_await group.start(one(node));
  co_await group.wait();
  if (!outcome) co_return outcome.error();
  co_return set;
}

task<result<DraftSet::Copy>> FileWriter::start_draft(Start start, NodeIndex node) {
  const auto volume = context_->access->volume(node);
  if (!volume) co_return fail(errc::unavailable, "the node is not within reach");
  DraftRequest request;
  request.name = DraftName{id_, context_->owner.value, ++context_->drafts};
  const bool from_own = !start.empty && start.place.inode->replicas.contains(node) && !removed_;
  if (from_own) {
    request.base = start.place.path;
    request.base_size = start.place.inode->size;
  }
  auto draft = co_await volume->start_draft(request);
  bool filled = from_own || start.empty;
  if (!draft && from_own && !may_pass(draft.error())) {
    // Its own copy is not what it should be: the bytes come from wherever they can be had.
    request.base.reset();
    request.name.number = ++context_->drafts;
    draft = co_await volume->start_draft(request);
    filled = false;
  }
  if (!draft) {
    refused_ = refused_.with(node);
    context_->log.warning("node {} takes no new bytes: {}", volume->node(), draft.error().message);
    co_return draft.error();
  }
  if (!filled) {
    const auto copied = co_await fill_from_published(*draft, start.place.inode);
    if (!copied) {
      if (is_full(copied.error())) refused_ = refused_.with(node);
      co_return copied.error();
    }
  }
  co_return DraftSet::Copy{node, std::move(*draft)};
}

task<result<void>> FileWriter::fill_from_published(std::shared_ptr<Draft> draft, InodeRef inode) {
  const auto gate = context_->access->gate();
  for (std::uint64_t at = 0; at < inode->size;) {
    const auto host = context_->host.lock();
    if (!host) co_return fail(errc::cancelled, "the mount ends");
    auto start = [host, inode, at](Draft::Read done) {
      host->read_published(inode, at, kChunk, std::move(done));
    };
    GG_CO_TRY(Chunk chunk, co_await read_chunk(gate, start));
    if (chunk->empty()) co_return fail(errc::stale, "the published bytes end too early");
    const std::size_t got = chunk->size();
    GG_CO_CHECK(co_await write_chunk(gate, draft, at, std::move(chunk)));
    at += got;
  }
  co_return result<void>();
}

task<result<void>> FileWriter::fill_from_drafts(std::shared_ptr<Draft> draft,
                                                std::shared_ptr<DraftSet> from) {
  const auto gate = context_->access->gate();
  for (std::uint64_t at = 0; at < drafted_size_;) {
    auto data = co_await from->seek(at, SEEK_DATA);
    if (!data && to_errno(data.error()) == ENXIO) break;
    if (!data) co_return data.error();
    at = *data;
    GG_CO_TRY(const std::uint64_t hole, co_await from->seek(at, SEEK_HOLE));
    while (at < hole) {
      const std::size_t wanted = std::min<std::uint64_t>(kChunk, hole - at);
      auto start = [from, at, wanted](Draft::Read done) { from->read(at, wanted, std::move(done)); };
      GG_CO_TRY(Chunk chunk, co_await read_chunk(gate, start));
      if (chunk->empty()) break;
      const std::size_t got = chunk->size();
      GG_CO_CHECK(co_await write_chunk(gate, draft, at, std::move(chunk)));
      at += got;
    }
    if (at < hole) break;  // the last write failed there
  }
  co_return co_await draft->truncate(drafted_size_);
}

// Where no other node can take the place of those that failed.
task<result<void>> FileWriter::do_without(std::vector<LostCopy> lost, bool others_left) {
  const Error error = lost.front().error;
  if (others_left) {
    for (const LostCopy& copy : lost) drafts_->drop(copy.node);
    copy_lost_ = true;
    context_->log.warning(
        "a copy of file #{} that is being written was lost, and no other node can take its place: {}",
        id_.value, error.message);
    co_return result<void>();
  }
  if (may_pass(error)) {
    refused_ = NodeSet();
    co_return error;
  }
  context_->log.error(
      "file #{} that is being written is lost with its node, and no other one can take it: {}", id_.value,
      error.message);
  fail_for_good(error);
  co_return *failed_;
}

task<result<void>> FileWriter::replace_lost(std::vector<LostCopy> lost) {
  NodeSet gone;
  for (const LostCopy& copy : lost) gone = gone.with(copy.node);
  refused_ = refused_ | gone;
  const bool others_left = !(drafts_->nodes() - gone).empty();
  // A full disk still gives what it has.
  const auto from = drafts_;
  if (others_left)
    for (const LostCopy& copy : lost) drafts_->drop(copy.node);
  WriteNodes::Wish wish;
  wish.copies = lost.size();
  wish.bytes = size_;
  wish.refused = refused_ | drafts_->nodes();
  wish.folder = base_->parent;
  const auto chosen = co_await context_->nodes->choose(wish);
  if (!chosen) co_return co_await do_without(std::move(lost), others_left);
  Start start;
  start.place.inode = base_;
  start.empty = true;
  const auto started = co_await start_drafts(start, *chosen);
  if (!started) co_return co_await do_without(std::move(lost), others_left);
  for (const DraftSet::Copy& copy : (*started)->copies()) {
    const auto filled = co_await fill_from_drafts(copy.draft, from);
    if (!filled) co_return co_await do_without(std::move(lost), others_left);
  }
  context_->log.warning("file #{} is written to another node: {}", id_.value, lost.front().error.message);
  if (!others_left) drafts_ = std::make_shared<DraftSet>(std::vector<DraftSet::Copy>());
  for (const DraftSet::Copy& copy : (*started)->copies()) drafts_->add(copy);
  co_return result<void>();
}

}  // namespace geogrid
