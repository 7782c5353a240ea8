#include "meta/finding_rows.hpp"

namespace geogrid {

task<result<void>> report_findings(Tx& tx, std::span<const Finding> findings) {
  if (findings.empty()) co_return result<void>();
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  for (const Finding& finding : findings) {
    const std::string key = path_key(finding.path);
    const std::string path = finding.path.str();
    GG_CO_CHECK(co_await tx.run(
        tx.pick("INSERT INTO finding (node,path_key,kind,path,detail,first_seen,last_seen) VALUES "
                "(?,?,?,?,?,?,?) "
                "ON CONFLICT (node,path_key,kind) DO UPDATE SET detail = excluded.detail, last_seen = "
                "excluded.last_seen",
                "INSERT INTO finding (node,path_key,kind,path,detail,first_seen,last_seen) VALUES "
                "(?,?,?,?,?,?,?) "
                "ON DUPLICATE KEY UPDATE detail = VALUES(detail), last_seen = VALUES(last_seen)"),
        finding.node, key, finding.kind, path, finding.detail, now, now));
  }
  co_return result<void>();
}

task<result<void>> settle_paths(Tx& tx, NodeIndex node, std::vector<Path> paths) {
  if (paths.empty()) co_return result<void>();
  GG_CO_TRY(const auto any, co_await tx.integer("SELECT 1 FROM finding WHERE node = ? LIMIT 1", node));
  if (!any) co_return result<void>();
  std::vector<std::string> keys;
  keys.reserve(paths.size());
  for (const Path& path : paths) keys.push_back(path_key(path));
  std::vector<SqlValue> values;
  for (const std::string& key : keys) values.push_back(to_sql(key));
  co_return co_await run_over(tx.connection(),
                              ListStatement{"DELETE FROM finding WHERE node = ? AND path_key IN "},
                              bound_values(node), std::move(values));
}

}  // namespace geogrid
