#pragma once
// Leases: a process's hold on a file it writes, measured by the database's clock; and, as file 0, that it
// lives.

#include <unordered_map>
#include <vector>

#include "meta/namespace_store.hpp"
#include "meta/sql_tx.hpp"

namespace geogrid {

/// What stands for the owner itself.
inline constexpr InodeId kOwnerItself{0};

/// Takes or renews.
task<result<void>> put_lease(Tx& tx, InodeId file, LeaseOwner owner, std::chrono::seconds lease);
/// True if there was one: one that ran out counts until it was taken away.
task<result<bool>> end_lease(Tx& tx, InodeId file, LeaseOwner owner);

/// What a lease says about a publication that has begun.
struct Begun {
  LeaseOwner owner;
  Version version;    ///< that was to be replaced
  NodeSet withdrawn;  ///< whose copy of that version counted until it began
  NodeSet asked;      ///< on which the owner may be replacing what lies at the path
};
/// Takes or renews a lease, and adds to what it says.
task<result<void>> put_begun(Tx& tx, InodeId file, Begun begun, std::chrono::seconds lease);
/// Of all owners that have a lease on the file.
task<result<std::vector<Begun>>> begun_on(Tx& tx, InodeId file);

/// Those of the files that have a lease, each with the nodes on which its writers may be replacing what lies
/// at the path.
task<result<std::unordered_map<InodeId, NodeSet>>> being_written(Tx& tx, const std::vector<InodeId>& files);

/// A file that was never published goes with its last lease. True if it went. REQUIRES: it and its folder are
/// locked.
task<result<bool>> drop_if_unwanted(Tx& tx, const Inode& inode);

}  // namespace geogrid
