#include "replication/walk_state.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "policy/brake.hpp"
#include "replication/folder_listing.hpp"
#include "replication/pages.hpp"
#include "replication/still_true.hpp"

namespace geogrid {
namespace {

constexpr std::chrono::seconds kSeenFor{1};
constexpr std::size_t kMaxTold = 20'000;  // findings that are remembered, to know which older ones are over

}  // namespace

WalkState::WalkState(MetadataStore& store_, NodeVolume node_, WalkOptions options_,
                     std::shared_ptr<StopSignal> stop_, Log log_)
    : store(store_),
      node(node_.index),
      volume(std::move(node_.volume)),
      options(std::move(options_)),
      stop(std::move(stop_)),
      log(std::move(log_)),
      digests(std::make_shared<DigestLimits>(DigestLimits{
          Semaphore(std::max<std::size_t>(1, options.parallel_digests)), options.algorithm, stop})) {
  report.dry_run = options.dry_run;
}

void WalkState::fail_with(Error error) {
  if (!failure) failure = std::move(error);
  progressed.notify_all();
}

task<result<ChangeId>> WalkState::seen_changes() {
  const auto now = options.clock->steady();
  if (!seen_at_ || now - *seen_at_ > kSeenFor) {
    GG_CO_TRY(seen_, co_await store.latest_change());
    seen_at_ = now;
  }
  co_return seen_;
}

Finding WalkState::finding(FindingKind kind, Path path, std::string detail) const {
  const Timestamp now = options.clock->wall();
  return Finding{kind, node, std::move(path), std::move(detail), now, now};
}

void WalkState::keep(const Finding& finding) {
  if (report.findings.size() < WalkReport::kMaxFindings) report.findings.push_back(finding);
  if (told_.size() < kMaxTold) told_.emplace(finding.kind, finding.path);
}

task<result<void>> WalkState::tell(std::vector<Finding> findings) {
  for (const Finding& finding : findings) keep(finding);
  if (options.dry_run || findings.empty()) co_return result<void>();
  auto pages = in_pages(std::move(findings), CopyStore::kMaxBatch);
  for (auto& page : pages) GG_CO_CHECK(co_await store.report(std::move(page)));
  co_return result<void>();
}

// Whether something that an earlier walk found, and this one did not, is no more.
task<result<bool>> WalkState::is_over(Finding finding) {
  const bool seen_by_every_walk = finding.kind == FindingKind::conflict ||
                                  finding.kind == FindingKind::type_conflict ||
                                  finding.kind == FindingKind::special_file;
  if (seen_by_every_walk) co_return true;
  const auto known = co_await store.resolve(finding.path);
  if (!known && !known.error().is(errc::not_found) && !known.error().is(errc::not_a_folder))
    co_return known.error();
  if (!known || finding.kind != FindingKind::unreadable)
    co_return !known;                      // lost copies are settled by good ones
  if (known->is_folder()) co_return true;  // it was walked now
  std::vector<Path> paths{finding.path};   // a walk does not read what looks unchanged
  const auto read = co_await volume->digest(std::move(paths), options.algorithm, false);
  if (!read.front() && ends_traversal(read.front().error())) co_return read.front().error();
  co_return read.front().has_value();
}

task<result<void>> WalkState::settle_findings() {
  if (options.dry_run || told_.size() >= kMaxTold) co_return result<void>();
  GG_CO_TRY(const std::vector<Finding> all, co_await store.findings(kMaxTold));
  for (const Finding& one : all) {
    if (one.node != node || told_.contains({one.kind, one.path})) continue;
    GG_CO_TRY(const bool over, co_await is_over(one));
    if (over) GG_CO_CHECK(co_await store.settle(one.kind, node, one.path));
  }
  co_return result<void>();
}

void WalkState::count(FindingKind reason) {
  switch (reason) {
    case FindingKind::missing:
      ++report.missing;
      break;
    case FindingKind::damaged:
      ++report.damaged;
      break;
    case FindingKind::type_conflict:
      ++report.type_conflicts;
      break;
    default:
      ++report.changed_outside;
      break;
  }
}

task<result<bool>> WalkState::may_withdraw(std::size_t count) {
  if (options.accept_missing) co_return true;
  if (!counted_) {
    std::uint64_t files = 0;
    GG_CO_TRY(const Totals totals, co_await store.totals());
    for (const NodeTotals& one : totals.nodes)
      if (one.node == node) files = one.files;
    if (!counted_) counted_ = files + withdrawn_;
  }
  const std::uint64_t all = withdrawn_ + report.held_back + count;
  if (is_surge(all, *counted_, options.brake_percent)) brake_holds_ = true;
  co_return !brake_holds_;
}

// What the node still has to remove or rename is not missing: the store would not withdraw it, and the brake
// must not count it.
task<result<void>> WalkState::drop_owed(std::vector<Withdrawal>& withdrawals) {
  if (withdrawals.empty()) co_return result<void>();
  GG_CO_TRY(const auto owed, co_await all_owed(store, node));
  const std::size_t before = withdrawals.size();
  std::erase_if(withdrawals, [&](const Withdrawal& one) {
    return !owed ||
           std::ranges::any_of(*owed, [&](const Intent& intent) { return touches(intent, one.path); });
  });
  report.changed_meanwhile += before - withdrawals.size();
  co_return result<void>();
}

task<result<void>> WalkState::withdraw(std::vector<Withdrawal> withdrawals) {
  GG_CO_CHECK(co_await drop_owed(withdrawals));
  const auto pages = in_pages(std::move(withdrawals), CopyStore::kMaxBatch);
  for (const std::vector<Withdrawal>& batch : pages) {
    GG_CO_TRY(const bool may, co_await may_withdraw(batch.size()));
    for (const Withdrawal& one : batch) keep(finding(one.reason, one.path, one.detail));
    if (!may) {
      report.held_back += batch.size();
      continue;
    }
    withdrawn_ += batch.size();  // before the store answers: other folders ask meanwhile
    if (options.dry_run) {
      for (const Withdrawal& one : batch) count(one.reason);
      continue;
    }
    GG_CO_TRY(const std::vector<bool> done, co_await store.withdraw_copies(node, batch));
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (done[i]) {
        count(batch[i].reason);
      } else {
        --withdrawn_;
        ++report.changed_meanwhile;
      }
    }
  }
  co_return result<void>();
}

