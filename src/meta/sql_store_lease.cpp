// Writers: their leases, and what they publish.

#include <algorithm>

#include "meta/change_rows.hpp"
#include "meta/lease_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

struct Hold {
  InodeId file;
  LeaseOwner owner;
  std::chrono::seconds lease{0};
};

Error no_file(const Inode& inode) {
  if (inode.is_folder()) return fail(errc::is_a_folder, "number {} is a folder", inode.id.value);
  return fail(errc::invalid_argument, "number {} is no regular file", inode.id.value);
}

task<result<void>> open_row(Tx& tx, const Hold& in, Inode& out) {
  GG_CO_TRY(out, co_await lock_inode(tx, in.file));
  if (!out.is_file()) co_return no_file(out);
  co_return co_await put_lease(tx, in.file, in.owner, in.lease);
}

task<result<void>> renew_rows(Tx& tx, const Hold& in, Nothing&) {
  GG_CO_CHECK(co_await tx.run(tx.pick("UPDATE lease SET expires = unixepoch() + ? WHERE owner = ?",
                                      "UPDATE lease SET expires = UNIX_TIMESTAMP() + ? WHERE owner = ?"),
                              in.lease.count(), in.owner));
  co_return result<void>();
}

// A file that was never published goes with its last lease. True if it went.
task<result<bool>> drop_if_unwanted(Tx& tx, const Inode& inode) {
  if (!inode.is_file() || inode.state != ContentState::pending) co_return false;
  GG_CO_TRY(const auto other, co_await tx.integer("SELECT 1 FROM lease WHERE file = ? LIMIT 1", inode.id));
  if (other) co_return false;
  GG_CO_CHECK(co_await remove_row(tx, inode));
  co_return true;
}

task<result<void>> abandon_row(Tx& tx, const Hold& in, Nothing&) {
  const auto inode = co_await lock_with_parent(tx, in.file);
  if (!inode && inode.error().is(errc::not_found)) co_return result<void>();
  if (!inode) co_return inode.error();
  GG_CO_CHECK(co_await tx.run("DELETE FROM lease WHERE file = ? AND owner = ?", in.file, in.owner));
  GG_CO_CHECK(co_await drop_if_unwanted(tx, *inode));
  co_return result<void>();
}

task<result<void>> expire_rows(Tx& tx, const std::size_t& limit, std::vector<Inode>& out) {
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  std::vector<Hold> expired;
  const OnRow keep = [&](const SqlRow& row) {
    expired.push_back({InodeId(static_cast<std::uint64_t>(row.integer(0))),
                       LeaseOwner(static_cast<std::uint64_t>(row.integer(1))),
                       {}});
  };
  GG_CO_CHECK(co_await tx.each("SELECT file, owner FROM lease WHERE expires <= ? ORDER BY expires LIMIT ?",
                               keep, now, limit));
  for (const Hold& hold : expired) {
    const auto inode = co_await lock_with_parent(tx, hold.file);
    if (!inode && !inode.error().is(errc::not_found)) co_return inode.error();
    // It may have been renewed while the rows were being locked.
    GG_CO_TRY(const SqlOutcome gone,
              co_await tx.run("DELETE FROM lease WHERE file = ? AND owner = ? AND expires <= ?", hold.file,
                              hold.owner, now));
    if (gone.rows == 0 || !inode) continue;
    GG_CO_TRY(const bool dropped, co_await drop_if_unwanted(tx, *inode));
    if (dropped) out.push_back(*inode);
  }
  co_return result<void>();
}

