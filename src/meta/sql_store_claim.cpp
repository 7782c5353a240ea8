// Counting copies, and ceasing to.

#include <unordered_map>

#include "base/path.hpp"
#include "meta/change_rows.hpp"
#include "meta/finding_rows.hpp"
#include "meta/inode_row.hpp"
#include "meta/intent_rows.hpp"
#include "meta/lease_rows.hpp"
#include "meta/proof_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/unhashed_rows.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

struct Claims {
  NodeIndex node;
  std::vector<CopyClaim> claims;
};
struct Withdrawals {
  NodeIndex node;
  std::vector<Withdrawal> withdrawals;
};
// The files of a batch, locked.
struct Rows {
  std::unordered_map<InodeId, Inode> by_id;
  std::unordered_map<InodeId, NodeSet> written;  ///< those that have writers: see being_written()

  /// Whether a writer may be replacing what the node holds.
  bool is_replaced(InodeId file, NodeIndex node) const {
    const auto found = written.find(file);
    return found != written.end() && found->second.contains(node);
  }
};

template <typename Entry>
task<result<Rows>> lock_rows(Tx& tx, const std::vector<Entry>& entries) {
  std::vector<InodeId> ids;
  ids.reserve(entries.size());
  for (const Entry& entry : entries) ids.push_back(entry.id);
  auto inodes = co_await lock_inodes(tx, ids);
  if (!inodes) co_return inodes.error();
  Rows rows;
  rows.by_id.reserve(inodes->size());
  for (Inode& inode : *inodes) rows.by_id.emplace(inode.id, std::move(inode));
  auto written = co_await being_written(tx, ids);
  if (!written) co_return written.error();
  rows.written = std::move(*written);
  co_return rows;
}

template <typename Entry>
task<result<void>> ask_owed(Tx& tx, NodeIndex node, const std::vector<Entry>& entries) {
  std::vector<Path> paths;
  paths.reserve(entries.size());
  for (const Entry& entry : entries) paths.push_back(entry.path);
  co_return co_await tx.ask_owed(node, std::move(paths));
}

// Whether what the node says of `path` and `version` is about the row as it is.
task<result<bool>> is_current(Tx& tx, NodeIndex node, const Inode& row, Version version, const Path& path) {
  if (!row.is_file() || row.state != ContentState::published || row.version != version) co_return false;
  if (path.is_root() || path.filename() != row.name) co_return false;
  GG_CO_TRY(const auto folder, co_await tx.path_of(row.parent));
  if (!folder || *folder != path.parent()) co_return false;
  GG_CO_TRY(const bool owed, co_await tx.owes(node, path));
  co_return !owed;
}

// What a batch changes, written at its end in few statements. Rows that it points to outlive it.
struct Effects {
  explicit Effects(Tx& transaction) : tx(transaction) {}
  Tx& tx;
  std::vector<const Inode*> changed;  // sets of nodes
  std::vector<const Inode*> hashed;   // digest filled in
  std::vector<NewIntent> outdated;    // older versions that nobody needs any more
};

task<result<void>> write_effects(Effects& effects) {
  Tx& tx = effects.tx;
  std::map<CopySets, std::vector<InodeId>> sets;
  std::vector<Inode> queue_rows;
  ChangeRows log(tx);
  for (const Inode* row : effects.changed) {
    sets[{row->replicas, row->older}].push_back(row->id);
    queue_rows.push_back(*row);
    log.add(ChangeKind::copies, *row);
  }
  std::vector<InodeId> hashed;
  for (const Inode* row : effects.hashed) {
    GG_CO_CHECK(co_await tx.run("UPDATE inode SET digest_algorithm = ?, digest = ? WHERE id = ?",
                                row->digest.algorithm, row->digest.bytes, row->id));
    hashed.push_back(row->id);
  }
  GG_CO_CHECK(co_await drop_unhashed(tx, hashed));
  GG_CO_CHECK(co_await write_copy_sets(tx, sets));
  WorkQueue queue(tx);
  if (!queue_rows.empty()) GG_CO_CHECK(co_await queue.remake(queue_rows));
  for (NewIntent& intent : effects.outdated) GG_CO_CHECK(co_await put_intent(tx, std::move(intent)));
  co_return co_await log.flush();
}

// Whose bytes may say what the digest is: those of a copy that counts. Where none does, of one that is not
// known to be of another version.
bool may_fill(const Inode& row, NodeIndex node) {
  return row.replicas.contains(node) || (row.replicas.empty() && !row.older.contains(node));
}

// Once a file has its copies, older versions of it on nodes that need none go to trash there.
task<result<void>> give_up_older(Effects& effects, Inode& row, Path path) {
  if (row.older.empty() || row.replicas.size() < row.replica_target) co_return result<void>();
  GG_CO_TRY(const NodeSet living, co_await effects.tx.living_nodes());
  GG_CO_TRY(const std::int64_t now, co_await effects.tx.now());
  NewIntent intent;
  intent.kind = IntentKind::remove;
  intent.inode = row.id;
  intent.path = std::move(path);
  intent.when.seconds = now;
  intent.owed = row.older & living;
  row.older = NodeSet();
  effects.outdated.push_back(std::move(intent));
  co_return result<void>();
}

