#pragma once
// Appending to the change log, in the transaction of the change.

#include "meta/sql_tx.hpp"

namespace geogrid {

/// Changes collected in order; names must live until flush() is done.
class ChangeRows {
 public:
  explicit ChangeRows(Tx& tx) : tx_(tx) {}

  /// Any kind but moved: see log_move().
  void add(ChangeKind kind, InodeId inode, InodeId parent, std::string_view name);
  void add(ChangeKind kind, const Inode& inode) { add(kind, inode.id, inode.parent, inode.name); }
  task<result<void>> flush();

 private:
  Tx& tx_;
  MultiInsert rows_{
      "INSERT INTO changelog (origin,kind,inode,parent,name,new_parent,new_name,gone_from) VALUES ", 8};
};

/// Appends a move at once, and returns its id.
task<result<ChangeId>> log_move(Tx& tx, const Inode& from, InodeId new_parent, std::string new_name);

/// The newest change; 0 if there is none.
task<result<ChangeId>> newest_change(Tx& tx);
/// See ChangeLog::pruned_up_to().
task<result<ChangeId>> pruned_changes(Tx& tx);

}  // namespace geogrid
