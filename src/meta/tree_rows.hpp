#pragma once
// Steps that several changes of the tree share.

#include "meta/inode_row.hpp"
#include "meta/namespace_store.hpp"

namespace geogrid {

/// Checks a name that is to be made in `parent`. Errors: what check_name() says; EACCES for the reserved name
/// at the top.
result<void> check_new_name(InodeId parent, std::string_view name);
Error no_such_name(std::string_view name);
Error name_is_taken(std::string_view name);

/// The entry of a locked folder, locked too; none if there is none.
task<result<std::optional<Inode>>> lock_entry(Tx& tx, InodeId folder, std::string name);
/// The row and the folder it lies in, locked folder first. Errors: errc::not_found.
task<result<Inode>> lock_with_parent(Tx& tx, InodeId id);

/// A name appeared in or went from a locked folder: its times, and its count of subfolders changed by
/// `subfolders`.
task<result<void>> touch_folder(Tx& tx, InodeId folder, int subfolders, Timestamp now);

/// Gives a file the class, and what the class owes it, of the path. True if that changes anything.
bool apply_class(Inode& file, const StorageClass& rule);

/// Removes the row and all that hangs on it, and logs it. Its folder is locked, and touched by the caller.
task<result<void>> remove_row(Tx& tx, const Inode& inode);

/// Whether a locked folder holds nothing.
task<result<bool>> is_empty(Tx& tx, InodeId folder);

/// The nodes on which `inode` may lie: those that hold some version of a file; all for folders and symlinks;
/// none for others.
task<result<NodeSet>> holders(Tx& tx, const Inode& inode);

}  // namespace geogrid
