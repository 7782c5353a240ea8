// The replication queue as people see it.

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "meta/inode_row.hpp"
#include "meta/sql_store.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kScanRows = 2048;

struct QueueRow {
  InodeId file;
  int node = 0;
  std::uint64_t size = 0;
  std::int64_t copies = 0;
};
struct PageOf {
  std::size_t offset = 0;
  std::size_t limit = 0;
};

// The files with id > after, whole: a page that is full loses its last file to the next one.
task<result<void>> scan_queue(Tx& tx, const InodeId& after, std::vector<QueueRow>& out) {
  const OnRow keep = [&](const SqlRow& row) {
    out.push_back({InodeId(static_cast<std::uint64_t>(row.integer(0))), static_cast<int>(row.integer(1)),
                   static_cast<std::uint64_t>(row.integer(2)), row.integer(3)});
  };
  GG_CO_CHECK(co_await tx.each(
      "SELECT w.file, w.node, i.size, i.replica_count FROM work w JOIN inode i ON i.id = w.file "
      "WHERE w.file > ? ORDER BY w.file LIMIT ?",
      keep, after, kScanRows));
  if (out.size() == kScanRows) {
    const InodeId last = out.back().file;
    while (!out.empty() && out.back().file == last) out.pop_back();
  }
  co_return result<void>();
}

void count(const std::vector<QueueRow>& rows, QueueSummary& summary) {
  InodeId previous;
  for (const QueueRow& row : rows) {
    if (row.node == kNobody)
      ++summary.stuck;
    else
      ++summary.helped_by[static_cast<std::size_t>(row.node)];
    if (row.file == previous) continue;
    previous = row.file;
    ++summary.files;
    summary.bytes += row.size;
    summary.without_copy += row.copies == 0 ? 1 : 0;
    summary.last_copy += row.copies == 1 ? 1 : 0;
  }
}

task<result<void>> entry_helpers(Tx& tx, QueueEntry& entry) {
  const OnRow keep = [&](const SqlRow& row) {
    const auto node = row.integer(0);
    if (node < kNobody) entry.helpers = entry.helpers.with(NodeIndex(static_cast<std::uint8_t>(node)));
    entry.attempts = std::max(entry.attempts, static_cast<int>(row.integer(1)));
    const std::int64_t retry_at = row.integer(2);
    if (retry_at > 0 && (!entry.retry_at || retry_at < entry.retry_at->seconds))
      entry.retry_at = Timestamp{retry_at, 0};
  };
  GG_CO_CHECK(
      co_await tx.each("SELECT node, attempts, retry_at FROM work WHERE file = ?", keep, entry.inode.id));
  co_return result<void>();
}

task<result<void>> queue_rows(Tx& tx, const PageOf& page, std::vector<QueueEntry>& out) {
  std::vector<std::pair<InodeId, int>> files;
  const OnRow keep = [&](const SqlRow& row) {
    files.emplace_back(InodeId(static_cast<std::uint64_t>(row.integer(0))), static_cast<int>(row.integer(1)));
  };
  GG_CO_CHECK(co_await tx.each(
      "SELECT file, urgency FROM work GROUP BY urgency, file ORDER BY urgency, file LIMIT ? OFFSET ?", keep,
      page.limit, page.offset));
  for (const auto& [file, urgency] : files) {
    GG_CO_TRY(auto inode, co_await find_inode(tx, GG_SELECT_INODE "WHERE id = ?", file));
    if (!inode) continue;
    GG_CO_TRY(auto folder, co_await tx.path_of(inode->parent));
    if (!folder) continue;
    QueueEntry entry;
    entry.path = folder->child(inode->name);
    entry.inode = std::move(*inode);
    entry.urgency = urgency;
    GG_CO_CHECK(co_await entry_helpers(tx, entry));
    out.push_back(std::move(entry));
  }
  co_return result<void>();
}

}  // namespace

task<result<QueueSummary>> SqlStore::queue_summary() {
  QueueSummary summary;
  summary.helped_by.resize(kMaxNodes);
  for (InodeId after;;) {
    GG_CO_TRY(const std::vector<QueueRow> rows, co_await read(scan_queue, after));
    count(rows, summary);
    if (rows.empty()) break;
    after = rows.back().file;
    co_await asio::post(asio::use_awaitable);  // the loop's other work goes on between pages
  }
  co_return summary;
}

task<result<std::vector<QueueEntry>>> SqlStore::queue_page(std::size_t offset, std::size_t limit) {
  return read(queue_rows, PageOf{offset, limit});
}

}  // namespace geogrid
