// What disks owe: who does it, and when it is done.

#include <algorithm>

#include "base/path.hpp"
#include "meta/intent_rows.hpp"
#include "meta/path_overlap.hpp"
#include "meta/sql_store.hpp"

namespace geogrid {
namespace {

struct OwedPage {
  NodeIndex node;
  IntentId after;
  std::size_t limit = 0;
};
struct Take {
  NodeIndex node;
  LeaseOwner by;
  std::size_t limit = 0;
  std::int64_t hold = 0;
};
struct Done {
  NodeIndex node;
  std::vector<IntentId> ids;
};

result<Path> path_in(std::string_view text) {
  return text.empty() ? result<Path>(Path()) : Path::parse(text);
}

#define GG_INTENT_COLUMNS "i.id,i.kind,i.inode,i.path,i.new_path,i.at,i.at_ns,i.owed"

// Reads rows of GG_INTENT_COLUMNS.
class Intents {
 public:
  explicit Intents(std::vector<Intent>& out) : out_(out) {}
  void add(const SqlRow& row) {
    const auto path = path_in(row.bytes(3));
    const auto new_path = path_in(row.bytes(4));
    if (!path || !new_path) {
      parsed_ = fail(errc::internal, "the intent {} has no valid path", row.integer(0));
      return;
    }
    out_.push_back(Intent{
        IntentId(static_cast<std::uint64_t>(row.integer(0))), static_cast<IntentKind>(row.integer(1)),
        InodeId(static_cast<std::uint64_t>(row.integer(2))), *path, *new_path,
        Timestamp{row.integer(5), static_cast<std::int32_t>(row.integer(6))}, node_set(row.integer(7))});
  }
  const result<void>& parsed() const { return parsed_; }

