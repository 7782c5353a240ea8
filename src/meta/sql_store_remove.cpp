// Names go: unlink and rmdir.

#include "base/path.hpp"
#include "meta/intent_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"

namespace geogrid {
namespace {

struct Entry {
  InodeId parent;
  std::string name;
  Timestamp now;
  LeaseOwner by;
};

// Removes what was found and checked: the row, its folder's count, and the intent that the nodes owe.
task<result<void>> remove_entry(Tx& tx, const Entry& in, IntentKind kind, Removed& out) {
  GG_CO_TRY(const auto folder, co_await tx.path_of(in.parent));
  if (!folder) co_return no_such_name(in.name);
  GG_CO_TRY(out.owed, co_await holders(tx, out.inode));
  GG_CO_CHECK(co_await remove_row(tx, out.inode));
  GG_CO_CHECK(co_await touch_folder(tx, in.parent, out.inode.is_folder() ? -1 : 0, in.now));
  NewIntent intent{kind, out.inode.id, folder->child(in.name), Path(), in.now, out.owed, in.by};
  GG_CO_TRY(out.intent, co_await put_intent(tx, std::move(intent)));
  co_return result<void>();
}

task<result<void>> unlink_row(Tx& tx, const Entry& in, Removed& out) {
  GG_CO_CHECK(co_await lock_folder(tx, in.parent));
  GG_CO_TRY(auto inode, co_await lock_entry(tx, in.parent, in.name));
  if (!inode) co_return no_such_name(in.name);
  if (inode->is_folder()) co_return fail(errc::is_a_folder, "'{}' is a folder", printable(in.name));
  out.inode = std::move(*inode);
  co_return co_await remove_entry(tx, in, IntentKind::remove, out);
}

task<result<void>> remove_folder_row(Tx& tx, const Entry& in, Removed& out) {
  GG_CO_CHECK(co_await lock_folder(tx, in.parent));
  GG_CO_TRY(auto inode, co_await lock_entry(tx, in.parent, in.name));
  if (!inode) co_return no_such_name(in.name);
  if (!inode->is_folder()) co_return fail(errc::not_a_folder, "'{}' is not a folder", printable(in.name));
  GG_CO_TRY(const bool empty, co_await is_empty(tx, inode->id));
  if (!empty) co_return fail(errc::not_empty, "the folder '{}' is not empty", printable(in.name));
  out.inode = std::move(*inode);
  co_return co_await remove_entry(tx, in, IntentKind::remove_folder, out);
}

}  // namespace

task<result<Removed>> SqlStore::unlink(InodeId parent, std::string name, Timestamp now, LeaseOwner by) {
  GG_CO_CHECK(check_name(name));
  Entry in{parent, std::move(name), now, by};
  co_return co_await write({.exactly_once = true}, unlink_row, std::move(in));
}

task<result<Removed>> SqlStore::remove_folder(InodeId parent, std::string name, Timestamp now,
                                              LeaseOwner by) {
  GG_CO_CHECK(check_name(name));
  Entry in{parent, std::move(name), now, by};
  co_return co_await write({.exactly_once = true}, remove_folder_row, std::move(in));
}

}  // namespace geogrid