task<result<ClaimOutcome>> count_copy(const CopyClaim& claim, NodeIndex node, Rows& rows, Effects& effects) {
  const auto found = rows.by_id.find(claim.id);
  if (found == rows.by_id.end()) co_return ClaimOutcome::stale;
  // What was checked may not lie there any more.
  if (rows.is_replaced(claim.id, node)) co_return ClaimOutcome::stale;
  Inode& row = found->second;
  GG_CO_TRY(const bool current, co_await is_current(effects.tx, node, row, claim.version, claim.path));
  if (!current) co_return ClaimOutcome::stale;
  if (row.size != claim.size) co_return ClaimOutcome::mismatch;
  const bool first_digest = row.digest.pending();
  if (first_digest && !may_fill(row, node)) co_return ClaimOutcome::stale;
  if (!first_digest && row.digest != claim.digest) co_return ClaimOutcome::mismatch;
  const bool counted_before = row.replicas.contains(node) && !row.older.contains(node);
  row.replicas = row.replicas.with(node);
  row.older = row.older.without(node);
  row.digest = claim.digest;
  if (first_digest) effects.hashed.push_back(&row);
  if (first_digest || !counted_before) effects.changed.push_back(&row);
  // A writer may be about to replace them, or to give them back.
  const bool at_rest = !rows.written.contains(row.id);
  if (!counted_before && at_rest) GG_CO_CHECK(co_await give_up_older(effects, row, claim.path));
  co_return ClaimOutcome::counted;
}

// The claims on work are done with, whatever became of them; what was found at a path is settled by a good
// copy there.
task<result<void>> finish_claims(Tx& tx, const Claims& in, const std::vector<ClaimOutcome>& outcomes,
                                 const Rows& rows) {
  std::vector<InodeId> ids;
  std::vector<InodeId> folders;
  std::vector<Path> good;
  for (std::size_t i = 0; i < in.claims.size(); ++i) {
    ids.push_back(in.claims[i].id);
    if (outcomes[i] != ClaimOutcome::counted) continue;
    folders.push_back(rows.by_id.at(in.claims[i].id).parent);
    good.push_back(in.claims[i].path);
  }
  GG_CO_CHECK(co_await run_over(tx.connection(),
                                ListStatement{"DELETE FROM claim WHERE node = ? AND file IN "},
                                bound_values(in.node), to_sql(ids)));
  GG_CO_CHECK(co_await settle_paths(tx, in.node, std::move(good)));
  co_return co_await begin_proof(tx, in.node, std::move(folders));
}

task<result<void>> claim_rows(Tx& tx, const Claims& in, std::vector<ClaimOutcome>& out) {
  GG_CO_TRY(const NodeSet living, co_await tx.living_nodes());
  if (!living.contains(in.node))
    co_return fail(errc::not_found, "no storage node has the index {}", in.node.value);
  GG_CO_TRY(Rows rows, co_await lock_rows(tx, in.claims));
  GG_CO_CHECK(co_await ask_owed(tx, in.node, in.claims));
  Effects effects(tx);
  for (const CopyClaim& claim : in.claims) {
    GG_CO_TRY(const ClaimOutcome outcome, co_await count_copy(claim, in.node, rows, effects));
    out.push_back(outcome);
  }
  GG_CO_CHECK(co_await write_effects(effects));
  co_return co_await finish_claims(tx, in, out, rows);
}

task<result<void>> withdraw_rows(Tx& tx, const Withdrawals& in, std::vector<bool>& out) {
  GG_CO_CHECK(co_await tx.living_nodes());  // before the rows, as everywhere
  GG_CO_TRY(Rows rows, co_await lock_rows(tx, in.withdrawals));
  GG_CO_CHECK(co_await ask_owed(tx, in.node, in.withdrawals));
  Effects effects(tx);
  std::vector<Finding> findings;
  std::vector<InodeId> withdrawn;
  for (const Withdrawal& w : in.withdrawals) {
    const auto found = rows.by_id.find(w.id);
    bool current = false;
    // Between a writer's rename and its publish() other bytes lie there, rightly.
    if (found != rows.by_id.end() && !rows.written.contains(w.id)) {
      GG_CO_TRY(current, co_await is_current(tx, in.node, found->second, w.version, w.path));
    }
    out.push_back(current);
    if (!current) continue;
    Inode& row = found->second;
    if (row.replicas.contains(in.node)) {
      row.replicas = row.replicas.without(in.node);
      effects.changed.push_back(&row);
      withdrawn.push_back(w.id);
    }
    findings.push_back(Finding{w.reason, in.node, w.path, w.detail, {}, {}});
  }
  GG_CO_CHECK(co_await write_effects(effects));
  GG_CO_CHECK(co_await run_over(tx.connection(),
                                ListStatement{"DELETE FROM proved_file WHERE node = ? AND file IN "},
                                bound_values(in.node), to_sql(withdrawn)));
  co_return co_await report_findings(tx, findings);
}

}  // namespace

task<result<std::vector<ClaimOutcome>>> SqlStore::claim_copies(NodeIndex node, std::vector<CopyClaim> claims,
                                                               bool durable) {
  GG_CO_CHECK(check_batch(claims.size()));
  for (const CopyClaim& claim : claims)
    if (claim.digest.pending())
      co_return fail(errc::invalid_argument, "a copy of {} was reported without a digest",
                     printable(claim.path.str()));
  if (claims.empty()) co_return std::vector<ClaimOutcome>();
  Claims in{node, std::move(claims)};
  co_return co_await record({.durable = durable}, claim_rows, std::move(in));
}

task<result<std::vector<bool>>> SqlStore::withdraw_copies(NodeIndex node,
                                                          std::vector<Withdrawal> withdrawals) {
  GG_CO_CHECK(check_batch(withdrawals.size()));
  if (withdrawals.empty()) co_return std::vector<bool>();
  Withdrawals in{node, std::move(withdrawals)};
  co_return co_await record({}, withdraw_rows, std::move(in));
}

}  // namespace geogrid