task<result<void>> WalkState::load_brake(std::uint64_t withdrawn, std::optional<std::uint64_t> files) {
  if (files.value_or(0) > 0) counted_ = files;
  withdrawn_ = withdrawn;
  GG_CO_TRY(const std::string held, co_await store.checkpoint(node, kWalkBrake));
  brake_held_before_ = brake_holds_ = !held.empty();
  co_return result<void>();
}

task<result<void>> WalkState::settle_brake(bool whole) {
  const std::uint64_t all = withdrawn_ + report.held_back;
  const bool few = options.accept_missing || !is_surge(all, counted_.value_or(all), options.brake_percent);
  const bool hold = brake_holds_ && !(whole && few);
  if (!options.dry_run && hold != brake_held_before_)
    GG_CO_CHECK(co_await store.set_checkpoint(node, kWalkBrake, hold ? "held" : ""));
  if (report.held_back == 0) co_return result<void>();
  if (!hold)
    co_return fail(
        errc::refused,
        "the brake that an earlier walk of node {} put on held {} copies that are missing or changed; they "
        "are few now, and the next walk will record them",
        volume->node(), format_count(report.held_back));
  co_return fail(
      errc::refused,
      "the brake holds: {} of the {} copies on node {} are missing or changed, more than {} %; {} were "
      "recorded, no more will be. Make sure that the right disk is mounted and whole; if they really are "
      "lost, "
      "say so: --action=walk --accept-missing",
      format_count(all), format_count(counted_.value_or(0)), volume->node(), options.brake_percent,
      format_count(withdrawn_));
}

}  // namespace geogrid
