// What a walk finds: new names enter the tree.

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/path.hpp"
#include "meta/change_rows.hpp"
#include "meta/inode_row.hpp"
#include "meta/proof_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

struct Found {
  NodeIndex node;
  InodeId folder;
  ChangeId seen;
  std::vector<FoundEntry> entries;
};
using Outcomes = std::vector<Registration>;
using Names = std::unordered_set<std::string>;

// MariaDB commits changes out of the order of their ids: changes this far below `seen` that are this young
// may have been invisible when `seen` was read.
constexpr std::uint64_t kIdWindow = 1000;
constexpr int kAgeWindow = 10;

result<void> check(const Found& found) {
  GG_CHECK(check_batch(found.entries.size()));
  std::unordered_set<std::string_view> names;
  for (const FoundEntry& entry : found.entries) {
    GG_CHECK(check_new_name(found.folder, entry.name));
    if (!names.insert(entry.name).second)
      return fail(errc::invalid_argument, "the name '{}' was found twice in one folder",
                  printable(entry.name));
    if (entry.type != FileType::folder && entry.type != FileType::file && entry.type != FileType::symlink)
      return fail(errc::invalid_argument, "'{}' is neither folder, file nor symlink", printable(entry.name));
    if (entry.type == FileType::file && entry.digest.pending())
      return fail(errc::invalid_argument, "the file '{}' was found without a digest", printable(entry.name));
  }
  return result<void>();
}

// On MariaDB a move whose id is below `seen` may have been committed after `seen` was read.
task<result<bool>> moved_since(Tx& tx, ChangeId moved, ChangeId seen) {
  if (moved > seen) co_return true;
  if (!tx.on_mariadb() || moved.value == 0 || moved.value + kIdWindow <= seen.value) co_return false;
  GG_CO_TRY(const auto young,
            co_await tx.integer("SELECT 1 FROM changelog WHERE id = ? AND at >= UNIX_TIMESTAMP() - ?", moved,
                                kAgeWindow));
  co_return young.has_value();
}

// A listing of a disk that began before the folder, or one above it, went elsewhere may be another folder's.
task<result<void>> check_seen(Tx& tx, const Found& found) {
  GG_CO_TRY(const ChangeId pruned, co_await pruned_changes(tx));
  if (found.seen < pruned)
    co_return fail(errc::stale, "the change log was pruned since the folder was listed: list it again");
  GG_CO_TRY(const auto way, co_await tx.way_up(found.folder));
  if (!way) co_return fail(errc::not_found, "the folder with the number {} is gone", found.folder.value);
  for (const TreePlace* place : *way) {
    GG_CO_TRY(const bool moved, co_await moved_since(tx, place->moved, found.seen));
    if (moved) co_return fail(errc::stale, "the folder was moved since it was listed: list it again");
  }
  co_return result<void>();
}

task<result<Names>> names_gone_since(Tx& tx, const Found& found) {
  Names names;
  const OnRow keep = [&](const SqlRow& row) { names.emplace(row.bytes(0)); };
  if (tx.on_mariadb()) {
    const std::uint64_t from = found.seen.value - std::min(found.seen.value, kIdWindow);
    GG_CO_CHECK(
        co_await tx.each("SELECT name FROM changelog WHERE gone_from = ? AND id > ? "
                         "AND (id > ? OR at >= UNIX_TIMESTAMP() - ?)",
                         keep, found.folder, from, found.seen, kAgeWindow));
  } else {
    GG_CO_CHECK(co_await tx.each("SELECT name FROM changelog WHERE gone_from = ? AND id > ?", keep,
                                 found.folder, found.seen));
  }
  co_return names;
}

task<result<std::unordered_map<std::string, InodeId>>> known_names(Tx& tx, const Found& found) {
  std::unordered_map<std::string, InodeId> known;
  const OnRow keep = [&](const SqlRow& row) {
    known.emplace(row.bytes(0), InodeId(static_cast<std::uint64_t>(row.integer(1))));
  };
  std::vector<SqlValue> names;
  names.reserve(found.entries.size());
  for (const FoundEntry& entry : found.entries) names.push_back(to_sql(entry.name));
  GG_CO_CHECK(co_await run_over(tx.connection(),
                                ListStatement{"SELECT name, id FROM inode WHERE parent = ? AND name IN "},
                                bound_values(found.folder), std::move(names), keep));
  co_return known;
}

