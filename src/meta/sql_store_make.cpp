// New names, and the attributes of those that are there.

#include "base/path.hpp"
#include "meta/change_rows.hpp"
#include "meta/intent_rows.hpp"
#include "meta/lease_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

// Linux: PATH_MAX, which a symlink's text may not fill (symlink(2)).
constexpr std::size_t kMaxTarget = 4095;

struct Alteration {
  InodeId id;
  AttributeChange change;
};

result<void> check(const NewNode& node) {
  GG_CHECK(check_new_name(node.parent, node.name));
  if (node.type == FileType::file) return fail(errc::invalid_argument, "files are made by create_file()");
  if (node.type != FileType::symlink) return result<void>();
  if (node.link_target.empty() || node.link_target.find('\0') != std::string::npos)
    return fail(errc::invalid_argument, "a symlink's target has at least one byte, and no NUL");
  if (node.link_target.size() > kMaxTarget)
    return Error(std::make_error_code(std::errc::filename_too_long), "the symlink's target is too long");
  return result<void>();
}

// Inserts a row into a locked folder that has no such name, touches the folder and logs it.
task<result<void>> insert_entry(Tx& tx, Inode& inode) {
  InodeInsert rows;
  rows.add(inode);
  GG_CO_TRY(const auto ids, co_await rows.flush(tx));
  inode.id = ids.at(0);
  GG_CO_CHECK(co_await touch_folder(tx, inode.parent, inode.is_folder() ? 1 : 0, inode.attributes.ctime));
  ChangeRows log(tx);
  log.add(ChangeKind::created, inode);
  co_return co_await log.flush();
}

task<result<void>> make_row(Tx& tx, const NewNode& in, Inode& out) {
  GG_CO_CHECK(co_await lock_folder(tx, in.parent));
  GG_CO_TRY(const auto taken,
            co_await tx.integer("SELECT 1 FROM inode WHERE parent = ? AND name = ?", in.parent, in.name));
  if (taken) co_return name_is_taken(in.name);
  out.parent = in.parent;
  out.name = in.name;
  out.type = in.type;
  out.attributes = in.attributes;
  out.state = ContentState::published;
  if (in.type == FileType::symlink) {
    out.link_target = in.link_target;
    out.size = in.link_target.size();
  }
  if (in.type == FileType::character_device || in.type == FileType::block_device) out.rdev = in.rdev;
  co_return co_await insert_entry(tx, out);
}

// A symlink is owed by all nodes: it is kept in metadata, and made where others may look without us.
task<result<void>> make_symlink_row(Tx& tx, const NewNode& in, Inode& out) {
  GG_CO_TRY(const NodeSet living, co_await tx.living_nodes());  // before the rows, as everywhere
  GG_CO_CHECK(co_await make_row(tx, in, out));
  GG_CO_TRY(const auto folder, co_await tx.path_of(in.parent));
  if (!folder) co_return no_such_name(in.name);
  NewIntent intent{
      IntentKind::make_symlink, out.id, folder->child(in.name), Path(), in.attributes.ctime, living, in.by};
  GG_CO_CHECK(co_await put_intent(tx, std::move(intent)));
  co_return result<void>();
}

task<result<void>> create_row(Tx& tx, const NewFile& in, CreatedFile& out) {
  GG_CO_CHECK(co_await lock_folder(tx, in.parent));
  GG_CO_TRY(auto there, co_await lock_entry(tx, in.parent, in.name));
  if (there) {
    if (in.exclusive) co_return name_is_taken(in.name);
    out.inode = std::move(*there);
    out.existed = true;
    co_return result<void>();
  }
  GG_CO_TRY(const auto folder, co_await tx.path_of(in.parent));
  if (!folder) co_return fail(errc::not_found, "the folder with the number {} is gone", in.parent.value);
  out.inode.parent = in.parent;
  out.inode.name = in.name;
  out.inode.attributes = in.attributes;
  apply_class(out.inode, tx.context().classes->of_path(folder->child(in.name)));
  GG_CO_CHECK(co_await insert_entry(tx, out.inode));
  co_return co_await put_lease(tx, out.inode.id, in.owner, in.lease);
}

task<result<void>> alter_row(Tx& tx, const Alteration& in, Inode& out) {
  GG_CO_TRY(out, co_await lock_inode(tx, in.id));
  Attributes& a = out.attributes;
  a.mode = in.change.mode.value_or(a.mode);
  a.uid = in.change.uid.value_or(a.uid);
  a.gid = in.change.gid.value_or(a.gid);
  a.atime = in.change.atime.value_or(a.atime);
  a.mtime = in.change.mtime.value_or(a.mtime);
  a.ctime = in.change.ctime;
  bool owed_more_or_less = false;
  if (in.change.storage_class) {
    if (!out.is_file()) co_return fail(errc::invalid_argument, "only files have a storage class");
    const StorageClass* rule = tx.context().classes->find(*in.change.storage_class);
    if (!rule)
      co_return fail(errc::invalid_argument, "there is no storage class '{}'",
                     printable(*in.change.storage_class));
    owed_more_or_less = apply_class(out, *rule);
  }
  GG_CO_CHECK(co_await tx.run(
      "UPDATE inode SET mode = ?, uid = ?, gid = ?, atime = ?, atime_ns = ?, mtime = ?, mtime_ns = ?, "
      "ctime = ?, ctime_ns = ?, class = ?, replica_target = ?, backup_target = ? WHERE id = ?",
      a.mode, a.uid, a.gid, a.atime.seconds, a.atime.nanoseconds, a.mtime.seconds, a.mtime.nanoseconds,
      a.ctime.seconds, a.ctime.nanoseconds, out.storage_class, out.replica_target, out.backup_target,
      out.id));
  WorkQueue queue(tx);
  if (owed_more_or_less) GG_CO_CHECK(co_await queue.remake(std::span<const Inode>(&out, 1)));
  ChangeRows log(tx);
  log.add(ChangeKind::attributes, out);
  co_return co_await log.flush();
}

}  // namespace

task<result<Inode>> SqlStore::make_node(NewNode node) {
  GG_CO_CHECK(check(node));
  const auto rules = node.type == FileType::symlink ? make_symlink_row : make_row;
  co_return co_await write({.exactly_once = true}, rules, std::move(node));
}

task<result<CreatedFile>> SqlStore::create_file(NewFile file) {
  GG_CO_CHECK(check_new_name(file.parent, file.name));
  if (file.owner.value == 0) co_return fail(errc::invalid_argument, "a lease needs an owner");
  co_return co_await write({.exactly_once = true}, create_row, std::move(file));
}

task<result<Inode>> SqlStore::set_attributes(InodeId id, AttributeChange change) {
  return write({}, alter_row, Alteration{id, std::move(change)});
}

}  // namespace geogrid
