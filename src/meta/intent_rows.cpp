#include "meta/intent_rows.hpp"

#include "base/path.hpp"

namespace geogrid {

task<result<std::optional<IntentId>>> put_intent(Tx& tx, NewIntent intent) {
  if (intent.owed.empty()) co_return std::nullopt;
  const std::string path = intent.path.str();
  const std::string key = path_key(intent.path);
  const bool moves = intent.kind == IntentKind::rename || intent.kind == IntentKind::exchange;
  const std::string new_path = moves ? intent.new_path.str() : std::string();
  const std::string new_key = moves ? path_key(intent.new_path) : std::string();
  const SqlValue bound_key = moves ? to_sql(new_key) : SqlValue();
  GG_CO_TRY(
      const SqlOutcome done,
      co_await tx.run("INSERT INTO intent (kind,inode,path,path_key,new_path,new_path_key,at,at_ns,owed) "
                      "VALUES (?,?,?,?,?,?,?,?,?)",
                      intent.kind, intent.inode, path, key, new_path, bound_key, intent.when.seconds,
                      intent.when.nanoseconds, intent.owed));
  const IntentId id(static_cast<std::uint64_t>(done.inserted_id));
  std::int64_t until = 0;
  if (intent.by.value != 0) {
    GG_CO_TRY(const std::int64_t now, co_await tx.now());
    until = now + NamespaceStore::kIntentHold.count();
  }
  MultiInsert owed("INSERT INTO owed (node,intent,taker,taken_until) VALUES ", 4);
  for (const NodeIndex node : intent.owed) owed.add(node, id, intent.by, until);
  GG_CO_CHECK(co_await owed.flush(tx.connection()));
  co_return id;
}

task<result<std::vector<bool>>> strike_off(Tx& tx, NodeIndex node, std::vector<IntentId> done) {
  std::map<std::uint64_t, std::vector<SqlValue>> left;  // ids by the set of nodes that still owe
  std::set<std::uint64_t> struck;
  const OnRow keep = [&](const SqlRow& row) {
    const NodeSet owed = node_set(row.integer(1));
    if (!owed.contains(node)) return;
    struck.insert(static_cast<std::uint64_t>(row.integer(0)));
    left[owed.without(node).bits()].push_back(row.integer(0));
  };
  std::vector<SqlValue> ids;
  for (const IntentId id : done) ids.push_back(to_sql(id));
  const ListStatement select{"SELECT id, owed FROM intent WHERE id IN ",
                             tx.locking(" ORDER BY id FOR UPDATE")};
  GG_CO_CHECK(co_await run_over(tx.connection(), select, {}, ids, keep));
  GG_CO_CHECK(co_await run_over(tx.connection(),
                                ListStatement{"DELETE FROM owed WHERE node = ? AND intent IN "},
                                bound_values(node), ids));
  for (const auto& [owed, of] : left) {
    if (owed == 0)
      GG_CO_CHECK(
          co_await run_over(tx.connection(), ListStatement{"DELETE FROM intent WHERE id IN "}, {}, of));
    else
      GG_CO_CHECK(co_await run_over(tx.connection(), ListStatement{"UPDATE intent SET owed = ? WHERE id IN "},
                                    bound_values(NodeSet(owed)), of));
  }
  std::vector<bool> out;
  out.reserve(done.size());
  for (const IntentId id : done) out.push_back(struck.erase(id.value) > 0);
  co_return out;
}

}  // namespace geogrid
