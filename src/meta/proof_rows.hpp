#pragma once
// When copies were last proved: a row for each node and folder, and exceptions by file.

#include <vector>

#include "meta/sql_tx.hpp"

namespace geogrid {

/// A copy of `node` in these folders was just verified: a folder that has no time yet gets this one, which
/// holds for every copy there, since each is verified when it is first counted.
task<result<void>> begin_proof(Tx& tx, NodeIndex node, std::vector<InodeId> folders);

/// The same for several nodes and one folder.
task<result<void>> begin_proofs(Tx& tx, NodeSet nodes, InodeId folder);

/// The file goes from its folder to another one, and takes its own times along. REQUIRES: called before the
/// row is moved.
task<result<void>> carry_proof(Tx& tx, const Inode& file, InodeId new_folder);

/// Forgets files that go away.
task<result<void>> drop_proof(Tx& tx, std::vector<InodeId> files);

}  // namespace geogrid