Inode new_inode(const FoundEntry& entry, const Found& found, const Path& folder,
                const StorageClasses& classes) {
  Inode inode;
  inode.parent = found.folder;
  inode.name = entry.name;
  inode.type = entry.type;
  inode.attributes = entry.attributes;
  inode.state = ContentState::published;
  if (entry.type == FileType::symlink) {
    inode.link_target = entry.link_target;
    inode.size = entry.link_target.size();
  }
  if (entry.type != FileType::file) return inode;
  const StorageClass& rule = classes.of_path(folder.child(entry.name));
  inode.size = entry.size;
  inode.version = Version(1);
  inode.digest = entry.digest;
  inode.storage_class = rule.name;
  inode.replica_target = static_cast<std::uint8_t>(rule.replicas);
  inode.backup_target = static_cast<std::uint8_t>(rule.backups);
  inode.replicas = NodeSet::of(found.node);
  return inode;
}

// Which entries are new, by their place in found.entries; the others get their outcome.
task<result<std::vector<std::size_t>>> sort_out(Tx& tx, const Found& found, const Path& folder,
                                                Outcomes& out) {
  GG_CO_TRY(const auto known, co_await known_names(tx, found));
  GG_CO_TRY(const Names gone, co_await names_gone_since(tx, found));
  std::vector<Path> paths;
  paths.reserve(found.entries.size());
  for (const FoundEntry& entry : found.entries) paths.push_back(folder.child(entry.name));
  GG_CO_CHECK(co_await tx.ask_owed(found.node, paths));
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < found.entries.size(); ++i) {
    const std::string& name = found.entries[i].name;
    if (const auto row = known.find(name); row != known.end()) {
      out[i] = {RegisterOutcome::known, row->second};
      continue;
    }
    GG_CO_TRY(const bool owed, co_await tx.owes(found.node, paths[i]));
    if (owed || gone.contains(name))
      out[i] = {RegisterOutcome::removed, InodeId()};
    else
      fresh.push_back(i);
  }
  co_return fresh;
}

task<result<void>> insert(Tx& tx, const Found& found, std::vector<Inode>& inodes) {
  InodeInsert rows;
  for (const Inode& inode : inodes) rows.add(inode);
  GG_CO_TRY(const std::vector<InodeId> ids, co_await rows.flush(tx));
  WorkQueue queue(tx);
  GG_CO_CHECK(co_await queue.prepare());
  ChangeRows changes(tx);
  std::uint32_t subfolders = 0;
  bool files = false;
  for (std::size_t i = 0; i < inodes.size(); ++i) {
    inodes[i].id = ids[i];
    queue.add(inodes[i]);
    changes.add(ChangeKind::created, inodes[i]);
    subfolders += inodes[i].is_folder() ? 1 : 0;
    files = files || inodes[i].is_file();
  }
  GG_CO_CHECK(co_await queue.flush());
  GG_CO_CHECK(co_await changes.flush());
  if (subfolders > 0)
    GG_CO_CHECK(co_await tx.run("UPDATE inode SET subfolders = subfolders + ? WHERE id = ?", subfolders,
                                found.folder));
  if (files) co_return co_await begin_proof(tx, found.node, std::vector<InodeId>(1, found.folder));
  co_return result<void>();
}

task<result<void>> register_rows(Tx& tx, const Found& found, Outcomes& out) {
  out.resize(found.entries.size());
  GG_CO_TRY(const NodeSet living, co_await tx.living_nodes());
  if (!living.contains(found.node))
    co_return fail(errc::not_found, "no storage node has the index {}", found.node.value);
  GG_CO_CHECK(co_await lock_folder(tx, found.folder));
  GG_CO_CHECK(co_await check_seen(tx, found));
  GG_CO_TRY(const auto folder, co_await tx.path_of(found.folder));
  if (!folder) co_return fail(errc::not_found, "the folder with the number {} is gone", found.folder.value);
  GG_CO_TRY(const auto fresh, co_await sort_out(tx, found, *folder, out));
  if (fresh.empty()) co_return result<void>();
  std::vector<Inode> inodes;
  inodes.reserve(fresh.size());
  for (const std::size_t i : fresh)
    inodes.push_back(new_inode(found.entries[i], found, *folder, *tx.context().classes));
  GG_CO_CHECK(co_await insert(tx, found, inodes));
  for (std::size_t i = 0; i < fresh.size(); ++i) out[fresh[i]] = {RegisterOutcome::registered, inodes[i].id};
  co_return result<void>();
}

}  // namespace

task<result<std::vector<Registration>>> SqlStore::register_found(NodeIndex node, InodeId folder,
                                                                 ChangeId seen,
                                                                 std::vector<FoundEntry> entries) {
  Found found{node, folder, seen, std::move(entries)};
  GG_CO_CHECK(check(found));
  if (found.entries.empty()) co_return Outcomes();
  co_return co_await record({.exactly_once = true}, register_rows, std::move(found));
}

}  // namespace geogrid
