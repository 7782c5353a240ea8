#include "intents/owed_batch.hpp"

#include <algorithm>
#include <deque>

#include "intents/salvage.hpp"

namespace geogrid {
namespace {

bool has_two_paths(const Intent& intent) {
  return intent.kind == IntentKind::rename || intent.kind == IntentKind::exchange;
}

bool overlap(const Path& a, const Path& b) {
  return a.is_within(b) || b.is_within(a);
}

bool related(const Intent& a, const Intent& b) {
  if (overlap(a.path, b.path)) return true;
  if (has_two_paths(a) && overlap(a.new_path, b.path)) return true;
  if (has_two_paths(b) && overlap(a.path, b.new_path)) return true;
  return has_two_paths(a) && has_two_paths(b) && overlap(a.new_path, b.new_path);
}

std::optional<DiskChange::Kind> plain_kind(IntentKind kind) {
  switch (kind) {
    case IntentKind::remove:
      return DiskChange::Kind::remove;
    case IntentKind::rename:
      return DiskChange::Kind::rename;
    case IntentKind::remove_folder:
      return DiskChange::Kind::remove_folder;
    case IntentKind::exchange:
      return DiskChange::Kind::exchange;
    case IntentKind::make_symlink:
      return DiskChange::Kind::make_symlink;
    case IntentKind::make_folder:
    case IntentKind::salvage:
      break;
  }
  return std::nullopt;
}

class Batch {
 public:
  Batch(NodeWork work, std::vector<Intent> intents)
      : work_(std::move(work)),
        left_(std::make_move_iterator(intents.begin()), std::make_move_iterator(intents.end())) {}

  task<OwedBatch> run();

 private:
  task<result<void>> collect();
  task<void> carry_out();
  task<result<void>> special(Intent intent);
  bool held_up(const Intent& intent) const;
  void failed(const Intent& intent, const Error& error);
  void done(Intent intent, DiskChanged change) {
    outcome_.done.push_back({std::move(intent), std::move(change)});
  }

