// Reading the tree of names.

#include <algorithm>

#include "base/path.hpp"
#include "meta/inode_row.hpp"
#include "meta/sql_store.hpp"

namespace geogrid {
namespace {

struct Name {
  InodeId parent;
  std::string name;
};
struct Page {
  InodeId parent;
  InodeId after;
  std::size_t limit = 0;
};

task<result<void>> get_row(Tx& tx, const InodeId& id, Inode& out) {
  GG_CO_TRY(auto inode, co_await find_inode(tx, GG_SELECT_INODE "WHERE id = ?", id));
  if (!inode) co_return fail(errc::not_found, "no file or folder has the number {}", id.value);
  out = std::move(*inode);
  co_return result<void>();
}

task<result<std::optional<Inode>>> find_name(Tx& tx, InodeId parent, std::string_view name) {
  return find_inode(tx, GG_SELECT_INODE "WHERE parent = ? AND name = ?", parent, name);
}

task<result<void>> lookup_row(Tx& tx, const Name& at, std::optional<Inode>& out) {
  GG_CO_TRY(out, co_await find_name(tx, at.parent, at.name));
  co_return result<void>();
}

task<result<void>> list_rows(Tx& tx, const Page& page, std::vector<Inode>& out) {
  const OnRow keep = [&](const SqlRow& row) { out.push_back(read_inode(row)); };
  // The root is its own parent, and the lowest id.
  const InodeId after = page.parent == kRootInode ? std::max(page.after, kRootInode) : page.after;
  GG_CO_CHECK(co_await tx.each(GG_SELECT_INODE "WHERE parent = ? AND id > ? ORDER BY id LIMIT ?", keep,
                               page.parent, after, page.limit));
  if (!out.empty()) co_return result<void>();
  Inode folder;
  GG_CO_CHECK(co_await get_row(tx, page.parent, folder));
  if (!folder.is_folder()) co_return fail(errc::not_a_folder, "number {} is not a folder", page.parent.value);
  co_return result<void>();
}

task<result<void>> resolve_path(Tx& tx, const Path& path, Inode& out) {
  const auto names = path.components();
  GG_CO_CHECK(co_await get_row(tx, kRootInode, out));
  for (const std::string_view name : names) {
    if (!out.is_folder())
      co_return fail(errc::not_a_folder, "{}: '{}' is not a folder", printable(path.str()),
                     printable(out.name));
    GG_CO_TRY(auto next, co_await find_name(tx, out.id, name));
    if (!next) co_return fail(errc::not_found, "{}: no such file or folder", printable(path.str()));
    out = std::move(*next);
  }
  co_return result<void>();
}

task<result<void>> path_of_row(Tx& tx, const InodeId& id, Path& out) {
  GG_CO_TRY(auto path, co_await tx.path_of(id));
  if (!path) co_return fail(errc::not_found, "no file or folder has the number {}", id.value);
  out = std::move(*path);
  co_return result<void>();
}

}  // namespace

task<result<Inode>> SqlStore::get(InodeId id) {
  return read(get_row, id);
}

task<result<std::optional<Inode>>> SqlStore::lookup(InodeId parent, std::string name) {
  GG_CO_CHECK(check_name(name));
  Name in{parent, std::move(name)};
  co_return co_await read(lookup_row, std::move(in));
}

task<result<std::vector<Inode>>> SqlStore::list(InodeId parent, InodeId after, std::size_t limit) {
  return read(list_rows, Page{parent, after, limit});
}

task<result<Inode>> SqlStore::resolve(Path path) {
  return read(resolve_path, std::move(path));
}

task<result<Path>> SqlStore::path_of(InodeId id) {
  return read(path_of_row, id);
}

}  // namespace geogrid
