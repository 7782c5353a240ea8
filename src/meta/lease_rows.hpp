#pragma once
// Leases: a process's hold on a file it writes, measured by the database's clock.

#include "meta/namespace_store.hpp"
#include "meta/sql_tx.hpp"

namespace geogrid {

/// Takes or renews.
task<result<void>> put_lease(Tx& tx, InodeId file, LeaseOwner owner, std::chrono::seconds lease);
/// Whether the owner has one: one that ran out counts until it was taken away.
task<result<bool>> has_lease(Tx& tx, InodeId file, LeaseOwner owner);

}  // namespace geogrid