  const NodeWork work_;
  std::deque<Intent> left_;
  std::vector<Intent> stretch_;  // that one call of the volume carries out
  std::vector<DiskChange> changes_;
  std::vector<Intent> failed_;
  OwedBatch outcome_;
};

bool Batch::held_up(const Intent& intent) const {
  return std::ranges::any_of(failed_, [&](const Intent& other) { return related(intent, other); });
}

void Batch::failed(const Intent& intent, const Error& error) {
  if (!concerns_names_only(error)) outcome_.node_failed = true;
  if (!outcome_.error || outcome_.node_failed)
    outcome_.error = error.within(fmt::format("node {}: {}", work_.name(), printable(intent.path.str())));
  failed_.push_back(intent);
}

task<OwedBatch> Batch::run() {
  while (!left_.empty() && !outcome_.node_failed) {
    const auto collected = co_await collect();
    if (!collected) {  // the store's: what was collected is not touched
      outcome_.error = collected.error();
      outcome_.node_failed = true;
      break;
    }
    if (!changes_.empty()) {
      co_await carry_out();
      continue;
    }
    if (left_.empty()) break;
    Intent intent = std::move(left_.front());
    left_.pop_front();
    const auto carried = co_await special(intent);
    if (carried)
      done(std::move(intent), {});
    else
      failed(intent, carried.error());
  }
  co_return std::move(outcome_);
}

// Moves what can go to the volume in one call to changes_, up to the first that cannot.
task<result<void>> Batch::collect() {
  stretch_.clear();
  changes_.clear();
  while (!left_.empty()) {
    const Intent& next = left_.front();
    const auto kind = plain_kind(next.kind);
    const bool blocked = held_up(next);
    if (!blocked && !kind) break;
    Intent intent = std::move(left_.front());
    left_.pop_front();
    if (blocked) continue;
    DiskChange change;
    change.kind = *kind;
    change.id = intent.id.value;
    change.path = intent.path;
    change.new_path = intent.new_path;
    change.when = intent.when;
    if (intent.kind == IntentKind::make_symlink) {
      GG_CO_CHECK(work_.open());
      const auto link = co_await work_.store.get(intent.inode);
      if (!link && !link.error().is(errc::not_found)) co_return link.error();
      if (!link || link->type != FileType::symlink) {  // gone again
        done(std::move(intent), {});
        continue;
      }
      change.target = link->link_target;
      change.attributes = link->attributes;
    }
    changes_.push_back(std::move(change));
    stretch_.push_back(std::move(intent));
  }
  co_return result<void>();
}

task<void> Batch::carry_out() {
  auto answers = co_await work_.node.volume->carry_out(std::exchange(changes_, {}));
  std::size_t at = 0;
  for (; at < answers.size() && at < stretch_.size(); ++at) {
    if (!answers[at]) {
      failed(stretch_[at], answers[at].error());
      ++at;
      break;
    }
    done(std::move(stretch_[at]), std::move(*answers[at]));
  }
  if (answers.empty()) failed(stretch_.front(), fail(errc::internal, "node {} gave no answer", work_.name()));
  for (std::size_t i = stretch_.size(); i > at; --i) left_.push_front(std::move(stretch_[i - 1]));
}

task<result<void>> Batch::special(Intent intent) {
  if (intent.kind == IntentKind::salvage) co_return co_await salvage_unrecorded(work_, std::move(intent));
  GG_CO_CHECK(work_.open());
  const auto folder = co_await work_.store.get(intent.inode);
  if (!folder && !folder.error().is(errc::not_found)) co_return folder.error();
  if (!folder || !folder->is_folder()) co_return result<void>();
  co_return co_await work_.node.volume->make_folder(intent.path, folder->attributes);
}

// Whether a change that somebody else had finished before hit something that came to the path later.
task<result<bool>> must_undo(NodeWork work, CarriedOut one, bool slow) {
  GG_CO_CHECK(work.open());
  switch (one.intent.kind) {
    case IntentKind::remove:
      co_return co_await belongs_there(work, one.intent.path);
    case IntentKind::rename: {
      // The name of a folder may be in use again with nothing on this disk yet.
      const auto known = co_await work.store.resolve(one.intent.path);
      if (known && known->is_folder() && !slow) co_return false;
      co_return co_await belongs_there(work, one.intent.path);
    }
    case IntentKind::make_symlink: {
      const auto known = co_await work.store.resolve(one.intent.path);
      if (!known && !known.error().is(errc::not_found) && !known.error().is(errc::not_a_folder))
        co_return known.error();
      co_return !known || known->id != one.intent.inode;
    }
    default:  // nothing was lost, or the volume's own note kept it from being done twice
      co_return false;
  }
}

}  // namespace

bool concerns_names_only(const Error& error) {
  static constexpr std::errc kOwn[] = {std::errc::permission_denied,
                                       std::errc::operation_not_permitted,
                                       std::errc::not_a_directory,
                                       std::errc::is_a_directory,
                                       std::errc::filename_too_long,
                                       std::errc::too_many_symbolic_link_levels,
                                       std::errc::file_exists,
                                       std::errc::directory_not_empty,
                                       std::errc::device_or_resource_busy,
                                       std::errc::cross_device_link,
                                       std::errc::text_file_busy,
                                       std::errc::invalid_argument};
  static constexpr errc kOurs[] = {errc::already_exists, errc::not_a_folder,    errc::is_a_folder,
                                   errc::not_empty,      errc::conflict,        errc::stale,
                                   errc::not_found,      errc::invalid_argument};
  return std::ranges::any_of(kOwn, [&](std::errc code) { return error.is(code); }) ||
         std::ranges::any_of(kOurs, [&](errc code) { return error.is(code); });
}

task<OwedBatch> carry_out_batch(NodeWork work, std::vector<Intent> intents) {
  auto batch = std::make_unique<Batch>(std::move(work), std::move(intents));
  co_return co_await batch->run();
}

task<result<void>> strike_off(NodeWork work, std::vector<CarriedOut> done, bool slow) {
  std::vector<DiskChanged> changed;
  std::vector<IntentId> ids;
  for (const CarriedOut& one : done) {
    ids.push_back(one.intent.id);
    if (one.done.changed) changed.push_back(one.done);
  }
  if (!changed.empty()) GG_CO_CHECK(co_await work.node.volume->make_power_safe(std::move(changed)));
  GG_CO_CHECK(work.open());
  GG_CO_TRY(const std::vector<bool> owed,
            co_await work.store.finish_intents(work.node.index, std::move(ids)));
  // The last first: each finds the disk as it left it.
  for (std::size_t i = std::min(done.size(), owed.size()); i > 0; --i) {
    const CarriedOut& one = done[i - 1];
    if (owed[i - 1] || !one.done.changed) continue;
    GG_CO_TRY(const bool undo, co_await must_undo(work, one, slow));
    if (!undo) continue;
    const auto undone = co_await work.node.volume->undo(one.done);
    if (undone)
      work.log.info("node {}: {}: was done already; put back", work.name(), printable(one.intent.path.str()));
    else
      work.log.warning("node {}: {}: was done already, and could not be put back: {}", work.name(),
                       printable(one.intent.path.str()), undone.error().message);
  }
  co_return result<void>();
}

}  // namespace geogrid
