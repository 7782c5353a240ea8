// Reading and pruning the change log.

#include "meta/change_rows.hpp"
#include "meta/sql_store.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kPrunePage = 2000;

struct After {
  ChangeId after;
  std::size_t limit = 0;
};

Change read_change(const SqlRow& row) {
  const auto number = [&row](int column) { return static_cast<std::uint64_t>(row.integer(column)); };
  return Change{ChangeId(number(0)), Origin(number(1)),        static_cast<ChangeKind>(row.integer(2)),
                InodeId(number(3)),  InodeId(number(4)),       std::string(row.bytes(5)),
                InodeId(number(6)),  std::string(row.bytes(7))};
}

task<result<void>> newest(Tx& tx, const Nothing&, ChangeId& out) {
  GG_CO_TRY(out, co_await newest_change(tx));
  co_return result<void>();
}

task<result<void>> pruned(Tx& tx, const Nothing&, ChangeId& out) {
  GG_CO_TRY(out, co_await pruned_changes(tx));
  co_return result<void>();
}

task<result<void>> read_changes(Tx& tx, const After& in, std::vector<Change>& out) {
  const OnRow keep = [&](const SqlRow& row) { out.push_back(read_change(row)); };
  GG_CO_CHECK(
      co_await tx.each("SELECT id,origin,kind,inode,parent,name,new_parent,new_name FROM changelog "
                       "WHERE id > ? ORDER BY id LIMIT ?",
                       keep, in.after, in.limit));
  co_return result<void>();
}

// From the oldest on, up to the first that is young enough; never the newest, so that latest_change() does
// not fall back.
task<result<void>> prune_page(Tx& tx, const std::chrono::seconds& keep_for, bool& more) {
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  GG_CO_TRY(const ChangeId newest_id, co_await newest_change(tx));
  std::int64_t last = 0;
  std::size_t old = 0;
  bool young = false;
  const OnRow look = [&](const SqlRow& row) {
    young = young || row.integer(1) > now - keep_for.count() ||
            row.integer(0) >= static_cast<std::int64_t>(newest_id.value);
    if (young) return;
    last = row.integer(0);
    ++old;
  };
  GG_CO_CHECK(co_await tx.each("SELECT id, at FROM changelog ORDER BY id LIMIT ?", look, kPrunePage));
  more = old == kPrunePage;
  if (old == 0) co_return result<void>();
  GG_CO_CHECK(co_await tx.run("DELETE FROM changelog WHERE id <= ?", last));
  const std::string text = fmt::format("{}", last);
  GG_CO_CHECK(co_await tx.run("UPDATE meta SET value = ? WHERE name = ?", text, "pruned"));
  co_return result<void>();
}

}  // namespace

task<result<ChangeId>> SqlStore::latest_change() {
  return read(newest, Nothing());
}

task<result<std::vector<Change>>> SqlStore::changes_after(ChangeId after, std::size_t limit) {
  return read(read_changes, After{after, limit});
}

task<result<std::uint64_t>> SqlStore::change_hint() {
  return driver_->change_hint();
}

task<result<ChangeId>> SqlStore::pruned_up_to() {
  return read(pruned, Nothing());
}

task<result<bool>> SqlStore::prune_changes(std::chrono::seconds keep) {
  return record({}, prune_page, keep);
}

}  // namespace geogrid
