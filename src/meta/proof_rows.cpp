#include "meta/proof_rows.hpp"

#include <algorithm>

#include "meta/inode_row.hpp"

namespace geogrid {

task<result<void>> begin_proof(Tx& tx, NodeIndex node, std::vector<InodeId> folders) {
  std::sort(folders.begin(), folders.end());
  folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
  if (folders.empty()) co_return result<void>();
  // Most folders have their time already: a look first keeps the log free of rows that change nothing.
  std::set<InodeId> known;
  const OnRow keep = [&](const SqlRow& row) {
    known.insert(InodeId(static_cast<std::uint64_t>(row.integer(0))));
  };
  GG_CO_CHECK(co_await run_over(
      tx.connection(), ListStatement{"SELECT folder FROM proved_folder WHERE node = ? AND folder IN "},
      bound_values(node), to_sql(folders), keep));
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  MultiInsert rows("INSERT INTO proved_folder (node,folder,at) VALUES ", 3,
                   tx.pick(" ON CONFLICT DO NOTHING", " ON DUPLICATE KEY UPDATE at = at"));
  for (const InodeId folder : folders)
    if (!known.contains(folder)) rows.add(node, folder, now);
  co_return co_await rows.flush(tx.connection());
}

task<result<void>> begin_proofs(Tx& tx, NodeSet nodes, InodeId folder) {
  NodeSet known;
  const OnRow keep = [&](const SqlRow& row) {
    known = known.with(NodeIndex(static_cast<std::uint8_t>(row.integer(0))));
  };
  GG_CO_CHECK(co_await tx.each("SELECT node FROM proved_folder WHERE folder = ?", keep, folder));
  for (const NodeIndex node : nodes - known)
    GG_CO_CHECK(co_await begin_proof(tx, node, std::vector<InodeId>(1, folder)));
  co_return result<void>();
}

task<result<void>> carry_proof(Tx& tx, const Inode& file, InodeId new_folder) {
  GG_CO_CHECK(co_await tx.run("UPDATE proved_file SET folder = ? WHERE file = ?", new_folder, file.id));
  std::map<NodeIndex, std::int64_t> times;
  const OnRow keep = [&](const SqlRow& row) {
    const NodeIndex node(static_cast<std::uint8_t>(row.integer(0)));
    if (file.replicas.contains(node)) times[node] = row.integer(1);
  };
  GG_CO_CHECK(co_await tx.each("SELECT node, at FROM proved_folder WHERE folder = ?", keep, file.parent));
  MultiInsert rows("INSERT INTO proved_file (node,file,folder,at) VALUES ", 4,
                   tx.pick(" ON CONFLICT DO NOTHING", " ON DUPLICATE KEY UPDATE at = at"));
  for (const auto& [node, at] : times) rows.add(node, file.id, new_folder, at);
  co_return co_await rows.flush(tx.connection());
}

task<result<void>> drop_proof(Tx& tx, std::vector<InodeId> files) {
  co_return co_await run_over(tx.connection(), ListStatement{"DELETE FROM proved_file WHERE file IN "}, {},
                              to_sql(files));
}

}  // namespace geogrid
