#pragma once
// Background jobs: what a change leaves to be done page by page, in rows that survive any crash.

#include "meta/sql_tx.hpp"

namespace geogrid {

/// Stored by number.
enum class JobKind : int {
  requeue = 1,  ///< put the work queue right after a change of nodes; subject 0, progress: the last file done
  classify = 2,  ///< re-apply the class rules in a folder (subject) and below; progress: the last entry done
  forget = 3,    ///< a retired node (subject: its index) no longer owes anything on its disk
};

/// Leaves a job; one of the same kind and subject that is there already starts again.
task<result<void>> put_job(Tx& tx, JobKind kind, InodeId subject);

}  // namespace geogrid