task<result<void>> publish_row(Tx& tx, const Publication& in, Published& out) {
  GG_CO_TRY(Inode row, co_await lock_inode(tx, in.id));
  if (!row.is_file()) co_return no_file(row);
  GG_CO_TRY(const bool held, co_await has_lease(tx, in.id, in.owner));
  if (!held) co_return fail(errc::stale, "the lease on number {} is gone", in.id.value);
  out.base_was_stale = row.version != in.base;
  out.displaced = row.replicas | row.older;
  row.older = out.displaced - in.replicas;
  row.replicas = in.replicas;
  row.backups = NodeSet();
  row.state = ContentState::published;
  row.version = Version(row.version.value + 1);
  row.size = in.size;
  row.digest = in.digest;
  row.attributes.mtime = in.mtime;
  row.attributes.ctime = std::max(row.attributes.ctime, in.mtime);
  const Attributes& a = row.attributes;
  GG_CO_CHECK(co_await tx.run(
      "UPDATE inode SET state = ?, version = ?, size = ?, digest_algorithm = ?, digest = ?, mtime = ?, "
      "mtime_ns = ?, ctime = ?, "
      "ctime_ns = ?, replicas = ?, replica_count = ?, older = ?, backups = 0, backup_count = 0 WHERE id = ?",
      row.state, row.version, row.size, row.digest.algorithm, row.digest.bytes, a.mtime.seconds,
      a.mtime.nanoseconds, a.ctime.seconds, a.ctime.nanoseconds, row.replicas, row.replicas.size(), row.older,
      row.id));
  // Copies under way are of the version before.
  GG_CO_CHECK(co_await tx.run("DELETE FROM claim WHERE file = ?", row.id));
  WorkQueue queue(tx);
  GG_CO_CHECK(co_await queue.remake(std::span<const Inode>(&row, 1)));
  ChangeRows log(tx);
  log.add(ChangeKind::content, row);
  GG_CO_CHECK(co_await log.flush());
  out.inode = std::move(row);
  co_return result<void>();
}

}  // namespace

task<result<void>> put_lease(Tx& tx, InodeId file, LeaseOwner owner, std::chrono::seconds lease) {
  GG_CO_CHECK(
      co_await tx.run(tx.pick("INSERT INTO lease (file,owner,expires) VALUES (?,?,unixepoch() + ?) "
                              "ON CONFLICT (file,owner) DO UPDATE SET expires = excluded.expires",
                              "INSERT INTO lease (file,owner,expires) VALUES (?,?,UNIX_TIMESTAMP() + ?) "
                              "ON DUPLICATE KEY UPDATE expires = VALUES(expires)"),
                      file, owner, lease.count()));
  co_return result<void>();
}

task<result<bool>> has_lease(Tx& tx, InodeId file, LeaseOwner owner) {
  GG_CO_TRY(const auto row,
            co_await tx.integer("SELECT 1 FROM lease WHERE file = ? AND owner = ?", file, owner));
  co_return row.has_value();
}

task<result<Inode>> SqlStore::open_for_write(InodeId id, LeaseOwner owner, std::chrono::seconds lease) {
  if (owner.value == 0) co_return fail(errc::invalid_argument, "a lease needs an owner");
  Hold in{id, owner, lease};
  co_return co_await write({}, open_row, std::move(in));
}

task<result<void>> SqlStore::renew_leases(LeaseOwner owner, std::chrono::seconds lease) {
  Hold in{InodeId(), owner, lease};
  GG_CO_CHECK(co_await write({}, renew_rows, std::move(in)));
  co_return result<void>();
}

task<result<void>> SqlStore::abandon(InodeId id, LeaseOwner owner) {
  Hold in{id, owner, {}};
  GG_CO_CHECK(co_await write({}, abandon_row, std::move(in)));
  co_return result<void>();
}

task<result<std::vector<Inode>>> SqlStore::expire_leases(std::size_t limit) {
  GG_CO_CHECK(check_batch(limit));
  co_return co_await write({.exactly_once = true}, expire_rows, limit);
}

task<result<Published>> SqlStore::publish(Publication publication, bool durable) {
  if (publication.replicas.empty())
    co_return fail(errc::invalid_argument, "content that lies on no node cannot be published");
  co_return co_await write({.durable = durable, .exactly_once = true}, publish_row, std::move(publication));
}

}  // namespace geogrid
