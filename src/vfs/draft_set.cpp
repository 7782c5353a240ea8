#include "vfs/draft_set.hpp"

#include <algorithm>
#include <mutex>

#include "async/task_group.hpp"

namespace geogrid {
namespace {

// What the copies of one write came to, gathered from the threads of several volumes.
struct Gathered {
  Gathered(std::size_t copies, DraftSet::Written then) : left(copies), done(std::move(then)) {}

  std::mutex mutex;
  std::size_t left;            // guarded by mutex
  std::vector<LostCopy> lost;  // guarded by mutex
  const DraftSet::Written done;

  void ended(NodeIndex node, const result<void>& outcome) {
    std::unique_lock lock(mutex);
    if (!outcome) lost.push_back({node, outcome.error()});
    if (--left > 0) return;
    std::vector<LostCopy> all = std::move(lost);
    lock.unlock();
    done(std::move(all));
  }
};

}  // namespace

NodeSet DraftSet::nodes() const {
  NodeSet nodes;
  for (const Copy& copy : copies_) nodes = nodes.with(copy.node);
  return nodes;
}

void DraftSet::drop(NodeIndex node) {
  std::erase_if(copies_, [node](const Copy& copy) { return copy.node == node; });
}

void DraftSet::keep() {
  for (const Copy& copy : copies_) copy.draft->keep();
}

void DraftSet::write(std::uint64_t offset, std::span<const std::byte> data, Written done) {
  const auto gathered = std::make_shared<Gathered>(copies_.size(), std::move(done));
  const std::vector<Copy> copies = copies_;
  for (const Copy& copy : copies)
    copy.draft->write(offset, data, [gathered, node = copy.node, draft = copy.draft](result<void> outcome) {
      gathered->ended(node, outcome);
    });
}

void DraftSet::read(std::uint64_t offset, std::size_t size, Draft::Read done) {
  read_from(0, offset, size, std::move(done));
}

void DraftSet::read_from(std::size_t copy, std::uint64_t offset, std::size_t size, Draft::Read done) {
  if (copy >= copies_.size())
    return done(Error(std::make_error_code(std::errc::io_error), "no copy of the bytes can be read"));
  const auto draft = copies_[copy].draft;
  // The copies may change meanwhile, and this is answered elsewhere: the next ones are taken along.
  std::vector<std::shared_ptr<Draft>> others;
  for (std::size_t i = copy + 1; i < copies_.size(); ++i) others.push_back(copies_[i].draft);
  auto answer = [draft, others = std::move(others), offset, size,
                 done = std::move(done)](result<std::span<const std::byte>> bytes) {
    if (bytes || others.empty()) return done(std::move(bytes));
    others.front()->read(offset, size, done);
  };
  draft->read(offset, size, std::move(answer));
}

task<std::vector<LostCopy>> DraftSet::on_all(Step step) {
  const std::vector<Copy> copies = copies_;
  std::vector<LostCopy> lost;
  if (copies.size() == 1) {
    const result<void> outcome = co_await step(copies.front());
    if (!outcome) lost.push_back({copies.front().node, outcome.error()});
    co_return lost;
  }
  TaskGroup group(std::max<std::size_t>(copies.size(), 1));
  const auto one = [&](Copy copy) -> task<void> {
    const result<void> outcome = co_await step(copy);
    if (!outcome) lost.push_back({copy.node, outcome.error()});
  };
  for (const Copy& copy : copies) co_await group.start(one(copy));
  co_await group.wait();
  co_return lost;
}

task<std::vector<LostCopy>> DraftSet::truncate(std::uint64_t size) {
  Step step = [size](const Copy& copy) { return copy.draft->truncate(size); };
  co_return co_await on_all(std::move(step));
}

task<std::vector<LostCopy>> DraftSet::allocate(int mode, std::uint64_t offset, std::uint64_t length) {
  Step step = [=](const Copy& copy) { return copy.draft->allocate(mode, offset, length); };
  co_return co_await on_all(std::move(step));
}

task<result<std::uint64_t>> DraftSet::seek(std::uint64_t offset, int whence) {
  if (copies_.empty()) co_return fail(errc::unavailable, "no copy of the bytes is left");
  const auto draft = copies_.front().draft;
  co_return co_await draft->seek(offset, whence);
}

task<result<Digest>> DraftSet::digest(DigestAlgorithm algorithm) {
  if (copies_.empty()) co_return fail(errc::unavailable, "no copy of the bytes is left");
  const auto draft = copies_.front().draft;
  co_return co_await draft->digest(algorithm);
}

task<std::vector<LostCopy>> DraftSet::place(DraftPlace where, NodeSet replaces) {
  Step step = [where, replaces](const Copy& copy) {
    DraftPlace here = where;
    here.replaces = replaces.contains(copy.node);
    return copy.draft->place(std::move(here));
  };
  co_return co_await on_all(std::move(step));
}

task<std::vector<LostCopy>> DraftSet::sync() {
  Step step = [](const Copy& copy) { return copy.draft->sync(); };
  co_return co_await on_all(std::move(step));
}

task<std::vector<LostCopy>> DraftSet::take_back() {
  Step step = [](const Copy& copy) { return copy.draft->take_back(); };
  co_return co_await on_all(std::move(step));
}

task<std::vector<LostCopy>> DraftSet::settle(Timestamp when) {
  Step step = [when](const Copy& copy) { return copy.draft->settle(when); };
  co_return co_await on_all(std::move(step));
}

}  // namespace geogrid
