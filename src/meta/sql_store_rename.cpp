// Names move.

#include <algorithm>

#include "base/path.hpp"
#include "meta/change_rows.hpp"
#include "meta/intent_rows.hpp"
#include "meta/job_rows.hpp"
#include "meta/proof_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

struct Move {
  InodeId parent;
  std::string name;
  InodeId new_parent;
  std::string new_name;
  RenameMode mode = RenameMode::replace;
  Timestamp now;
  LeaseOwner by;
};

// What is at both ends of a move, locked, and where that is.
struct Ends {
  Inode source;
  std::optional<Inode> target;
  Path from;
  Path to;
};

task<result<void>> lock_tree(Tx& tx) {
  GG_CO_CHECK(co_await tx.run(tx.locking("SELECT value FROM meta WHERE name = ? FOR UPDATE"), "tree lock"));
  co_return result<void>();
}

task<result<bool>> is_folder(Tx& tx, InodeId parent, std::string name) {
  GG_CO_TRY(const auto type,
            co_await tx.integer("SELECT type FROM inode WHERE parent = ? AND name = ?", parent, name));
  co_return type == static_cast<std::int64_t>(FileType::folder);
}

// Moving folders between folders can close a circle where two do it at once: one at a time. Before all other
// locks, as far as can be seen then.
task<result<bool>> lock_tree_if_needed(Tx& tx, const Move& in) {
  if (in.parent == in.new_parent) co_return false;
  GG_CO_TRY(bool needed, co_await is_folder(tx, in.parent, in.name));
  if (!needed && in.mode == RenameMode::exchange) {
    GG_CO_TRY(needed, co_await is_folder(tx, in.new_parent, in.new_name));
  }
  if (needed) GG_CO_CHECK(co_await lock_tree(tx));
  co_return needed;
}

task<result<Ends>> lock_ends(Tx& tx, const Move& in) {
  const auto [first, second] = std::minmax(in.parent, in.new_parent);
  GG_CO_CHECK(co_await lock_folder(tx, first));
  if (second != first) GG_CO_CHECK(co_await lock_folder(tx, second));
  // Names in locked folders stay, so that their rows can be looked up first and locked in the order of their
  // ids.
  const std::string_view find = "SELECT id FROM inode WHERE parent = ? AND name = ? AND id <> 1";
  GG_CO_TRY(const auto source, co_await tx.integer(find, in.parent, in.name));
  GG_CO_TRY(const auto target, co_await tx.integer(find, in.new_parent, in.new_name));
  if (!source) co_return no_such_name(in.name);
  std::vector<InodeId> ids(1, InodeId(static_cast<std::uint64_t>(*source)));
  if (target) ids.push_back(InodeId(static_cast<std::uint64_t>(*target)));
  GG_CO_TRY(std::vector<Inode> rows, co_await lock_inodes(tx, ids));
  Ends ends;
  for (Inode& row : rows) {
    if (target && row.id == ids[1]) ends.target = row;
    if (row.id == ids[0]) ends.source = std::move(row);
  }
  GG_CO_TRY(const auto from, co_await tx.path_of(in.parent));
  GG_CO_TRY(const auto to, co_await tx.path_of(in.new_parent));
  if (!from || !to) co_return no_such_name(in.name);
  ends.from = from->child(in.name);
  ends.to = to->child(in.new_name);
  co_return ends;
}

task<result<void>> check_not_below(Tx& tx, const Inode& folder, InodeId new_parent) {
  if (!folder.is_folder()) co_return result<void>();
  GG_CO_TRY(const auto way, co_await tx.way_up(new_parent));
  if (!way) co_return fail(errc::not_found, "the folder with the number {} is gone", new_parent.value);
  for (const TreePlace* place : *way)
    if (place->id == folder.id)
      co_return fail(errc::invalid_argument, "the folder '{}' cannot be moved below itself",
                     printable(folder.name));
  co_return result<void>();
}

