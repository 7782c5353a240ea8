// What the store itself is and has: cluster, totals, checkpoints.

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "meta/inode_row.hpp"
#include "meta/sql_store.hpp"

namespace geogrid {
namespace {

// Rows that one read of a scan looks at: a few milliseconds of the loop.
constexpr std::size_t kScanRows = 4096;

struct Key {
  NodeIndex node;
  std::string name;
};
struct Value {
  Key key;
  std::string value;
};
struct TotalRow {
  InodeId id;
  FileType type = FileType::file;
  ContentState state = ContentState::pending;
  std::string storage_class;
  std::uint64_t size = 0;
  int replica_target = 0;
  int backup_target = 0;
  NodeSet replicas;
  int backups = 0;
};
struct Holder {
  InodeId after;
  NodeIndex node;
};
struct Held {
  std::optional<InodeId> last;
  bool any = false;
};

task<result<void>> get_checkpoint(Tx& tx, const Key& key, std::string& out) {
  const OnRow keep = [&](const SqlRow& row) { out = row.bytes(0); };
  GG_CO_CHECK(
      co_await tx.each("SELECT value FROM checkpoint WHERE node = ? AND name = ?", keep, key.node, key.name));
  co_return result<void>();
}

task<result<void>> put_checkpoint(Tx& tx, const Value& in, Nothing&) {
  if (in.value.empty()) {
    GG_CO_CHECK(
        co_await tx.run("DELETE FROM checkpoint WHERE node = ? AND name = ?", in.key.node, in.key.name));
    co_return result<void>();
  }
  GG_CO_CHECK(co_await tx.run("REPLACE INTO checkpoint (node,name,value) VALUES (?,?,?)", in.key.node,
                              in.key.name, in.value));
  co_return result<void>();
}

task<result<void>> total_rows(Tx& tx, const InodeId& after, std::vector<TotalRow>& out) {
  const OnRow keep = [&](const SqlRow& row) {
    out.push_back({InodeId(static_cast<std::uint64_t>(row.integer(0))), static_cast<FileType>(row.integer(1)),
                   static_cast<ContentState>(row.integer(2)), std::string(row.bytes(3)),
                   static_cast<std::uint64_t>(row.integer(4)), static_cast<int>(row.integer(5)),
                   static_cast<int>(row.integer(6)), node_set(row.integer(7)),
                   static_cast<int>(row.integer(8))});
  };
  GG_CO_CHECK(
      co_await tx.each("SELECT id,type,state,class,size,replica_target,backup_target,replicas,backup_count "
                       "FROM inode WHERE id > ? ORDER BY id LIMIT ?",
                       keep, after, kScanRows));
  co_return result<void>();
}

task<result<void>> held_rows(Tx& tx, const Holder& in, Held& out) {
  const OnRow keep = [&](const SqlRow& row) {
    out.last = InodeId(static_cast<std::uint64_t>(row.integer(0)));
    out.any = out.any || node_set(row.integer(1)).contains(in.node);
  };
  GG_CO_CHECK(co_await tx.each("SELECT id, replicas FROM inode WHERE id > ? ORDER BY id LIMIT ?", keep,
                               in.after, kScanRows));
  co_return result<void>();
}

struct Counting {
  Totals totals;
  std::map<std::string, ClassTotals> classes;
  std::array<NodeTotals, kMaxNodes> nodes;

  void add_file(const TotalRow& row) {
    if (row.state == ContentState::pending) {
      ++totals.pending;
      return;
    }
    ClassTotals& c = classes[row.storage_class];
    ++c.files;
    c.bytes += row.size;
    c.under_replicas += row.replicas.size() < row.replica_target ? 1 : 0;
    c.under_backups += row.backups < row.backup_target ? 1 : 0;
    for (const NodeIndex node : row.replicas) {
      NodeTotals& n = nodes[node.value];
      ++n.files;
      n.bytes += row.size;
      n.only_here += row.replicas.size() == 1 ? 1 : 0;
    }
  }

  void add(const TotalRow& row) {
    switch (row.type) {
      case FileType::file:
        return add_file(row);
      case FileType::folder:
        ++totals.folders;
        return;
      case FileType::symlink:
        ++totals.symlinks;
        return;
      default:
        ++totals.others;
        return;
    }
  }

  Totals finish(const std::vector<NodeRecord>& known) {
    for (auto& [name, c] : classes) {
      c.name = name;
      totals.classes.push_back(c);
    }
    for (const NodeRecord& node : known) {
      NodeTotals& n = nodes[node.index.value];
      n.node = node.index;
      totals.nodes.push_back(n);
    }
    return std::move(totals);
  }
};

}  // namespace

task<result<ClusterInfo>> SqlStore::cluster() {
  co_return cluster_;
}

task<result<std::string>> SqlStore::checkpoint(NodeIndex node, std::string key) {
  return read(get_checkpoint, Key{node, std::move(key)});
}

task<result<void>> SqlStore::set_checkpoint(NodeIndex node, std::string key, std::string value) {
  Value in{{node, std::move(key)}, std::move(value)};
  GG_CO_CHECK(co_await record({}, put_checkpoint, std::move(in)));
  co_return result<void>();
}

task<result<Totals>> SqlStore::totals() {
  Counting counting;
  for (InodeId after;;) {
    GG_CO_TRY(const std::vector<TotalRow> rows, co_await read(total_rows, after));
    for (const TotalRow& row : rows) counting.add(row);
    if (rows.size() < kScanRows) break;
    after = rows.back().id;
    co_await asio::post(asio::use_awaitable);  // the loop's other work goes on between pages
  }
  GG_CO_TRY(const std::vector<NodeRecord> known, co_await nodes(NodeKind::storage));
  co_return counting.finish(known);
}

task<result<bool>> SqlStore::any_copy_on(NodeIndex node) {
  for (InodeId after;;) {
    Holder in{after, node};
    GG_CO_TRY(const Held page, co_await read(held_rows, std::move(in)));
    if (page.any || !page.last) co_return page.any;
    after = *page.last;
    co_await asio::post(asio::use_awaitable);
  }
}

}  // namespace geogrid