 private:
  std::vector<Intent>& out_;
  result<void> parsed_;
};

task<result<void>> owed_rows(Tx& tx, const OwedPage& in, std::vector<Intent>& out) {
  Intents intents(out);
  const OnRow keep = [&](const SqlRow& row) { intents.add(row); };
  GG_CO_CHECK(co_await tx.each("SELECT " GG_INTENT_COLUMNS " FROM owed o JOIN intent i ON i.id = o.intent "
                               "WHERE o.node = ? AND o.intent > ? ORDER BY o.intent LIMIT ?",
                               keep, in.node, in.after, in.limit));
  co_return intents.parsed();
}

struct OwedRow {
  IntentId id;
  bool taken = false;  // by somebody else, who is at it
};

// The first rows of what the node owes, in order.
task<result<std::vector<OwedRow>>> first_rows(Tx& tx, const Take& in, std::string_view sql) {
  // So many of others' in front, and more, do not hide what is free.
  constexpr std::size_t kWindow = 4;
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  std::vector<OwedRow> rows;
  const OnRow keep = [&](const SqlRow& row) {
    const LeaseOwner taker(static_cast<std::uint64_t>(row.integer(1)));
    rows.push_back({IntentId(static_cast<std::uint64_t>(row.integer(0))),
                    taker.value != 0 && taker != in.by && row.integer(2) > now});
  };
  GG_CO_CHECK(co_await tx.each(sql, keep, in.node, kWindow * in.limit));
  co_return rows;
}

task<result<void>> is_any_free(Tx& tx, const Take& in, bool& out) {
  GG_CO_TRY(
      const auto rows,
      co_await first_rows(
          tx, in, "SELECT intent, taker, taken_until FROM owed WHERE node = ? ORDER BY intent LIMIT ?"));
  out = std::any_of(rows.begin(), rows.end(), [](const OwedRow& row) { return !row.taken; });
  co_return result<void>();
}

bool has_two_paths(const Intent& intent) {
  return intent.kind == IntentKind::rename || intent.kind == IntentKind::exchange;
}

// What is free and has nothing to do with what comes before it and is another's: the order among names that
// touch each other is kept.
std::vector<Intent> unrelated(const std::vector<OwedRow>& rows, std::vector<Intent> intents,
                              std::size_t limit) {
  std::vector<Intent> free;
  PathOverlap others;
  for (Intent& intent : intents) {
    const auto row = std::lower_bound(rows.begin(), rows.end(), intent.id,
                                      [](const OwedRow& r, IntentId id) { return r.id < id; });
    const bool two = has_two_paths(intent);
    const bool waits = row->taken || others.touches(intent.path) || (two && others.touches(intent.new_path));
    if (waits) {
      others.add(intent.path);
      if (two) others.add(intent.new_path);
    } else if (free.size() < limit) {
      free.push_back(std::move(intent));
    } else {
      break;
    }
  }
  return free;
}

task<result<void>> take_rows(Tx& tx, const Take& in, std::vector<Intent>& out) {
  // Only rows of `owed` are locked, so that this meets strike_off(), which locks intents first, in one place.
  GG_CO_TRY(
      const auto rows,
      co_await first_rows(tx, in,
                          tx.locking("SELECT intent, taker, taken_until FROM owed WHERE node = ? ORDER BY "
                                     "intent LIMIT ? FOR UPDATE")));
  std::vector<SqlValue> ids;
  for (const OwedRow& row : rows) ids.push_back(to_sql(row.id));
  if (ids.empty()) co_return result<void>();
  std::vector<Intent> found;
  Intents intents(found);
  const OnRow keep = [&](const SqlRow& row) { intents.add(row); };
  const ListStatement select{"SELECT " GG_INTENT_COLUMNS " FROM intent i WHERE i.id IN "};
  GG_CO_CHECK(co_await run_over(tx.connection(), select, {}, ids, keep));
  GG_CO_CHECK(intents.parsed());
  std::sort(found.begin(), found.end(), [](const Intent& a, const Intent& b) { return a.id < b.id; });
  out = unrelated(rows, std::move(found), in.limit);
  ids.clear();
  for (const Intent& intent : out) ids.push_back(to_sql(intent.id));
  if (ids.empty()) co_return result<void>();
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  const ListStatement take{"UPDATE owed SET taker = ?, taken_until = ? WHERE node = ? AND intent IN "};
  GG_CO_CHECK(co_await run_over(tx.connection(), take, bound_values(in.by, now + in.hold, in.node), ids));
  co_return result<void>();
}

task<result<void>> finish_rows(Tx& tx, const Done& in, std::vector<bool>& out) {
  GG_CO_TRY(out, co_await strike_off(tx, in.node, in.ids));
  co_return result<void>();
}

}  // namespace

task<result<std::vector<Intent>>> SqlStore::owed_by(NodeIndex node, IntentId after, std::size_t limit) {
  return read(owed_rows, OwedPage{node, after, limit});
}

task<result<std::vector<Intent>>> SqlStore::take_owed(NodeIndex node, LeaseOwner by, std::size_t limit,
                                                      std::chrono::seconds hold) {
  GG_CO_CHECK(check_batch(limit));
  if (by.value == 0) co_return fail(errc::invalid_argument, "what is owed is taken by somebody");
  const Take in{node, by, limit, hold.count()};
  // A poll that finds nothing must not take the write lock.
  GG_CO_TRY(const bool any, co_await read(is_any_free, in));
  if (!any || limit == 0) co_return std::vector<Intent>();
  co_return co_await write({}, take_rows, in);
}

task<result<std::vector<bool>>> SqlStore::finish_intents(NodeIndex node, std::vector<IntentId> ids) {
  GG_CO_CHECK(check_batch(ids.size()));
  if (ids.empty()) co_return std::vector<bool>();
  Done in{node, std::move(ids)};
  co_return co_await write({.exactly_once = true}, finish_rows, std::move(in));
}

task<result<void>> SqlStore::sync() {
  return driver_->sync();
}

}  // namespace geogrid
