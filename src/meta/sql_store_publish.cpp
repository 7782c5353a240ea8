// New content of files.

#include <algorithm>

#include "meta/change_rows.hpp"
#include "meta/inode_row.hpp"
#include "meta/lease_rows.hpp"
#include "meta/proof_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"
#include "meta/unhashed_rows.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

struct Beginning {
  InodeId file;
  LeaseOwner owner;
  NodeSet nodes;
  std::chrono::seconds lease{0};
};
struct Cancellation {
  InodeId file;
  LeaseOwner owner;
  NodeSet nodes;
  Version version;
};

// Also the first of the locks: nodes come before rows.
task<result<void>> check_nodes(Tx& tx, NodeSet nodes) {
  GG_CO_TRY(const NodeSet living, co_await tx.living_nodes());
  const NodeSet strange = nodes - living;
  if (!strange.empty())
    co_return fail(errc::refused, "no storage node in use has the index {}", strange.first().value);
  co_return result<void>();
}

task<result<Inode>> lock_file(Tx& tx, InodeId id) {
  GG_CO_TRY(Inode inode, co_await lock_inode(tx, id));
  if (inode.is_folder()) co_return fail(errc::is_a_folder, "number {} is a folder", id.value);
  if (!inode.is_file()) co_return fail(errc::invalid_argument, "number {} is no regular file", id.value);
  co_return inode;
}

// Who holds it has changed, and the queue and those who listen follow.
task<result<void>> write_copies(Tx& tx, const Inode& row) {
  std::map<CopySets, std::vector<InodeId>> sets;
  sets[{row.replicas, row.older}].push_back(row.id);
  GG_CO_CHECK(co_await write_copy_sets(tx, sets));
  WorkQueue queue(tx);
  GG_CO_CHECK(co_await queue.remake(std::span<const Inode>(&row, 1)));
  ChangeRows log(tx);
  log.add(ChangeKind::copies, row);
  co_return co_await log.flush();
}

task<result<void>> begin_row(Tx& tx, const Beginning& in, PublicationPlace& out) {
  GG_CO_CHECK(co_await check_nodes(tx, in.nodes));
  GG_CO_TRY(out.inode, co_await lock_file(tx, in.file));
  Inode& row = out.inode;
  GG_CO_TRY(const auto folder, co_await tx.path_of(row.parent));
  if (!folder) co_return fail(errc::not_found, "a folder above number {} is gone", in.file.value);
  out.path = folder->child(row.name);
  GG_CO_TRY(out.owing, co_await tx.owing(in.nodes, out.path));
  const NodeSet asked = in.nodes - out.owing;
  const NodeSet withdrawn = row.replicas & asked;
  const Begun begun{in.owner, row.version, withdrawn, asked};
  GG_CO_CHECK(co_await put_begun(tx, in.file, begun, in.lease));
  if (withdrawn.empty()) co_return result<void>();
  row.replicas = row.replicas - withdrawn;
  row.older = row.older | withdrawn;
  co_return co_await write_copies(tx, row);
}

// Whether the bytes lie where they belong, and will stay there.
task<result<bool>> is_in_place(Tx& tx, const Inode& row, const Publication& in) {
  GG_CO_TRY(const auto folder, co_await tx.path_of(row.parent));
  if (!folder || folder->child(row.name) != in.path) co_return false;
  GG_CO_TRY(const NodeSet owing, co_await tx.owing(in.replicas, in.path));
  co_return owing.empty();
}

// Whether another writer recorded a version since this one began, on a node that this one placed its bytes on
// too: whose bytes lie there now, only a new beginning can tell.
task<result<bool>> is_overtaken(Tx& tx, const Publication& in, const Inode& row) {
  if (((row.replicas | row.older) & in.replicas).empty()) co_return false;
  GG_CO_TRY(const std::vector<Begun> all, co_await begun_on(tx, in.id));
  const auto mine =
      std::find_if(all.begin(), all.end(), [&](const Begun& begun) { return begun.owner == in.owner; });
  co_return mine != all.end() && mine->version != row.version;
}

void take_content(Inode& row, const Publication& in) {
  const NodeSet held = row.replicas | row.older;
  row.older = held - in.replicas;
  row.replicas = in.replicas;
  row.backups = NodeSet();
  row.state = ContentState::published;
  row.version = Version(row.version.value + 1);
  row.size = in.size;
  row.digest = in.digest;
  row.attributes.mtime = in.mtime;
  row.attributes.ctime = std::max(row.attributes.ctime, in.ctime);
}

task<result<void>> write_content(Tx& tx, const Inode& row) {
  const Attributes& a = row.attributes;
  GG_CO_CHECK(co_await tx.run(
      "UPDATE inode SET state = ?, version = ?, size = ?, digest_algorithm = ?, digest = ?, mtime = ?, "
      "mtime_ns = ?, ctime = ?, "
      "ctime_ns = ?, replicas = ?, replica_count = ?, older = ?, backups = 0, backup_count = 0 WHERE id = ?",
      row.state, row.version, row.size, row.digest.algorithm, row.digest.bytes, a.mtime.seconds,
      a.mtime.nanoseconds, a.ctime.seconds, a.ctime.nanoseconds, row.replicas, row.replicas.size(), row.older,
      row.id));
  co_return result<void>();
}

