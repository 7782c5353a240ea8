#pragma once
// Published files whose digest is pending: a small table, so that nobody looks for them.

#include <vector>

#include "meta/sql_tx.hpp"

namespace geogrid {

/// The file's content or digest has changed: it is in the table exactly if its digest is pending.
task<result<void>> note_unhashed(Tx& tx, const Inode& file);
/// These got their digest.
task<result<void>> drop_unhashed(Tx& tx, const std::vector<InodeId>& files);

}  // namespace geogrid
