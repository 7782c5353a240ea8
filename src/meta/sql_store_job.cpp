// Class rules applied anew, and the background jobs.

#include "meta/change_rows.hpp"
#include "meta/inode_row.hpp"
#include "meta/intent_rows.hpp"
#include "meta/job_rows.hpp"
#include "meta/sql_store.hpp"
#include "meta/tree_rows.hpp"
#include "meta/work_queue.hpp"

namespace geogrid {
namespace {

// Rows of one page: a few milliseconds of the write lock.
constexpr std::size_t kJobPage = 256;

struct ClassifyPage {
  InodeId after;
  std::size_t limit = 0;
  bool dry_run = false;
};
struct Job {
  std::int64_t id = 0;
  JobKind kind = JobKind::requeue;
  InodeId subject;
  InodeId progress;
};

// Gives these files their class; returns how many changed.
task<result<std::uint64_t>> reclassify(Tx& tx, std::vector<Inode> rows, bool dry_run) {
  std::vector<Inode> changed;
  for (Inode& row : rows) {
    if (!row.is_file()) continue;
    GG_CO_TRY(const auto folder, co_await tx.path_of(row.parent));
    if (!folder || !apply_class(row, tx.context().classes->of_path(folder->child(row.name)))) continue;
    changed.push_back(std::move(row));
  }
  if (dry_run || changed.empty()) co_return changed.size();
  ChangeRows log(tx);
  for (const Inode& row : changed) {
    GG_CO_CHECK(
        co_await tx.run("UPDATE inode SET class = ?, replica_target = ?, backup_target = ? WHERE id = ?",
                        row.storage_class, row.replica_target, row.backup_target, row.id));
    log.add(ChangeKind::attributes, row);
  }
  WorkQueue queue(tx);
  GG_CO_CHECK(co_await queue.remake(changed));
  GG_CO_CHECK(co_await log.flush());
  co_return changed.size();
}

task<result<std::vector<Inode>>> page_of_rows(Tx& tx, std::string_view sql, InodeId first, InodeId second,
                                              std::size_t limit) {
  std::vector<Inode> rows;
  const OnRow keep = [&](const SqlRow& row) { rows.push_back(read_inode(row)); };
  if (second.value == 0) {
    GG_CO_CHECK(co_await tx.each(sql, keep, first, limit));
  } else {
    GG_CO_CHECK(co_await tx.each(sql, keep, first, second, limit));
  }
  co_return rows;
}

task<result<void>> classify_page(Tx& tx, const ClassifyPage& in, StoreAdmin::Classified& out) {
  const std::string_view sql = GG_SELECT_INODE "WHERE id > ? ORDER BY id LIMIT ? FOR UPDATE";
  const std::string_view text = in.dry_run ? geogrid::locking(SqlDialect::sqlite, sql) : tx.locking(sql);
  GG_CO_TRY(std::vector<Inode> rows, co_await page_of_rows(tx, text, in.after, InodeId(), in.limit));
  if (rows.empty()) co_return result<void>();
  out.last = rows.back().id;
  for (const Inode& row : rows) out.seen += row.is_file() ? 1 : 0;
  GG_CO_TRY(out.changed, co_await reclassify(tx, std::move(rows), in.dry_run));
  co_return result<void>();
}

// Each returns the last entry done, or none when the job is at its end.
using Progress = std::optional<InodeId>;

task<result<Progress>> requeue_page(Tx& tx, const Job& job) {
  std::vector<InodeId> files;
  const OnRow keep = [&](const SqlRow& row) {
    files.push_back(InodeId(static_cast<std::uint64_t>(row.integer(0))));
  };
  GG_CO_CHECK(co_await tx.each("SELECT DISTINCT file FROM work WHERE file > ? ORDER BY file LIMIT ?", keep,
                               job.progress, kJobPage));
  if (files.empty()) co_return std::nullopt;
  GG_CO_CHECK(co_await tx.placement_nodes());  // before the rows, as everywhere
  GG_CO_TRY(const std::vector<Inode> rows, co_await lock_inodes(tx, files));
  WorkQueue queue(tx);
  GG_CO_CHECK(co_await queue.drop(files));
  GG_CO_CHECK(co_await queue.remake(rows));
  co_return files.size() < kJobPage ? Progress() : Progress(files.back());
}

task<result<Progress>> classify_folder_page(Tx& tx, const Job& job) {
  GG_CO_TRY(std::vector<Inode> rows,
            co_await page_of_rows(
                tx, tx.locking(GG_SELECT_INODE "WHERE parent = ? AND id > ? ORDER BY id LIMIT ? FOR UPDATE"),
                job.subject, std::max(job.progress, kRootInode), kJobPage));
  if (rows.empty()) co_return std::nullopt;
  const InodeId last = rows.back().id;
  const bool full = rows.size() == kJobPage;
  for (const Inode& row : rows)
    if (row.is_folder()) GG_CO_CHECK(co_await put_job(tx, JobKind::classify, row.id));
  GG_CO_CHECK(co_await reclassify(tx, std::move(rows), false));
  co_return full ? Progress(last) : Progress();
}

// What is done leaves the table, so that there is no place to go on from: the job ends when nothing is left.
task<result<Progress>> forget_page(Tx& tx, const Job& job) {
  const NodeIndex node(static_cast<std::uint8_t>(job.subject.value));
  std::vector<IntentId> ids;
  const OnRow keep = [&](const SqlRow& row) {
    ids.push_back(IntentId(static_cast<std::uint64_t>(row.integer(0))));
  };
  GG_CO_CHECK(co_await tx.each("SELECT intent FROM owed WHERE node = ? ORDER BY intent LIMIT ?", keep, node,
                               kJobPage));
  if (ids.empty()) co_return std::nullopt;
  GG_CO_CHECK(co_await strike_off(tx, node, std::move(ids)));
  co_return Progress(job.progress);
}

task<result<void>> has_job(Tx& tx, const Nothing&, bool& out) {
  GG_CO_TRY(const auto job, co_await tx.integer("SELECT id FROM job LIMIT 1"));
  out = job.has_value();
  co_return result<void>();
}

task<result<void>> run_page(Tx& tx, const Nothing&, bool& more) {
  std::optional<Job> job;
  const OnRow keep = [&](const SqlRow& row) {
    job = Job{row.integer(0), static_cast<JobKind>(row.integer(1)),
              InodeId(static_cast<std::uint64_t>(row.integer(2))),
              InodeId(static_cast<std::uint64_t>(row.integer(3)))};
  };
  GG_CO_CHECK(co_await tx.each(
      tx.locking("SELECT id, kind, subject, progress FROM job ORDER BY id LIMIT 1 FOR UPDATE"), keep));
  more = job.has_value();
  if (!job) co_return result<void>();
  Progress last;
  switch (job->kind) {
    case JobKind::requeue: {
      GG_CO_TRY(last, co_await requeue_page(tx, *job));
      break;
    }
    case JobKind::forget: {
      GG_CO_TRY(last, co_await forget_page(tx, *job));
      break;
    }
    case JobKind::classify: {
      GG_CO_TRY(last, co_await classify_folder_page(tx, *job));
      break;
    }
  }
  if (last)
    GG_CO_CHECK(co_await tx.run("UPDATE job SET progress = ? WHERE id = ?", *last, job->id));
  else
    GG_CO_CHECK(co_await tx.run("DELETE FROM job WHERE id = ?", job->id));
  co_return result<void>();
}

}  // namespace

task<result<StoreAdmin::Classified>> SqlStore::classify(InodeId after, std::size_t limit, bool dry_run) {
  GG_CO_CHECK(check_batch(limit));
  const ClassifyPage page{after, limit, dry_run};
  if (dry_run) co_return co_await read(classify_page, page);
  co_return co_await record({}, classify_page, page);
}

task<result<bool>> SqlStore::run_jobs() {
  // Asking must not take the write lock.
  GG_CO_TRY(const bool waiting, co_await read(has_job, Nothing()));
  if (!waiting) co_return false;
  co_return co_await record({}, run_page, Nothing());
}

}  // namespace geogrid