task<result<void>> publish_row(Tx& tx, const Publication& in, Published& out) {
  GG_CO_CHECK(co_await check_nodes(tx, in.replicas));
  GG_CO_TRY(out.inode, co_await lock_file(tx, in.id));
  Inode& row = out.inode;
  GG_CO_TRY(out.recorded, co_await is_in_place(tx, row, in));
  if (!out.recorded) co_return result<void>();
  GG_CO_TRY(const bool overtaken, co_await is_overtaken(tx, in, row));
  if (overtaken) {
    out.recorded = false;
    co_return result<void>();
  }
  GG_CO_TRY(const bool held, co_await end_lease(tx, in.id, in.owner));
  if (!held) co_return fail(errc::stale, "the lease on number {} is gone", in.id.value);
  const bool was_published = row.state == ContentState::published;
  const bool was_unhashed = was_published && row.digest.pending();
  out.base_was_stale = row.version != in.base;
  out.displaced = row.replicas | row.older;
  take_content(row, in);
  GG_CO_CHECK(co_await write_content(tx, row));
  if (row.digest.pending() != was_unhashed) GG_CO_CHECK(co_await note_unhashed(tx, row));
  // Copies under way are of the version before.
  if (was_published) GG_CO_CHECK(co_await tx.run("DELETE FROM claim WHERE file = ?", row.id));
  WorkQueue queue(tx);
  if (was_published) GG_CO_CHECK(co_await queue.drop(std::vector<InodeId>(1, row.id)));
  GG_CO_CHECK(co_await queue.prepare());
  queue.add(row);
  GG_CO_CHECK(co_await queue.flush());
  GG_CO_CHECK(co_await begin_proofs(tx, row.replicas, row.parent));
  ChangeRows log(tx);
  log.add(ChangeKind::content, row);
  co_return co_await log.flush();
}

// What `ended` had withdrawn and did not touch. Where another writer may be at work by now, that writer gets
// to know what to give back.
task<result<NodeSet>> untouched(Tx& tx, const Begun& ended, const Cancellation& in) {
  NodeSet rest = ended.withdrawn & in.nodes;
  GG_CO_TRY(const std::vector<Begun> others, co_await begun_on(tx, in.file));
  for (const Begun& other : others) {
    const NodeSet his = rest & other.asked;
    rest = rest - other.asked;
    if (his.empty() || other.version != in.version) continue;
    GG_CO_CHECK(co_await tx.run("UPDATE lease SET withdrawn = ? WHERE file = ? AND owner = ?",
                                other.withdrawn | his, in.file, other.owner));
  }
  co_return rest;
}

task<result<void>> cancel_row(Tx& tx, const Cancellation& in, Nothing&) {
  GG_CO_TRY(const NodeSet living, co_await tx.living_nodes());
  auto row = co_await lock_with_parent(tx, in.file);
  if (!row && row.error().is(errc::not_found)) co_return result<void>();
  if (!row) co_return row.error();
  GG_CO_TRY(const std::vector<Begun> all, co_await begun_on(tx, in.file));
  const auto mine =
      std::find_if(all.begin(), all.end(), [&](const Begun& begun) { return begun.owner == in.owner; });
  if (mine == all.end()) co_return result<void>();
  GG_CO_CHECK(co_await end_lease(tx, in.file, in.owner));
  GG_CO_TRY(const bool dropped, co_await drop_if_unwanted(tx, *row));
  if (dropped || row->version != in.version || mine->version != in.version) co_return result<void>();
  GG_CO_TRY(const NodeSet rest, co_await untouched(tx, *mine, in));
  const NodeSet back = rest & row->older & living;
  if (back.empty()) co_return result<void>();
  row->replicas = row->replicas | back;
  row->older = row->older - back;
  co_return co_await write_copies(tx, *row);
}

}  // namespace

task<result<PublicationPlace>> SqlStore::begin_publication(InodeId id, LeaseOwner owner, NodeSet nodes,
                                                           std::chrono::seconds lease) {
  if (owner.value == 0) co_return fail(errc::invalid_argument, "a lease needs an owner");
  Beginning in{id, owner, nodes, lease};
  co_return co_await write({}, begin_row, std::move(in));
}

task<result<Published>> SqlStore::publish(Publication publication, bool durable) {
  if (publication.replicas.empty())
    co_return fail(errc::invalid_argument, "content that lies on no node cannot be published");
  co_return co_await write({.durable = durable, .exactly_once = true}, publish_row, std::move(publication));
}

task<result<void>> SqlStore::cancel_publication(InodeId id, LeaseOwner owner, NodeSet nodes,
                                                Version version) {
  Cancellation in{id, owner, nodes, version};
  GG_CO_CHECK(co_await write({}, cancel_row, std::move(in)));
  co_return result<void>();
}

}  // namespace geogrid