task<result<void>> check_move(Tx& tx, const Move& in, const Ends& ends) {
  const auto& target = ends.target;
  if (target && in.mode == RenameMode::no_replace) co_return name_is_taken(in.new_name);
  if (!target && in.mode == RenameMode::exchange) co_return no_such_name(in.new_name);
  if (target && target->id == ends.source.id) co_return result<void>();
  if (in.parent != in.new_parent) {
    GG_CO_CHECK(co_await check_not_below(tx, ends.source, in.new_parent));
    if (in.mode == RenameMode::exchange) GG_CO_CHECK(co_await check_not_below(tx, *target, in.parent));
  }
  if (!target || in.mode == RenameMode::exchange) co_return result<void>();
  if (target->is_folder() && !ends.source.is_folder())
    co_return fail(errc::is_a_folder, "'{}' is a folder", printable(in.new_name));
  if (!target->is_folder() && ends.source.is_folder())
    co_return fail(errc::not_a_folder, "'{}' is not a folder", printable(in.new_name));
  if (!target->is_folder()) co_return result<void>();
  GG_CO_TRY(const bool empty, co_await is_empty(tx, target->id));
  if (!empty) co_return fail(errc::not_empty, "the folder '{}' is not empty", printable(in.new_name));
  co_return result<void>();
}

// Gives a row its new place, with all that depends on the place: class, queue, proofs, log.
task<result<void>> move_row(Tx& tx, Inode& inode, InodeId parent, const std::string& name, const Path& to,
                            Timestamp now) {
  if (inode.is_file() && parent != inode.parent) GG_CO_CHECK(co_await carry_proof(tx, inode, parent));
  GG_CO_TRY(const ChangeId change, co_await log_move(tx, inode, parent, name));
  const bool other_class = inode.is_file() && apply_class(inode, tx.context().classes->of_path(to));
  inode.parent = parent;
  inode.name = name;
  inode.attributes.ctime = now;
  GG_CO_CHECK(
      co_await tx.run("UPDATE inode SET parent = ?, name = ?, ctime = ?, ctime_ns = ?, moved = ?, class = ?, "
                      "replica_target = ?, backup_target = ? WHERE id = ?",
                      parent, name, now.seconds, now.nanoseconds, change, inode.storage_class,
                      inode.replica_target, inode.backup_target, inode.id));
  WorkQueue queue(tx);
  if (other_class) GG_CO_CHECK(co_await queue.remake(std::span<const Inode>(&inode, 1)));
  if (inode.is_folder()) co_return co_await put_job(tx, JobKind::classify, inode.id);
  co_return result<void>();
}

task<result<void>> touch_ends(Tx& tx, const Move& in, int from, int to) {
  if (in.parent == in.new_parent) co_return co_await touch_folder(tx, in.parent, from + to, in.now);
  const bool in_order = in.parent < in.new_parent;
  GG_CO_CHECK(co_await touch_folder(tx, in_order ? in.parent : in.new_parent, in_order ? from : to, in.now));
  co_return co_await touch_folder(tx, in_order ? in.new_parent : in.parent, in_order ? to : from, in.now);
}

task<result<void>> note_intent(Tx& tx, NewIntent intent, Renamed& out) {
  GG_CO_TRY(const auto id, co_await put_intent(tx, intent));
  if (!id) co_return result<void>();
  out.intents.push_back(Intent{*id, intent.kind, intent.inode, std::move(intent.path),
                               std::move(intent.new_path), intent.when, intent.owed});
  co_return result<void>();
}

// Those of the nodes that owe nothing yet which must be done before this: with a folder move names that
// nobody here knows of, so that nothing at all may be owed.
task<result<NodeSet>> untroubled(Tx& tx, const Ends& ends, NodeSet nodes) {
  if (ends.source.is_folder() || (ends.target && ends.target->is_folder())) {
    NodeSet free;
    for (const NodeIndex node : nodes) {
      GG_CO_TRY(const bool owes, co_await tx.owes_anything(node));
      if (!owes) free = free.with(node);
    }
    co_return free;
  }
  GG_CO_TRY(const NodeSet at_from, co_await tx.owing(nodes, ends.from));
  GG_CO_TRY(const NodeSet at_to, co_await tx.owing(nodes - at_from, ends.to));
  co_return nodes - at_from - at_to;
}

