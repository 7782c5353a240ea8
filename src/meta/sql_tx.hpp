#pragma once
// What one transaction (or one read) of the rules has at hand: statements with typed values, and what it has
// read already.

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "meta/records.hpp"
#include "meta/sql_text.hpp"
#include "policy/placement.hpp"
#include "policy/storage_class.hpp"

namespace geogrid {

/// The same for all transactions of a store.
struct StoreContext {
  SqlDialect dialect = SqlDialect::sqlite;
  Origin origin;   ///< of what NamespaceStore changes
  Origin workers;  ///< of all else
  std::shared_ptr<const StorageClasses> classes;
};

/// Where a row hangs in the tree.
struct TreePlace {
  InodeId id;
  InodeId parent;
  std::string name;
  FileType type = FileType::folder;
  ChangeId moved;  ///< a folder's last move
};

/// A key of fixed size for paths, which have no limit: their md5, taken for unique.
std::string path_key(const Path& path);

/// Lives as long as one run of a transaction's body. What it keeps is what the transaction read; a body that
/// changes the tree asks for paths first.
class Tx {
 public:
  /// Changes are logged as `origin`'s.
  Tx(SqlConnection& connection, const StoreContext& context, Origin origin)
      : connection_(connection), context_(context), origin_(origin) {}
  Tx(const Tx&) = delete;
  Tx& operator=(const Tx&) = delete;

  SqlConnection& connection() { return connection_; }
  const StoreContext& context() const { return context_; }
  Origin origin() const { return origin_; }
  bool on_mariadb() const { return context_.dialect == SqlDialect::mariadb; }
  std::string_view pick(std::string_view sqlite, std::string_view mariadb) const {
    return on_mariadb() ? mariadb : sqlite;
  }
  std::string_view locking(std::string_view sql) const { return geogrid::locking(context_.dialect, sql); }

  /// Runs a statement and hands each row to `on_row`, a named object of the caller's.
  template <typename... Values>
  task<result<SqlOutcome>> each(std::string_view sql, const OnRow& on_row, Values... values) {
    const std::array<SqlValue, sizeof...(Values)> bound{to_sql(values)...};
    co_return co_await connection_.run(sql, std::span<const SqlValue>(bound), on_row);
  }
  template <typename... Values>
  task<result<SqlOutcome>> run(std::string_view sql, Values... values) {
    const std::array<SqlValue, sizeof...(Values)> bound{to_sql(values)...};
    const OnRow none;
    co_return co_await connection_.run(sql, std::span<const SqlValue>(bound), none);
  }
  /// The first column of the first row; none if there is no row.
  template <typename... Values>
  task<result<std::optional<std::int64_t>>> integer(std::string_view sql, Values... values) {
    const std::array<SqlValue, sizeof...(Values)> bound{to_sql(values)...};
    std::optional<std::int64_t> value;
    const OnRow keep = [&value](const SqlRow& row) { value = row.integer(0); };
    GG_CO_CHECK(co_await connection_.run(sql, std::span<const SqlValue>(bound), keep));
    co_return value;
  }

  /// Seconds since 1970 by the database's clock, the one that leases and claims are measured by.
  task<result<std::int64_t>> now();

  /// The path of a row; none if it, or a folder above it, is gone.
  task<result<std::optional<Path>>> path_of(InodeId id);
  /// The rows from `id` up to the root (without it); none as above. Valid until the next call.
  task<result<std::optional<std::vector<const TreePlace*>>>> way_up(InodeId id);

  /// The storage nodes that may take copies, locked against changes until the end.
  task<result<const std::vector<PlacementNode>*>> placement_nodes();
  /// Storage nodes that are not retired.
  task<result<NodeSet>> living_nodes();

  /// Whether the node still owes something on disk at the path, or at one above it.
  task<result<bool>> owes(NodeIndex node, Path path);
  /// Those of the nodes that still owe something there.
  task<result<NodeSet>> owing(NodeSet nodes, Path path);
  /// Whether the node owes anything at all.
  task<result<bool>> owes_anything(NodeIndex node);
  /// Asks about many paths (not those above them) in few statements, so that owes() need not one by one.
  task<result<void>> ask_owed(NodeIndex node, std::vector<Path> paths);

 private:
  task<result<void>> load_places(InodeId id);
  task<result<void>> load_nodes();
  task<result<bool>> owes_at(NodeIndex node, const Path& path);

  SqlConnection& connection_;
  const StoreContext& context_;
  const Origin origin_;
  std::optional<std::int64_t> now_;
  std::unordered_map<InodeId, TreePlace> places_;
  std::unordered_map<InodeId, Path> paths_;
  std::optional<std::vector<PlacementNode>> nodes_;
  NodeSet living_;
  std::map<NodeIndex, bool> owes_anything_;
  std::map<std::pair<NodeIndex, Path>, bool> owes_at_;
};

}  // namespace geogrid
