#include "meta/unhashed_rows.hpp"

#include "meta/inode_row.hpp"

namespace geogrid {

task<result<void>> note_unhashed(Tx& tx, const Inode& file) {
  const std::string_view add = tx.pick("INSERT OR IGNORE INTO unhashed (file) VALUES (?)",
                                       "INSERT IGNORE INTO unhashed (file) VALUES (?)");
  const std::string_view text = file.digest.pending() ? add : "DELETE FROM unhashed WHERE file = ?";
  GG_CO_CHECK(co_await tx.run(text, file.id));
  co_return result<void>();
}

task<result<void>> drop_unhashed(Tx& tx, const std::vector<InodeId>& files) {
  co_return co_await run_over(tx.connection(), ListStatement{"DELETE FROM unhashed WHERE file IN "}, {},
                              to_sql(files));
}

}  // namespace geogrid