task<result<void>> replace(Tx& tx, const Move& in, Ends& ends, Renamed& out) {
  GG_CO_TRY(const NodeSet movers, co_await holders(tx, ends.source));
  NodeSet losers;
  if (ends.target) {
    GG_CO_TRY(losers, co_await holders(tx, *ends.target));
  }
  GG_CO_TRY(out.at_once, co_await untroubled(tx, ends, movers | losers));
  int new_folders = ends.source.is_folder() ? 1 : 0;
  if (ends.target) {
    const bool was_folder = ends.target->is_folder();
    new_folders -= was_folder ? 1 : 0;
    GG_CO_CHECK(co_await remove_row(tx, *ends.target));
    NewIntent gone{was_folder ? IntentKind::remove_folder : IntentKind::remove,
                   ends.target->id,
                   ends.to,
                   Path(),
                   in.now,
                   losers,
                   in.by};
    GG_CO_CHECK(co_await note_intent(tx, std::move(gone), out));
  }
  GG_CO_CHECK(co_await touch_ends(tx, in, ends.source.is_folder() ? -1 : 0, new_folders));
  GG_CO_CHECK(co_await move_row(tx, ends.source, in.new_parent, in.new_name, ends.to, in.now));
  NewIntent moved{IntentKind::rename, ends.source.id, ends.from, ends.to, in.now, movers, in.by};
  co_return co_await note_intent(tx, std::move(moved), out);
}

task<result<void>> exchange(Tx& tx, const Move& in, Ends& ends, Renamed& out) {
  Inode& other = *ends.target;
  GG_CO_TRY(const NodeSet of_source, co_await holders(tx, ends.source));
  GG_CO_TRY(const NodeSet of_target, co_await holders(tx, other));
  GG_CO_TRY(out.at_once, co_await untroubled(tx, ends, of_source | of_target));
  const int change = (other.is_folder() ? 1 : 0) - (ends.source.is_folder() ? 1 : 0);
  GG_CO_CHECK(co_await touch_ends(tx, in, change, -change));
  // The name is unique in its folder at every moment: one of the two waits under a name that nobody can have.
  const std::string aside = fmt::format("/{}", ends.source.id.value);
  GG_CO_CHECK(co_await tx.run("UPDATE inode SET name = ? WHERE id = ?", aside, ends.source.id));
  GG_CO_CHECK(co_await move_row(tx, other, in.parent, in.name, ends.from, in.now));
  GG_CO_CHECK(co_await move_row(tx, ends.source, in.new_parent, in.new_name, ends.to, in.now));
  NewIntent intent{IntentKind::exchange,  ends.source.id, ends.from, ends.to, in.now,
                   of_source | of_target, in.by};
  co_return co_await note_intent(tx, std::move(intent), out);
}

task<result<void>> rename_row(Tx& tx, const Move& in, Renamed& out) {
  GG_CO_TRY(const bool tree_locked, co_await lock_tree_if_needed(tx, in));
  GG_CO_TRY(Ends ends, co_await lock_ends(tx, in));
  const bool moves_folder =
      ends.source.is_folder() || (in.mode == RenameMode::exchange && ends.target && ends.target->is_folder());
  if (!tree_locked && moves_folder && in.parent != in.new_parent) GG_CO_CHECK(co_await lock_tree(tx));
  GG_CO_CHECK(co_await check_move(tx, in, ends));
  // rename(2): of a name to itself, nothing is done.
  if (!ends.target || ends.target->id != ends.source.id) {
    if (in.mode == RenameMode::exchange)
      GG_CO_CHECK(co_await exchange(tx, in, ends, out));
    else
      GG_CO_CHECK(co_await replace(tx, in, ends, out));
    out.replaced = std::move(ends.target);
  }
  out.inode = std::move(ends.source);
  co_return result<void>();
}

}  // namespace

task<result<Renamed>> SqlStore::rename(InodeId parent, std::string name, InodeId new_parent,
                                       std::string new_name, RenameMode mode, Timestamp now, LeaseOwner by,
                                       bool durable_if_replaced) {
  GG_CO_CHECK(check_new_name(parent, name));
  GG_CO_CHECK(check_new_name(new_parent, new_name));
  Move in{parent, std::move(name), new_parent, std::move(new_name), mode, now, by};
  GG_CO_TRY(Renamed renamed, co_await write({.exactly_once = true}, rename_row, std::move(in)));
  // Only now is it known whether bytes go.
  const bool bytes_go = std::any_of(renamed.intents.begin(), renamed.intents.end(),
                                    [](const Intent& intent) { return intent.kind == IntentKind::remove; });
  if (durable_if_replaced && bytes_go) GG_CO_CHECK(co_await driver_->sync());
  co_return renamed;
}

}  // namespace geogrid
