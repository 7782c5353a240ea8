#include "replication/copy_run.hpp"

#include <algorithm>
#include <map>

#include "replication/folder_listing.hpp"
#include "replication/pages.hpp"

namespace geogrid {

std::chrono::seconds retry_after(int attempts) {
  return std::chrono::seconds(std::min<std::int64_t>(3600, std::int64_t{30} << std::clamp(attempts, 0, 10)));
}

void CopyRun::fail_with(Error error) {
  if (!failure) failure = std::move(error);
  changed.notify_all();
}

bool CopyRun::destination_failed(const Error& error) {
  if (error.is(std::errc::no_space_on_device) || error.code.value() == EDQUOT) {
    fail_with(Error(errc::low_space, error.message));
    return true;
  }
  if (error.is(errc::low_space) || (ends_traversal(error) && !error.is(errc::busy))) {
    fail_with(error);
    return true;
  }
  return false;
}

void CopyRun::give_back(const WorkItem& item) {
  in_hand.erase(item.inode.id);
  untouched_.push_back(item.inode.id);
}

void CopyRun::give_up(const WorkItem& item) {
  in_hand.erase(item.inode.id);
  ++report.failed;
  given_up_.push_back({item.inode.id, retry_after(item.attempts)});
}

void CopyRun::put_off(const WorkItem& item) {
  in_hand.erase(item.inode.id);
  given_up_.push_back({item.inode.id, std::chrono::seconds(2)});
}

task<result<void>> CopyRun::flush_returns() {
  std::map<std::chrono::seconds, std::vector<InodeId>> failed;
  for (const GivenUp& one : std::exchange(given_up_, {})) failed[one.after].push_back(one.id);
  std::vector<InodeId> untouched = std::exchange(untouched_, {});
  auto pages = in_pages(std::move(untouched), CopyStore::kMaxBatch);
  for (auto& page : pages)
    GG_CO_CHECK(co_await store.return_work(node, std::move(page), false, std::chrono::seconds(0)));
  for (auto& [after, ids] : failed) {
    pages = in_pages(std::move(ids), CopyStore::kMaxBatch);
    for (auto& page : pages) GG_CO_CHECK(co_await store.return_work(node, std::move(page), true, after));
  }
  co_return result<void>();
}

Finding CopyRun::finding(FindingKind kind, NodeIndex where, Path path, std::string detail) {
  const Timestamp now = options.clock->wall();
  Finding made{kind, where, std::move(path), std::move(detail), now, now};
  if (report.findings.size() < ReplicateReport::kMaxFindings) report.findings.push_back(made);
  return made;
}

task<void> CopyRun::tell(Finding told) {
  std::vector<Finding> findings{std::move(told)};
  auto done = co_await store.report(std::move(findings));
  if (!done) fail_with(std::move(done).error());
}

}  // namespace geogrid
