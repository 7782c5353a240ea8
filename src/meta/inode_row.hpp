#pragma once
// Rows of the table `inode`: reading, making, and changing the sets of nodes.

#include <optional>
#include <string>
#include <vector>

#include "meta/sql_tx.hpp"

namespace geogrid {

// The columns that read_inode() expects, as a literal, so that statements stay literals too.
#define GG_INODE_COLUMNS                                                                                 \
  "id,parent,name,type,mode,uid,gid,atime,atime_ns,mtime,mtime_ns,ctime,ctime_ns,size,rdev,subfolders,"  \
  "link_target,state,version,digest_algorithm,digest,class,replica_target,backup_target,replicas,older," \
  "backups"
#define GG_SELECT_INODE "SELECT " GG_INODE_COLUMNS " FROM inode "

Inode read_inode(const SqlRow& row);

/// One row by a statement that begins with GG_SELECT_INODE.
template <typename... Values>
task<result<std::optional<Inode>>> find_inode(Tx& tx, std::string_view sql, Values... values) {
  std::optional<Inode> inode;
  const OnRow keep = [&inode](const SqlRow& row) { inode = read_inode(row); };
  const result<SqlOutcome> done = co_await tx.each(sql, keep, values...);
  if (!done) co_return done.error();
  co_return inode;
}

/// The row, locked until the end of the transaction. Errors: errc::not_found.
task<result<Inode>> lock_inode(Tx& tx, InodeId id);
/// The row, locked; errc::not_found, or errc::not_a_folder if it is none. Locking a folder's row is what
/// keeps names in it from being made, and the folder from being removed, by others.
task<result<Inode>> lock_folder(Tx& tx, InodeId id);
/// The rows that there are, locked in the order of their ids.
task<result<std::vector<Inode>>> lock_inodes(Tx& tx, std::vector<InodeId> ids);

/// Rows to insert; ids are taken from the inodes where they are set (not 0), else given by the database.
class InodeInsert {
 public:
  InodeInsert();
  /// `inode` must live until flush() is done.
  void add(const Inode& inode);
  /// Inserts, and returns the new ids in the order of add(). Errors: errc::already_exists.
  task<result<std::vector<InodeId>>> flush(Tx& tx);

 private:
  MultiInsert insert_;
  std::vector<std::string_view> names_;
};

/// Rows whose sets of nodes change to the same value are written together.
struct CopySets {
  NodeSet replicas;
  NodeSet older;
  friend bool operator<(const CopySets& a, const CopySets& b) {
    return std::pair(a.replicas.bits(), a.older.bits()) < std::pair(b.replicas.bits(), b.older.bits());
  }
};
/// Writes the sets with their counts.
task<result<void>> write_copy_sets(Tx& tx, const std::map<CopySets, std::vector<InodeId>>& sets);

std::vector<SqlValue> to_sql(const std::vector<InodeId>& ids);

}  // namespace geogrid
