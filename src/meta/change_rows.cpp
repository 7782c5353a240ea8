#include "meta/change_rows.hpp"

#include <charconv>

namespace geogrid {

void ChangeRows::add(ChangeKind kind, InodeId inode, InodeId parent, std::string_view name) {
  const SqlValue gone_from = kind == ChangeKind::removed ? to_sql(parent) : SqlValue();
  rows_.add(tx_.origin(), kind, inode, parent, name, 0, std::string_view(), gone_from);
}

task<result<void>> ChangeRows::flush() {
  co_return co_await rows_.flush(tx_.connection());
}

task<result<ChangeId>> log_move(Tx& tx, const Inode& from, InodeId new_parent, std::string new_name) {
  GG_CO_TRY(
      const SqlOutcome done,
      co_await tx.run("INSERT INTO changelog (origin,kind,inode,parent,name,new_parent,new_name,gone_from) "
                      "VALUES (?,?,?,?,?,?,?,?)",
                      tx.origin(), ChangeKind::moved, from.id, from.parent, from.name, new_parent, new_name,
                      from.parent));
  co_return ChangeId(static_cast<std::uint64_t>(done.inserted_id));
}

task<result<ChangeId>> newest_change(Tx& tx) {
  GG_CO_TRY(const auto newest, co_await tx.integer("SELECT MAX(id) FROM changelog"));
  co_return ChangeId(static_cast<std::uint64_t>(newest.value_or(0)));
}

task<result<ChangeId>> pruned_changes(Tx& tx) {
  std::string text;
  const OnRow keep = [&](const SqlRow& row) { text = row.bytes(0); };
  GG_CO_CHECK(co_await tx.each("SELECT value FROM meta WHERE name = ?", keep, "pruned"));
  std::uint64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  co_return ChangeId(id);
}

}  // namespace geogrid
