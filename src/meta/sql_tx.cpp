#include "meta/sql_tx.hpp"

#include "base/digest.hpp"

namespace geogrid {
namespace {

// Rows that one statement climbs: well below MariaDB's max_recursive_iterations.
constexpr int kClimb = 200;

}  // namespace

std::string path_key(const Path& path) {
  return digest_of(path.str()).bytes;
}

task<result<std::int64_t>> Tx::now() {
  if (!now_) {
    GG_CO_TRY(now_, co_await integer(pick("SELECT unixepoch()", "SELECT UNIX_TIMESTAMP()")));
  }
  co_return now_.value_or(0);
}

task<result<void>> Tx::load_places(InodeId id) {
  const OnRow keep = [this](const SqlRow& row) {
    const InodeId at(static_cast<std::uint64_t>(row.integer(0)));
    places_[at] = TreePlace{at, InodeId(static_cast<std::uint64_t>(row.integer(1))),
                            std::string(row.bytes(2)), static_cast<FileType>(row.integer(3)),
                            ChangeId(static_cast<std::uint64_t>(row.integer(4)))};
  };
  // Where a statement is no journey, many small ones cost less. Only in a transaction (which has an origin)
  // do they see one state of the tree.
  if (!on_mariadb() && origin_.value != 0) {
    GG_CO_CHECK(co_await each("SELECT id, parent, name, type, moved FROM inode WHERE id = ?", keep, id));
    co_return result<void>();
  }
  GG_CO_CHECK(co_await each(
      "WITH RECURSIVE up (id, parent, name, type, moved, depth) AS ("
      "SELECT id, parent, name, type, moved, 0 FROM inode WHERE id = ? UNION ALL "
      "SELECT i.id, i.parent, i.name, i.type, i.moved, up.depth + 1 FROM up JOIN inode i ON i.id = up.parent "
      "WHERE up.id <> 1 AND up.depth < ?) SELECT id, parent, name, type, moved FROM up",
      keep, id, kClimb));
  co_return result<void>();
}

task<result<std::optional<std::vector<const TreePlace*>>>> Tx::way_up(InodeId id) {
  std::vector<const TreePlace*> way;
  while (id != kRootInode) {
    auto place = places_.find(id);
    if (place == places_.end()) {
      GG_CO_CHECK(co_await load_places(id));
      place = places_.find(id);
      if (place == places_.end()) co_return std::nullopt;
    }
    way.push_back(&place->second);
    id = place->second.parent;
  }
  co_return way;
}

task<result<std::optional<Path>>> Tx::path_of(InodeId id) {
  if (const auto known = paths_.find(id); known != paths_.end()) co_return known->second;
  GG_CO_TRY(const auto way, co_await way_up(id));
  if (!way) co_return std::nullopt;
  std::string text;
  for (auto place = way->rbegin(); place != way->rend(); ++place) text.append("/").append((*place)->name);
  GG_CO_TRY(Path path, Path::parse(text));
  paths_.emplace(id, path);
  co_return path;
}

task<result<void>> Tx::load_nodes() {
  std::vector<PlacementNode> nodes;
  NodeSet living;
  const OnRow keep = [&](const SqlRow& row) {
    const NodeIndex index(static_cast<std::uint8_t>(row.integer(0)));
    const auto state = static_cast<NodeState>(row.integer(1));
    if (state == NodeState::retired) return;
    living = living.with(index);
    PlacementNode node;
    node.index = index;
    node.takes_copies = state == NodeState::joining || state == NodeState::active;
    node.zone = row.bytes(2);
    node.weight = static_cast<double>(row.integer(3)) / 1e6;
    nodes.push_back(std::move(node));
  };
  GG_CO_CHECK(co_await each(locking("SELECT number, state, zone, weight_millionths FROM node WHERE kind = 1 "
                                    "ORDER BY number LOCK IN SHARE MODE"),
                            keep));
  nodes_ = std::move(nodes);
  living_ = living;
  co_return result<void>();
}

task<result<const std::vector<PlacementNode>*>> Tx::placement_nodes() {
  if (!nodes_) GG_CO_CHECK(co_await load_nodes());
  co_return &*nodes_;
}

task<result<NodeSet>> Tx::living_nodes() {
  if (!nodes_) GG_CO_CHECK(co_await load_nodes());
  co_return living_;
}

task<result<bool>> Tx::owes_at(NodeIndex node, const Path& path) {
  const auto known = owes_at_.find({node, path});
  if (known != owes_at_.end()) co_return known->second;
  const std::string key = path_key(path);
  GG_CO_TRY(const auto found,
            co_await integer(
                "SELECT 1 FROM intent i JOIN owed o ON o.intent = i.id AND o.node = ? WHERE i.path_key = ? "
                "UNION ALL SELECT 1 FROM intent i JOIN owed o ON o.intent = i.id AND o.node = ? "
                "WHERE i.new_path_key = ? LIMIT 1",
                node, key, node, key));
  owes_at_.emplace(std::pair(node, path), found.has_value());
  co_return found.has_value();
}

task<result<bool>> Tx::owes_anything(NodeIndex node) {
  const auto known = owes_anything_.find(node);
  if (known != owes_anything_.end()) co_return known->second;
  GG_CO_TRY(const auto found, co_await integer("SELECT 1 FROM owed WHERE node = ? LIMIT 1", node));
  owes_anything_.emplace(node, found.has_value());
  co_return found.has_value();
}

task<result<bool>> Tx::owes(NodeIndex node, Path path) {
  GG_CO_TRY(const bool anything, co_await owes_anything(node));
  if (!anything) co_return false;
  for (;;) {
    GG_CO_TRY(const bool here, co_await owes_at(node, path));
    if (here || path.is_root()) co_return here;
    path = path.parent();
  }
}

task<result<NodeSet>> Tx::owing(NodeSet nodes, Path path) {
  NodeSet debtors;
  for (const NodeIndex node : nodes) {
    GG_CO_TRY(const bool anything, co_await owes_anything(node));
    if (anything) debtors = debtors.with(node);
  }
  if (debtors.empty()) co_return debtors;
  std::vector<std::string> keys;
  for (; !path.is_root(); path = path.parent()) keys.push_back(path_key(path));
  std::vector<SqlValue> bound;
  for (const std::string& key : keys) bound.push_back(to_sql(key));
  NodeSet found;
  const OnRow keep = [&](const SqlRow& row) { found = found | node_set(row.integer(0)); };
  const ListStatement from{"SELECT owed FROM intent WHERE path_key IN "};
  const ListStatement to{"SELECT owed FROM intent WHERE new_path_key IN "};
  GG_CO_CHECK(co_await run_over(connection_, from, {}, bound, keep));
  GG_CO_CHECK(co_await run_over(connection_, to, {}, bound, keep));
  co_return found& debtors;
}

task<result<void>> Tx::ask_owed(NodeIndex node, std::vector<Path> paths) {
  GG_CO_TRY(const bool anything, co_await owes_anything(node));
  if (!anything) co_return result<void>();
  std::vector<std::string> keys;
  keys.reserve(paths.size());
  for (const Path& path : paths) keys.push_back(path_key(path));
  std::vector<SqlValue> bound;
  for (const std::string& key : keys) bound.push_back(to_sql(key));
  std::set<std::string, std::less<>> owed;
  const OnRow keep = [&](const SqlRow& row) { owed.emplace(row.bytes(0)); };
  const ListStatement from{
      "SELECT i.path_key FROM intent i JOIN owed o ON o.intent = i.id AND o.node = ? "
      "WHERE i.path_key IN "};
  const ListStatement to{
      "SELECT i.new_path_key FROM intent i JOIN owed o ON o.intent = i.id AND o.node = ? "
      "WHERE i.new_path_key IN "};
  GG_CO_CHECK(co_await run_over(connection_, from, bound_values(node), bound, keep));
  GG_CO_CHECK(co_await run_over(connection_, to, bound_values(node), bound, keep));
  for (std::size_t i = 0; i < paths.size(); ++i) owes_at_[{node, paths[i]}] = owed.contains(keys[i]);
  co_return result<void>();
}

}  // namespace geogrid
