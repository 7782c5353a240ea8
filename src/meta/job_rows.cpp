#include "meta/job_rows.hpp"

namespace geogrid {

task<result<void>> put_job(Tx& tx, JobKind kind, InodeId subject) {
  GG_CO_CHECK(co_await tx.run(tx.pick("INSERT INTO job (kind,subject,progress) VALUES (?,?,0) "
                                      "ON CONFLICT (kind,subject) DO UPDATE SET progress = 0",
                                      "INSERT INTO job (kind,subject,progress) VALUES (?,?,0) "
                                      "ON DUPLICATE KEY UPDATE progress = 0"),
                              kind, subject));
  co_return result<void>();
}

}  // namespace geogrid
