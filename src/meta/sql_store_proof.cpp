// When copies were last proved, and what was found wrong.

#include "base/path.hpp"
#include "meta/finding_rows.hpp"
#include "meta/inode_row.hpp"
#include "meta/sql_store.hpp"

namespace geogrid {
namespace {

struct FolderProof {
  NodeIndex node;
  InodeId folder;
  std::int64_t when = 0;
};
struct FileProofs {
  NodeIndex node;
  std::vector<InodeId> files;
  std::int64_t when = 0;
};
struct Settled {
  FindingKind kind;
  NodeIndex node;
  Path path;
};

task<result<void>> prove_folder(Tx& tx, const FolderProof& in, Nothing&) {
  GG_CO_CHECK(co_await tx.run(tx.pick("INSERT INTO proved_folder (node,folder,at) VALUES (?,?,?) "
                                      "ON CONFLICT (folder,node) DO UPDATE SET at = MAX(at, excluded.at)",
                                      "INSERT INTO proved_folder (node,folder,at) VALUES (?,?,?) "
                                      "ON DUPLICATE KEY UPDATE at = GREATEST(at, VALUES(at))"),
                              in.node, in.folder, in.when));
  GG_CO_CHECK(co_await tx.run("DELETE FROM proved_file WHERE folder = ? AND node = ? AND at <= ?", in.folder,
                              in.node, in.when));
  co_return result<void>();
}

task<result<void>> prove_files(Tx& tx, const FileProofs& in, Nothing&) {
  GG_CO_TRY(const std::vector<Inode> rows, co_await lock_inodes(tx, in.files));
  MultiInsert insert(
      "INSERT INTO proved_file (node,file,folder,at) VALUES ", 4,
      tx.pick(" ON CONFLICT (file,node) DO UPDATE SET at = MAX(at, excluded.at), folder = excluded.folder",
              " ON DUPLICATE KEY UPDATE at = GREATEST(at, VALUES(at)), folder = VALUES(folder)"));
  for (const Inode& row : rows)
    if (row.is_file() && row.replicas.contains(in.node)) insert.add(in.node, row.id, row.parent, in.when);
  co_return co_await insert.flush(tx.connection());
}

task<result<void>> read_proofs(Tx& tx, const InodeId& file, std::vector<ProvedTime>& out) {
  GG_CO_TRY(const auto row, co_await find_inode(tx, GG_SELECT_INODE "WHERE id = ?", file));
  if (!row) co_return fail(errc::not_found, "no file has the number {}", file.value);
  std::map<NodeIndex, std::int64_t> times;
  const OnRow keep = [&](const SqlRow& r) {
    const NodeIndex node(static_cast<std::uint8_t>(r.integer(0)));
    if (row->replicas.contains(node)) times[node] = r.integer(1);
  };
  GG_CO_CHECK(co_await tx.each("SELECT node, at FROM proved_folder WHERE folder = ?", keep, row->parent));
  GG_CO_CHECK(co_await tx.each("SELECT node, at FROM proved_file WHERE file = ?", keep, file));
  for (const auto& [node, at] : times) out.push_back({node, Timestamp{at, 0}});
  co_return result<void>();
}

task<result<void>> report_rows(Tx& tx, const std::vector<Finding>& in, Nothing&) {
  return report_findings(tx, in);
}

task<result<void>> settle_row(Tx& tx, const Settled& in, Nothing&) {
  const std::string key = path_key(in.path);
  GG_CO_CHECK(co_await tx.run("DELETE FROM finding WHERE node = ? AND path_key = ? AND kind = ?", in.node,
                              key, in.kind));
  co_return result<void>();
}

task<result<void>> read_findings(Tx& tx, const std::size_t& limit, std::vector<Finding>& out) {
  result<void> parsed;
  const OnRow keep = [&](const SqlRow& row) {
    const auto path = Path::parse(row.bytes(2));
    if (!path) {
      parsed = path.error();
      return;
    }
    out.push_back(Finding{
        static_cast<FindingKind>(row.integer(0)), NodeIndex(static_cast<std::uint8_t>(row.integer(1))), *path,
        std::string(row.bytes(3)), Timestamp{row.integer(4), 0}, Timestamp{row.integer(5), 0}});
  };
  GG_CO_CHECK(
      co_await tx.each("SELECT kind,node,path,detail,first_seen,last_seen FROM finding "
                       "ORDER BY first_seen, node, path_key, kind LIMIT ?",
                       keep, limit));
  co_return parsed;
}

}  // namespace

task<result<void>> SqlStore::proved_folder(NodeIndex node, InodeId folder, Timestamp when) {
  FolderProof in{node, folder, when.seconds};
  GG_CO_CHECK(co_await record({}, prove_folder, std::move(in)));
  co_return result<void>();
}

task<result<void>> SqlStore::proved_files(NodeIndex node, std::vector<InodeId> files, Timestamp when) {
  GG_CO_CHECK(check_batch(files.size()));
  FileProofs in{node, std::move(files), when.seconds};
  GG_CO_CHECK(co_await record({}, prove_files, std::move(in)));
  co_return result<void>();
}

task<result<std::vector<ProvedTime>>> SqlStore::proved_times(InodeId file) {
  return read(read_proofs, file);
}

task<result<void>> SqlStore::report(std::vector<Finding> findings) {
  GG_CO_CHECK(check_batch(findings.size()));
  if (findings.empty()) co_return result<void>();
  GG_CO_CHECK(co_await record({}, report_rows, std::move(findings)));
  co_return result<void>();
}

task<result<void>> SqlStore::settle(FindingKind kind, NodeIndex node, Path path) {
  Settled in{kind, node, std::move(path)};
  GG_CO_CHECK(co_await record({}, settle_row, std::move(in)));
  co_return result<void>();
}

task<result<std::vector<Finding>>> SqlStore::findings(std::size_t limit) {
  return read(read_findings, limit);
}

}  // namespace geogrid
