#include "meta/lease_rows.hpp"

#include "meta/inode_row.hpp"
#include "meta/tree_rows.hpp"

namespace geogrid {

task<result<void>> put_lease(Tx& tx, InodeId file, LeaseOwner owner, std::chrono::seconds lease) {
  GG_CO_CHECK(
      co_await tx.run(tx.pick("INSERT INTO lease (file,owner,expires) VALUES (?,?,unixepoch() + ?) "
                              "ON CONFLICT (file,owner) DO UPDATE SET expires = excluded.expires",
                              "INSERT INTO lease (file,owner,expires) VALUES (?,?,UNIX_TIMESTAMP() + ?) "
                              "ON DUPLICATE KEY UPDATE expires = VALUES(expires)"),
                      file, owner, lease.count()));
  co_return result<void>();
}

task<result<bool>> end_lease(Tx& tx, InodeId file, LeaseOwner owner) {
  GG_CO_TRY(const SqlOutcome gone,
            co_await tx.run("DELETE FROM lease WHERE file = ? AND owner = ?", file, owner));
  co_return gone.rows > 0;
}

task<result<void>> put_begun(Tx& tx, InodeId file, Begun begun, std::chrono::seconds lease) {
  // `version` last: MariaDB sets columns one after the other, and the others look at the old one.
  GG_CO_CHECK(co_await tx.run(
      tx.pick(
          "INSERT INTO lease (file,owner,expires,version,withdrawn,asked) VALUES "
          "(?,?,unixepoch() + ?,?,?,?) ON CONFLICT (file,owner) DO UPDATE SET expires = excluded.expires, "
          "withdrawn = CASE WHEN version = excluded.version THEN withdrawn | excluded.withdrawn "
          "ELSE excluded.withdrawn END, asked = asked | excluded.asked, version = excluded.version",
          "INSERT INTO lease (file,owner,expires,version,withdrawn,asked) VALUES "
          "(?,?,UNIX_TIMESTAMP() + ?,?,?,?) ON DUPLICATE KEY UPDATE expires = VALUES(expires), "
          "withdrawn = CASE WHEN version = VALUES(version) THEN "
          "CAST(withdrawn | VALUES(withdrawn) AS SIGNED) ELSE VALUES(withdrawn) END, "
          "asked = CAST(asked | VALUES(asked) AS SIGNED), version = VALUES(version)"),
      file, begun.owner, lease.count(), begun.version, begun.withdrawn, begun.asked));
  co_return result<void>();
}

task<result<std::vector<Begun>>> begun_on(Tx& tx, InodeId file) {
  std::vector<Begun> all;
  const OnRow keep = [&](const SqlRow& row) {
    all.push_back({LeaseOwner(static_cast<std::uint64_t>(row.integer(0))),
                   Version(static_cast<std::uint64_t>(row.integer(1))), node_set(row.integer(2)),
                   node_set(row.integer(3))});
  };
  GG_CO_CHECK(
      co_await tx.each("SELECT owner, version, withdrawn, asked FROM lease WHERE file = ?", keep, file));
  co_return all;
}

task<result<std::unordered_map<InodeId, NodeSet>>> being_written(Tx& tx, const std::vector<InodeId>& files) {
  std::unordered_map<InodeId, NodeSet> found;
  const OnRow keep = [&](const SqlRow& row) {
    NodeSet& asked = found[InodeId(static_cast<std::uint64_t>(row.integer(0)))];
    asked = asked | node_set(row.integer(1));
  };
  const ListStatement select{"SELECT file, asked FROM lease WHERE file IN "};
  GG_CO_CHECK(co_await run_over(tx.connection(), select, {}, to_sql(files), keep));
  co_return found;
}

task<result<bool>> drop_if_unwanted(Tx& tx, const Inode& inode) {
  if (!inode.is_file() || inode.state != ContentState::pending) co_return false;
  GG_CO_TRY(const auto other, co_await tx.integer("SELECT 1 FROM lease WHERE file = ? LIMIT 1", inode.id));
  if (other) co_return false;
  GG_CO_CHECK(co_await remove_row(tx, inode));
  co_return true;
}

}  // namespace geogrid
