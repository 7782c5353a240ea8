// Names go: unlink and rmdir, and what disks owe.

#include "base/path.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"

namespace geogrid {
namespace {

struct Entry {
  InodeId parent;
  std::string name;
  Timestamp now;
};
struct OwedPage {
  NodeIndex node;
  IntentId after;
  std::size_t limit = 0;
};
struct Done {
  NodeIndex node;
  std::vector<IntentId> ids;
};

// Removes what was found and checked: the row, its folder's count, and the intent that the nodes owe.
task<result<void>> remove_entry(Tx& tx, const Entry& in, IntentKind kind, Removed& out) {
  GG_CO_TRY(const auto folder, co_await tx.path_of(in.parent));
  if (!folder) co_return no_such_name(in.name);
  GG_CO_TRY(const NodeSet owed, co_await holders(tx, out.inode));
  GG_CO_CHECK(co_await remove_row(tx, out.inode));
  GG_CO_CHECK(co_await touch_folder(tx, in.parent, out.inode.is_folder() ? -1 : 0, in.now));
  NewIntent intent{kind, out.inode.id, folder->child(in.name), Path(), in.now, owed};
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

result<Path> path_in(std::string_view text) {
  return text.empty() ? result<Path>(Path()) : Path::parse(text);
}

task<result<void>> owed_rows(Tx& tx, const OwedPage& in, std::vector<Intent>& out) {
  result<void> parsed;
  const OnRow keep = [&](const SqlRow& row) {
    const auto path = path_in(row.bytes(3));
    const auto new_path = path_in(row.bytes(4));
    if (!path || !new_path) {
      parsed = fail(errc::internal, "the intent {} has no valid path", row.integer(0));
      return;
    }
    out.push_back(Intent{
        IntentId(static_cast<std::uint64_t>(row.integer(0))), static_cast<IntentKind>(row.integer(1)),
        InodeId(static_cast<std::uint64_t>(row.integer(2))), *path, *new_path,
        Timestamp{row.integer(5), static_cast<std::int32_t>(row.integer(6))}, node_set(row.integer(7))});
  };
  GG_CO_CHECK(
      co_await tx.each("SELECT i.id,i.kind,i.inode,i.path,i.new_path,i.at,i.at_ns,i.owed FROM owed o "
                       "JOIN intent i ON i.id = o.intent WHERE o.node = ? AND o.intent > ? "
                       "ORDER BY o.intent LIMIT ?",
                       keep, in.node, in.after, in.limit));
  co_return parsed;
}

task<result<void>> finish_rows(Tx& tx, const Done& in, Nothing&) {
  return strike_off(tx, in.node, in.ids);
}

}  // namespace

task<result<Removed>> SqlStore::unlink(InodeId parent, std::string name, Timestamp now) {
  GG_CO_CHECK(check_name(name));
  Entry in{parent, std::move(name), now};
  co_return co_await write({.exactly_once = true}, unlink_row, std::move(in));
}

task<result<Removed>> SqlStore::remove_folder(InodeId parent, std::string name, Timestamp now) {
  GG_CO_CHECK(check_name(name));
  Entry in{parent, std::move(name), now};
  co_return co_await write({.exactly_once = true}, remove_folder_row, std::move(in));
}

task<result<std::vector<Intent>>> SqlStore::owed_by(NodeIndex node, IntentId after, std::size_t limit) {
  return read(owed_rows, OwedPage{node, after, limit});
}

task<result<void>> SqlStore::finish_intents(NodeIndex node, std::vector<IntentId> ids) {
  GG_CO_CHECK(check_batch(ids.size()));
  if (ids.empty()) co_return result<void>();
  Done in{node, std::move(ids)};
  GG_CO_CHECK(co_await write({}, finish_rows, std::move(in)));
  co_return result<void>();
}

}  // namespace geogrid
