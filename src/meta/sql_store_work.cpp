// The replication queue: taking work, giving it back, showing it.

#include <algorithm>
#include <unordered_map>

#include "meta/inode_row.hpp"
#include "meta/sql_store.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

// How many rows one poll looks at before it gives up: those it passes over are being worked on by others.
constexpr std::size_t kPage = 128;
constexpr std::size_t kMaxPages = 16;

struct Take {
  NodeIndex node;
  std::uint64_t owner = 0;
  std::size_t limit = 0;
  std::int64_t hold = 0;
};
struct Return {
  NodeIndex node;
  std::vector<InodeId> files;
  bool sinks = false;
  std::int64_t retry_after = 0;
};
struct Unhashed {
  NodeIndex node;
  InodeId after;
  std::size_t limit = 0;
};
struct Candidate {
  InodeId file;
  int urgency = 0;
  int attempts = 0;
};

task<result<void>> unhashed_rows(Tx& tx, const Unhashed& in, std::vector<WorkItem>& out) {
  std::vector<Inode> files;
  const OnRow keep = [&](const SqlRow& row) { files.push_back(read_inode(row)); };
  GG_CO_CHECK(co_await tx.each("SELECT " GG_INODE_COLUMNS " FROM unhashed u JOIN inode i ON i.id = u.file "
                               "WHERE u.file > ? AND (i.replicas & ?) <> 0 ORDER BY u.file LIMIT ?",
                               keep, in.after, NodeSet::of(in.node), in.limit));
  for (Inode& file : files) {
    GG_CO_TRY(const auto folder, co_await tx.path_of(file.parent));
    if (!folder) continue;
    Path path = folder->child(file.name);
    out.push_back(WorkItem{std::move(file), std::move(path), 0, 0});
  }
  co_return result<void>();
}

task<result<void>> is_waiting(Tx& tx, const NodeIndex& node, bool& out) {
  GG_CO_TRY(
      const auto row,
      co_await tx.integer(tx.pick("SELECT 1 FROM work WHERE node = ? AND retry_at <= unixepoch() LIMIT 1",
                                  "SELECT 1 FROM work WHERE node = ? AND retry_at <= UNIX_TIMESTAMP() "
                                  "LIMIT 1"),
                          node));
  out = row.has_value();
  co_return result<void>();
}

// Fresh rows in the order of their urgency; then those that failed and are due again.
task<result<std::vector<Candidate>>> candidates(Tx& tx, NodeIndex node, bool fresh, std::size_t offset) {
  std::vector<Candidate> page;
  const OnRow keep = [&](const SqlRow& row) {
    page.push_back({InodeId(static_cast<std::uint64_t>(row.integer(0))), static_cast<int>(row.integer(1)),
                    static_cast<int>(row.integer(2))});
  };
  if (fresh) {
    GG_CO_CHECK(
        co_await tx.each("SELECT file, urgency, attempts FROM work WHERE node = ? AND retry_at = 0 "
                         "ORDER BY urgency, file LIMIT ? OFFSET ?",
                         keep, node, kPage, offset));
  } else {
    GG_CO_TRY(const std::int64_t now, co_await tx.now());
    GG_CO_CHECK(co_await tx.each(
        "SELECT file, urgency, attempts FROM work WHERE node = ? AND retry_at BETWEEN 1 AND ? "
        "ORDER BY retry_at, urgency, file LIMIT ? OFFSET ?",
        keep, node, now, kPage, offset));
  }
  co_return page;
}

// Who works on each of these files now.
task<result<std::unordered_map<InodeId, NodeSet>>> live_claims(Tx& tx, const std::vector<Candidate>& page) {
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  std::unordered_map<InodeId, NodeSet> claims;
  const OnRow keep = [&](const SqlRow& row) {
    if (row.integer(2) <= now) return;
    NodeSet& nodes = claims[InodeId(static_cast<std::uint64_t>(row.integer(0)))];
    nodes = nodes.with(NodeIndex(static_cast<std::uint8_t>(row.integer(1))));
  };
  std::vector<InodeId> files;
  for (const Candidate& candidate : page) files.push_back(candidate.file);
  GG_CO_CHECK(co_await run_over(tx.connection(),
                                ListStatement{"SELECT file, node, expires FROM claim WHERE file IN "}, {},
                                to_sql(files), keep));
  co_return claims;
}

