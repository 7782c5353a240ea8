#include "meta/tree_rows.hpp"

#include "base/path.hpp"
#include "meta/change_rows.hpp"
#include "meta/proof_rows.hpp"
#include "meta/unhashed_rows.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

// How often a row may be moved away under our eyes before we say that it is busy.
constexpr int kLockTries = 8;

}  // namespace

result<void> check_new_name(InodeId parent, std::string_view name) {
  GG_CHECK(check_name(name));
  if (parent == kRootInode && name == kReservedName)
    return Error(std::make_error_code(std::errc::permission_denied),
                 fmt::format("the name '{}' is reserved at the top of the archive", kReservedName));
  return result<void>();
}

Error no_such_name(std::string_view name) {
  return fail(errc::not_found, "no such file or folder: '{}'", printable(name));
}
Error name_is_taken(std::string_view name) {
  return fail(errc::already_exists, "the name '{}' is taken", printable(name));
}

task<result<std::optional<Inode>>> lock_entry(Tx& tx, InodeId folder, std::string name) {
  if (!tx.on_mariadb())
    co_return co_await find_inode(tx, GG_SELECT_INODE "WHERE parent = ? AND name = ? AND id <> 1", folder,
                                  name);
  // By id, as everybody locks them: a lock through the index of names would also lock gaps there.
  GG_CO_TRY(
      const auto id,
      co_await tx.integer("SELECT id FROM inode WHERE parent = ? AND name = ? AND id <> 1", folder, name));
  if (!id) co_return std::nullopt;
  GG_CO_TRY(auto inode, co_await lock_inode(tx, InodeId(static_cast<std::uint64_t>(*id))));
  co_return std::move(inode);
}

task<result<Inode>> lock_with_parent(Tx& tx, InodeId id) {
  for (int i = 0; i < kLockTries; ++i) {
    GG_CO_TRY(const auto parent, co_await tx.integer("SELECT parent FROM inode WHERE id = ?", id));
    if (!parent) co_return fail(errc::not_found, "no file or folder has the number {}", id.value);
    const InodeId folder(static_cast<std::uint64_t>(*parent));
    GG_CO_CHECK(co_await lock_folder(tx, folder));
    GG_CO_TRY(Inode inode, co_await lock_inode(tx, id));
    if (inode.parent == folder) co_return inode;
  }
  co_return fail(errc::busy, "number {} is being moved again and again", id.value);
}

task<result<void>> touch_folder(Tx& tx, InodeId folder, int subfolders, Timestamp now) {
  GG_CO_CHECK(
      co_await tx.run("UPDATE inode SET mtime = ?, mtime_ns = ?, ctime = ?, ctime_ns = ?, "
                      "subfolders = subfolders + ? WHERE id = ?",
                      now.seconds, now.nanoseconds, now.seconds, now.nanoseconds, subfolders, folder));
  co_return result<void>();
}

bool apply_class(Inode& file, const StorageClass& rule) {
  const auto replicas = static_cast<std::uint8_t>(rule.replicas);
  const auto backups = static_cast<std::uint8_t>(rule.backups);
  const bool same =
      file.storage_class == rule.name && file.replica_target == replicas && file.backup_target == backups;
  file.storage_class = rule.name;
  file.replica_target = replicas;
  file.backup_target = backups;
  return !same;
}

task<result<void>> remove_row(Tx& tx, const Inode& inode) {
  GG_CO_CHECK(co_await tx.run("DELETE FROM inode WHERE id = ?", inode.id));
  const bool published = inode.is_file() && inode.state == ContentState::published;
  if (inode.is_file()) GG_CO_CHECK(co_await tx.run("DELETE FROM lease WHERE file = ?", inode.id));
  if (published) {
    if (belongs_in_queue(inode)) GG_CO_CHECK(co_await tx.run("DELETE FROM work WHERE file = ?", inode.id));
    GG_CO_CHECK(co_await tx.run("DELETE FROM claim WHERE file = ?", inode.id));
    GG_CO_CHECK(co_await tx.run("DELETE FROM proved_file WHERE file = ?", inode.id));
    if (inode.digest.pending()) GG_CO_CHECK(co_await drop_unhashed(tx, std::vector<InodeId>(1, inode.id)));
  } else if (inode.is_folder()) {
    GG_CO_CHECK(co_await tx.run("DELETE FROM proved_folder WHERE folder = ?", inode.id));
  }
  ChangeRows log(tx);
  log.add(ChangeKind::removed, inode);
  co_return co_await log.flush();
}

task<result<bool>> is_empty(Tx& tx, InodeId folder) {
  GG_CO_TRY(const auto entry,
            co_await tx.integer("SELECT id FROM inode WHERE parent = ? AND id > 1 LIMIT 1", folder));
  co_return !entry.has_value();
}

task<result<NodeSet>> holders(Tx& tx, const Inode& inode) {
  const NodeSet known = inode.replicas | inode.older;
  if (inode.is_file() && known.empty()) co_return NodeSet();
  GG_CO_TRY(const NodeSet living, co_await tx.living_nodes());
  if (inode.is_file()) co_return known& living;
  co_return inode.is_folder() || inode.type == FileType::symlink ? living : NodeSet();
}

}  // namespace geogrid
