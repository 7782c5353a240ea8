// Writers: that they live, and what they hold.

#include "meta/intent_rows.hpp"
#include "meta/lease_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"

namespace geogrid {
namespace {

struct Hold {
  InodeId file;
  LeaseOwner owner;
  std::chrono::seconds lease{0};
};

task<result<void>> renew_rows(Tx& tx, const Hold& in, Nothing&) {
  GG_CO_CHECK(co_await put_lease(tx, kOwnerItself, in.owner, in.lease));
  GG_CO_CHECK(co_await tx.run(tx.pick("UPDATE lease SET expires = unixepoch() + ? WHERE owner = ?",
                                      "UPDATE lease SET expires = UNIX_TIMESTAMP() + ? WHERE owner = ?"),
                              in.lease.count(), in.owner));
  co_return result<void>();
}

task<result<void>> look_for_owner(Tx& tx, const LeaseOwner& owner, bool& out) {
  GG_CO_TRY(const auto row,
            co_await tx.integer(tx.pick("SELECT 1 FROM lease WHERE file = ? AND owner = ? AND "
                                        "expires > unixepoch()",
                                        "SELECT 1 FROM lease WHERE file = ? AND owner = ? AND "
                                        "expires > UNIX_TIMESTAMP()"),
                                kOwnerItself, owner));
  out = row.has_value();
  co_return result<void>();
}

// Leases on files that were never published only run out: expire_leases() takes the rows along.
task<result<void>> end_rows(Tx& tx, const LeaseOwner& owner, Nothing&) {
  GG_CO_CHECK(
      co_await tx.run("DELETE FROM lease WHERE owner = ? AND (file = 0 OR EXISTS "
                      "(SELECT 1 FROM inode i WHERE i.id = lease.file AND i.state = 1))",
                      owner));
  GG_CO_CHECK(co_await tx.run("UPDATE lease SET expires = 0 WHERE owner = ?", owner));
  co_return result<void>();
}

task<result<void>> abandon_row(Tx& tx, const Hold& in, Nothing&) {
  const auto inode = co_await lock_with_parent(tx, in.file);
  if (!inode && inode.error().is(errc::not_found)) co_return result<void>();
  if (!inode) co_return inode.error();
  GG_CO_CHECK(co_await end_lease(tx, in.file, in.owner));
  GG_CO_CHECK(co_await drop_if_unwanted(tx, *inode));
  co_return result<void>();
}

task<result<void>> is_any_expired(Tx& tx, const Nothing&, bool& out) {
  GG_CO_TRY(const auto row,
            co_await tx.integer(tx.pick("SELECT 1 FROM lease WHERE expires <= unixepoch() LIMIT 1",
                                        "SELECT 1 FROM lease WHERE expires <= UNIX_TIMESTAMP() LIMIT 1")));
  out = row.has_value();
  co_return result<void>();
}

task<result<std::vector<Hold>>> expired_leases(Tx& tx, std::size_t limit) {
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  std::vector<Hold> expired;
  const OnRow keep = [&](const SqlRow& row) {
    expired.push_back({InodeId(static_cast<std::uint64_t>(row.integer(0))),
                       LeaseOwner(static_cast<std::uint64_t>(row.integer(1))),
                       {}});
  };
  GG_CO_CHECK(co_await tx.each("SELECT file, owner FROM lease WHERE expires <= ? ORDER BY expires LIMIT ?",
                               keep, now, limit));
  co_return expired;
}

// It may have been renewed while the rows were being locked: false.
task<result<bool>> take_away(Tx& tx, const Hold& hold) {
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  GG_CO_TRY(const SqlOutcome gone,
            co_await tx.run("DELETE FROM lease WHERE file = ? AND owner = ? AND expires <= ?", hold.file,
                            hold.owner, now));
  co_return gone.rows > 0;
}

// What the writer of a new file may have put at its path belongs to nobody: the walks must not find it.
task<result<void>> expire_file(Tx& tx, const Hold& hold, std::vector<Inode>& out) {
  const auto inode = co_await lock_with_parent(tx, hold.file);
  if (!inode && !inode.error().is(errc::not_found)) co_return inode.error();
  GG_CO_TRY(const bool gone, co_await take_away(tx, hold));
  if (!gone || !inode) co_return result<void>();
  GG_CO_TRY(const auto path, co_await tx.path_of(inode->id));
  GG_CO_TRY(const bool dropped, co_await drop_if_unwanted(tx, *inode));
  if (!dropped) co_return result<void>();
  out.push_back(*inode);
  if (!path) co_return result<void>();
  GG_CO_TRY(const NodeSet living, co_await tx.living_nodes());
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  NewIntent salvage{IntentKind::salvage, inode->id, *path, Path(), {now, 0}, living, LeaseOwner()};
  GG_CO_CHECK(co_await put_intent(tx, std::move(salvage)));
  co_return result<void>();
}

task<result<void>> expire_rows(Tx& tx, const std::size_t& limit, std::vector<Inode>& out) {
  GG_CO_CHECK(co_await tx.living_nodes());  // before the rows, as everywhere
  GG_CO_TRY(const std::vector<Hold> expired, co_await expired_leases(tx, limit));
  for (const Hold& hold : expired) {
    if (hold.file == kOwnerItself)
      GG_CO_CHECK(co_await take_away(tx, hold));
    else
      GG_CO_CHECK(co_await expire_file(tx, hold, out));
  }
  co_return result<void>();
}

}  // namespace

task<result<void>> SqlStore::renew_leases(LeaseOwner owner, std::chrono::seconds lease) {
  if (owner.value == 0) co_return fail(errc::invalid_argument, "a lease needs an owner");
  Hold in{InodeId(), owner, lease};
  GG_CO_CHECK(co_await write({}, renew_rows, std::move(in)));
  co_return result<void>();
}

task<result<bool>> SqlStore::is_alive(LeaseOwner owner) {
  return read(look_for_owner, owner);
}

task<result<void>> SqlStore::end_owner(LeaseOwner owner) {
  GG_CO_CHECK(co_await write({}, end_rows, owner));
  co_return result<void>();
}

task<result<void>> SqlStore::abandon(InodeId id, LeaseOwner owner) {
  Hold in{id, owner, {}};
  GG_CO_CHECK(co_await write({}, abandon_row, std::move(in)));
  co_return result<void>();
}

task<result<std::vector<Inode>>> SqlStore::expire_leases(std::size_t limit) {
  GG_CO_CHECK(check_batch(limit));
  // A poll that finds nothing must not take the write lock.
  GG_CO_TRY(const bool any, co_await read(is_any_expired, Nothing()));
  if (!any) co_return std::vector<Inode>();
  // Not this client's own doing, though it may be its process that does it.
  co_return co_await record({.exactly_once = true}, expire_rows, limit);
}

}  // namespace geogrid