// Takes what may be taken of a page. Rows are locked before their claims are read, so that two nodes see each
// other's.
task<result<void>> take_page(Tx& tx, const Take& in, const std::vector<Candidate>& page,
                             std::vector<WorkItem>& out) {
  std::vector<InodeId> files;
  for (const Candidate& candidate : page) files.push_back(candidate.file);
  GG_CO_TRY(std::vector<Inode> inodes, co_await lock_inodes(tx, std::move(files)));
  std::unordered_map<InodeId, Inode*> rows;
  for (Inode& inode : inodes) rows.emplace(inode.id, &inode);
  GG_CO_TRY(auto claims, co_await live_claims(tx, page));
  for (const Candidate& candidate : page) {
    if (out.size() >= in.limit) break;
    const auto row = rows.find(candidate.file);
    if (row == rows.end() || !belongs_in_queue(*row->second)) continue;
    Inode& inode = *row->second;
    const NodeSet at_work = claims[candidate.file];
    const int missing = inode.replica_target - inode.replicas.size();
    if (inode.replicas.contains(in.node) || at_work.contains(in.node) || at_work.size() >= missing) continue;
    GG_CO_TRY(const auto folder, co_await tx.path_of(inode.parent));
    if (!folder) continue;
    Path path = folder->child(inode.name);
    out.push_back(WorkItem{std::move(inode), std::move(path), candidate.urgency, candidate.attempts});
  }
  co_return result<void>();
}

task<result<void>> take_rows(Tx& tx, const Take& in, std::vector<WorkItem>& out) {
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  // Of an earlier process of this node, or forgotten: there is one such process at a time.
  GG_CO_CHECK(co_await tx.run("DELETE FROM claim WHERE node = ? AND (owner <> ? OR expires <= ?)", in.node,
                              in.owner, now));
  std::size_t pages = 0;
  for (const bool fresh : {true, false}) {
    for (std::size_t offset = 0; out.size() < in.limit && pages < kMaxPages; offset += kPage, ++pages) {
      GG_CO_TRY(const auto page, co_await candidates(tx, in.node, fresh, offset));
      if (!page.empty()) GG_CO_CHECK(co_await take_page(tx, in, page, out));
      if (page.size() < kPage) break;
    }
  }
  MultiInsert rows("INSERT INTO claim (file,node,version,owner,expires) VALUES ", 5);
  for (const WorkItem& item : out)
    rows.add(item.inode.id, in.node, item.inode.version, in.owner, now + in.hold);
  co_return co_await rows.flush(tx.connection());
}

task<result<void>> return_rows(Tx& tx, const Return& in, Nothing&) {
  GG_CO_CHECK(co_await run_over(tx.connection(),
                                ListStatement{"DELETE FROM claim WHERE node = ? AND file IN "},
                                bound_values(in.node), to_sql(in.files)));
  if (!in.sinks) co_return result<void>();
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  co_return co_await run_over(
      tx.connection(),
      ListStatement{"UPDATE work SET attempts = attempts + 1, retry_at = ? WHERE node = ? AND file IN "},
      bound_values(now + in.retry_after, in.node), to_sql(in.files));
}

}  // namespace

task<result<std::vector<WorkItem>>> SqlStore::take_work(NodeIndex node, std::uint64_t owner,
                                                        std::size_t limit, std::chrono::seconds hold) {
  GG_CO_CHECK(check_batch(limit));
  // A poll that finds nothing must not take the write lock.
  GG_CO_TRY(const bool waiting, co_await read(is_waiting, node));
  if (!waiting || limit == 0) co_return std::vector<WorkItem>();
  Take in{node, owner, limit, hold.count()};
  co_return co_await record({}, take_rows, std::move(in));
}

task<result<std::vector<WorkItem>>> SqlStore::unhashed(NodeIndex node, InodeId after, std::size_t limit) {
  return read(unhashed_rows, Unhashed{node, after, limit});
}

task<result<void>> SqlStore::return_work(NodeIndex node, std::vector<InodeId> ids, bool failed,
                                         std::chrono::seconds retry_after) {
  GG_CO_CHECK(check_batch(ids.size()));
  const bool sinks = failed && retry_after.count() > 0;
  Return in{node, std::move(ids), sinks, retry_after.count()};
  GG_CO_CHECK(co_await record({}, return_rows, std::move(in)));
  co_return result<void>();
}

}  // namespace geogrid
