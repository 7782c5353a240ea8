#include "meta/inode_row.hpp"

#include <algorithm>

namespace geogrid {
namespace {

std::uint64_t unsigned_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

Timestamp time_at(const SqlRow& row, int column) {
  return {row.integer(column), static_cast<std::int32_t>(row.integer(column + 1))};
}

}  // namespace

Inode read_inode(const SqlRow& row) {
  Inode inode;
  inode.id = InodeId(unsigned_of(row.integer(0)));
  inode.parent = InodeId(unsigned_of(row.integer(1)));
  inode.name = row.bytes(2);
  inode.type = static_cast<FileType>(row.integer(3));
  inode.attributes.mode = static_cast<std::uint32_t>(row.integer(4));
  inode.attributes.uid = static_cast<std::uint32_t>(row.integer(5));
  inode.attributes.gid = static_cast<std::uint32_t>(row.integer(6));
  inode.attributes.atime = time_at(row, 7);
  inode.attributes.mtime = time_at(row, 9);
  inode.attributes.ctime = time_at(row, 11);
  inode.size = unsigned_of(row.integer(13));
  inode.rdev = unsigned_of(row.integer(14));
  inode.subfolders = static_cast<std::uint32_t>(row.integer(15));
  inode.link_target = row.bytes(16);
  inode.state = static_cast<ContentState>(row.integer(17));
  inode.version = Version(unsigned_of(row.integer(18)));
  inode.digest.algorithm = static_cast<DigestAlgorithm>(row.integer(19));
  inode.digest.bytes = row.bytes(20);
  inode.storage_class = row.bytes(21);
  inode.replica_target = static_cast<std::uint8_t>(row.integer(22));
  inode.backup_target = static_cast<std::uint8_t>(row.integer(23));
  inode.replicas = node_set(row.integer(24));
  inode.older = node_set(row.integer(25));
  inode.backups = node_set(row.integer(26));
  return inode;
}

task<result<Inode>> lock_inode(Tx& tx, InodeId id) {
  GG_CO_TRY(auto inode, co_await find_inode(tx, tx.locking(GG_SELECT_INODE "WHERE id = ? FOR UPDATE"), id));
  if (!inode) co_return fail(errc::not_found, "no file or folder has the number {}", id.value);
  co_return std::move(*inode);
}

task<result<Inode>> lock_folder(Tx& tx, InodeId id) {
  GG_CO_TRY(auto inode, co_await lock_inode(tx, id));
  if (!inode.is_folder()) co_return fail(errc::not_a_folder, "number {} is not a folder", id.value);
  co_return inode;
}

task<result<std::vector<Inode>>> lock_inodes(Tx& tx, std::vector<InodeId> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<Inode> inodes;
  inodes.reserve(ids.size());
  const OnRow keep = [&](const SqlRow& row) { inodes.push_back(read_inode(row)); };
  const ListStatement statement{GG_SELECT_INODE "WHERE id IN ", tx.locking(" ORDER BY id FOR UPDATE")};
  GG_CO_CHECK(co_await run_over(tx.connection(), statement, {}, to_sql(ids), keep));
  co_return inodes;
}

InodeInsert::InodeInsert()
    : insert_(
          "INSERT INTO inode "
          "(id,parent,name,type,mode,uid,gid,atime,atime_ns,mtime,mtime_ns,ctime,ctime_ns,size,"
          "rdev,subfolders,moved,link_target,state,version,digest_algorithm,digest,class,replica_target,"
          "backup_target,replicas,replica_count,older,backups,backup_count) VALUES ",
          30, " RETURNING id, name") {}

void InodeInsert::add(const Inode& n) {
  const SqlValue id = n.id.value == 0 ? SqlValue() : geogrid::to_sql(n.id);
  const Attributes& a = n.attributes;
  insert_.add(id, n.parent, n.name, n.type, a.mode, a.uid, a.gid, a.atime.seconds, a.atime.nanoseconds,
              a.mtime.seconds, a.mtime.nanoseconds, a.ctime.seconds, a.ctime.nanoseconds, n.size, n.rdev,
              n.subfolders, 0, n.link_target, n.state, n.version, n.digest.algorithm, n.digest.bytes,
              n.storage_class, n.replica_target, n.backup_target, n.replicas, n.replicas.size(), n.older,
              n.backups, n.backups.size());
  names_.push_back(n.name);
}

task<result<std::vector<InodeId>>> InodeInsert::flush(Tx& tx) {
  // Neither database promises an order of what RETURNING gives, though both give that of the rows.
  std::vector<std::pair<InodeId, std::string>> returned;
  returned.reserve(names_.size());
  const OnRow keep = [&](const SqlRow& row) {
    returned.emplace_back(InodeId(unsigned_of(row.integer(0))), row.bytes(1));
  };
  GG_CO_CHECK(co_await insert_.flush(tx.connection(), keep));
  if (returned.size() != names_.size())
    co_return fail(errc::internal, "{} rows were inserted, {} returned", names_.size(), returned.size());
  std::vector<InodeId> ids(names_.size());
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (returned[i].second != names_[i]) co_return fail(errc::internal, "rows were returned out of order");
    ids[i] = returned[i].first;
  }
  names_.clear();
  co_return ids;
}

task<result<void>> write_copy_sets(Tx& tx, const std::map<CopySets, std::vector<InodeId>>& sets) {
  const ListStatement statement{"UPDATE inode SET replicas = ?, replica_count = ?, older = ? WHERE id IN "};
  for (const auto& [set, ids] : sets) {
    std::vector<SqlValue> first = bound_values(set.replicas, set.replicas.size(), set.older);
    GG_CO_CHECK(co_await run_over(tx.connection(), statement, std::move(first), to_sql(ids)));
  }
  co_return result<void>();
}

std::vector<SqlValue> to_sql(const std::vector<InodeId>& ids) {
  std::vector<SqlValue> values;
  values.reserve(ids.size());
  for (const InodeId id : ids) values.push_back(geogrid::to_sql(id));
  return values;
}

}  // namespace geogrid
