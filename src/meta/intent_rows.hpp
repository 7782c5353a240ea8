#pragma once
// What disks owe after changes of names: rows of `intent` and `owed`.

#include <optional>
#include <vector>

#include "meta/namespace_store.hpp"
#include "meta/sql_tx.hpp"

namespace geogrid {

struct NewIntent {
  IntentKind kind = IntentKind::remove;
  InodeId inode;
  Path path;
  Path new_path;  ///< rename and exchange only
  Timestamp when;
  NodeSet owed;
  LeaseOwner by;  ///< has taken it already; 0: nobody
};
/// Writes what disks owe; none if nobody owes anything.
task<result<std::optional<IntentId>>> put_intent(Tx& tx, NewIntent intent);

/// The node has done these, or need not any more; each goes with the last node that owes it. Says for each
/// whether the node still owed it.
task<result<std::vector<bool>>> strike_off(Tx& tx, NodeIndex node, std::vector<IntentId> done);

}  // namespace geogrid
