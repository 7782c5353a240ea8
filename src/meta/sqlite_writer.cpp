#include "meta/sqlite_writer.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "async/blocking_pool.hpp"
#include "meta/sqlite_file.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

// As much of the log as a checkpoint is worth its two fsyncs for (64 MiB: what writes wait for them is then a
// few per cent), and as much as it may grow to while readers never leave a gap.
constexpr int kCheckpointPages = 16384;
constexpr int kRestartPages = 4 * kCheckpointPages;
constexpr std::size_t kBatch = 64;
// How many transactions become one, and how long that may take: other processes wait.
constexpr std::size_t kGroup = 16;
constexpr std::chrono::milliseconds kGroupTime{5};
// SQLite does not know who waits for its lock. A writer that never rests gives it away this often, for long
// enough to be seen by those that look for it (SqliteConnection).
constexpr std::chrono::milliseconds kGiveWayEvery{10};
constexpr std::chrono::microseconds kGiveWay{200};
constexpr std::chrono::milliseconds kRetryPause{1};

Error closed() {
  return fail(errc::cancelled, "the metadata store was closed");
}

}  // namespace

// Shared with the thread, so that one which a dead disk holds in the kernel still has something to come back
// to.
struct SqliteWriter::State {
  State(std::unique_ptr<SqliteConnection> c, Log l, Limits m)
      : connection(std::move(c)), log(std::move(l)), limits(m) {}

  std::unique_ptr<SqliteConnection> connection;  // the thread's, but for interrupt()
  asio::io_context loop{1};                      // the thread's: bodies run here
  bool checkpoint_failed = false;                // the thread's
  Clock::SteadyTime gave_way;                    // the thread's
  Log log;
  const Limits limits;

  std::mutex mutex;
  std::condition_variable idle;
  std::deque<Job> queue;      // guarded by mutex, as is all below
  bool running = false;       // a drain() is posted or under way
  std::vector<Job> unsynced;  // committed, and to be on the platter before they are told so
  bool syncing = false;       // a sync() is posted or under way
  bool closing = false;
  bool abandoned = false;  // close() no longer waits for the thread
  std::unique_ptr<BlockingPool> thread = std::make_unique<BlockingPool>(BlockingPool::Options{
      .name = "sqlite-writer", .threads = 1, .join_timeout = std::chrono::milliseconds(100)});
  std::unique_ptr<BlockingPool> sync_thread = std::make_unique<BlockingPool>(BlockingPool::Options{
      .name = "sqlite-sync", .threads = 1, .join_timeout = std::chrono::milliseconds(100)});

  std::vector<Job> next_batch();
  static void sync_later(const std::shared_ptr<State>& self, Job job);
  void sync();
  void drain(const std::shared_ptr<State>& self);
  void run_batch(const std::shared_ptr<State>& self, std::vector<Job> batch);
  std::vector<result<void>> run_next(std::span<const Job> jobs);
  std::vector<result<void>> attempt_group(std::span<const Job> jobs);
  result<void> attempt_in_group(const Job& job);
  void give_way();
  result<void> run(const Job& job);
  result<void> attempt(const Job& job);
  result<void> run_body(const SqlBody& body);
  void checkpoint_if_long();
  void finish(Job& job, result<void> outcome);
};

std::vector<SqliteWriter::Job> SqliteWriter::State::next_batch() {
  const std::scoped_lock lock(mutex);
  std::vector<Job> batch;
  while (!queue.empty() && batch.size() < kBatch) {
    batch.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  if (batch.empty()) {
    running = false;
    idle.notify_all();
  }
  return batch;
}

void SqliteWriter::State::drain(const std::shared_ptr<State>& self) {
  bool drained = false;
  for (;;) {
    std::vector<Job> batch = next_batch();
    if (batch.empty()) return;
    if (!std::exchange(drained, true)) gave_way = system_clock().steady();
    run_batch(self, std::move(batch));
    checkpoint_if_long();
    give_way();
  }
}

void SqliteWriter::State::run_batch(const std::shared_ptr<State>& self, std::vector<Job> batch) {
  for (std::size_t next = 0; next < batch.size();) {
    std::vector<result<void>> outcomes = run_next(std::span<const Job>(batch).subspan(next));
    for (result<void>& outcome : outcomes) {
      Job& job = batch[next++];
      if (outcome && job.options.durable)
        sync_later(self, std::move(job));
      else
        finish(job, std::move(outcome));
    }
  }
}

// Those that come while the disk is at it share the next time. The writer goes on meanwhile.
void SqliteWriter::State::sync_later(const std::shared_ptr<State>& self, Job job) {
  const std::scoped_lock lock(self->mutex);
  self->unsynced.push_back(std::move(job));
  if (self->sync_thread == nullptr || std::exchange(self->syncing, true)) return;
  if (!self->sync_thread->post([self] { self->sync(); })) self->syncing = false;
}

void SqliteWriter::State::sync() {
  const std::string log_file = connection->log_file();
  for (;;) {
    std::vector<Job> jobs;
    {
      const std::scoped_lock lock(mutex);
      jobs.swap(unsynced);
      if (jobs.empty()) {
        syncing = false;
        idle.notify_all();
        return;
      }
    }
    const result<void> synced = sync_sqlite_log(log_file);
    for (Job& job : jobs) finish(job, synced);
  }
}

void SqliteWriter::State::give_way() {
  const auto now = system_clock().steady();
  if (now - gave_way < kGiveWayEvery) return;
  connection->pause(kGiveWay);
  gave_way = system_clock().steady();
}

// The first of the jobs, or several: an outcome for each that was run.
std::vector<result<void>> SqliteWriter::State::run_next(std::span<const Job> jobs) {
  std::size_t count = 0;
  while (count < jobs.size() && count < kGroup && jobs[count].body) ++count;
  if (count > 1) {
    std::vector<result<void>> outcomes = attempt_group(jobs.first(count));
    if (!outcomes.empty()) return outcomes;
  }
  return std::vector<result<void>>(1, run(jobs.front()));
}

// Several transactions as one. Empty if the whole came to nothing: then nothing was done, and each is to be
// run alone.
std::vector<result<void>> SqliteWriter::State::attempt_group(std::span<const Job> jobs) {
  connection->take_busy();
  if (!connection->run_now("BEGIN IMMEDIATE", {}, {})) return {};
  const auto begun = system_clock().steady();
  std::vector<result<void>> outcomes;
  bool whole = true;
  for (const Job& job : jobs) {
    outcomes.push_back(attempt_in_group(job));
    whole = connection->in_transaction() && !connection->take_busy();
    if (!whole || system_clock().steady() - begun > kGroupTime) break;
  }
  if (whole && connection->run_now("COMMIT", {}, {})) return outcomes;
  if (connection->in_transaction()) {
    if (auto undone = connection->execute("ROLLBACK"); !undone)
      log.error("rolling back a transaction: {}", undone.error().message);
  }
  return {};
}

result<void> SqliteWriter::State::attempt_in_group(const Job& job) {
  GG_CHECK(connection->run_now("SAVEPOINT job", {}, {}));
  result<void> outcome = run_body(job.body);
  if (!connection->in_transaction()) return outcome;
  if (!outcome) GG_CHECK(connection->run_now("ROLLBACK TO job", {}, {}));
  GG_CHECK(connection->run_now("RELEASE job", {}, {}));
  return outcome;
}

// A lock of another process is waited for inside SQLite (the connection's busy handler); what comes out of it
// as busy all the same is tried again from the start.
result<void> SqliteWriter::State::run(const Job& job) {
  const auto give_up = system_clock().steady() + limits.retry_for;
  for (;;) {
    connection->take_busy();
    result<void> outcome = attempt(job);
    if (outcome || !connection->take_busy()) return outcome;
    if (system_clock().steady() >= give_up)
      return fail(errc::unavailable,
                  "another process holds the lock of the metadata database for too long ({}): look for a "
                  "stopped geogridd or sqlite3 on this machine",
                  outcome.error().message);
    connection->pause(kRetryPause);
  }
}

result<void> SqliteWriter::State::attempt(const Job& job) {
  if (!job.body && job.script.empty()) return result<void>();
  if (!job.body) return connection->execute(job.script);
  // IMMEDIATE always: a transaction that turns from reading to writing can fail in a way that no waiting
  // cures.
  if (auto begun = connection->run_now("BEGIN IMMEDIATE", {}, {}); !begun) return begun.error();
  result<void> outcome = run_body(job.body);
  if (outcome && !connection->in_transaction())
    outcome = fail(errc::internal, "the transaction ended before its body did");
  if (outcome) {
    if (auto committed = connection->run_now("COMMIT", {}, {}); !committed) outcome = committed.error();
  }
  if (!outcome && connection->in_transaction()) {
    if (auto undone = connection->execute("ROLLBACK"); !undone)
      log.error("rolling back a transaction: {}", undone.error().message);
  }
  return outcome;
}

result<void> SqliteWriter::State::run_body(const SqlBody& body) {
  try {
    return run_to_end(loop, body(*connection));
  } catch (const std::exception& bug) {
    return fail(errc::internal, "an exception in a transaction: {}", bug.what());
  }
}

void SqliteWriter::State::checkpoint_if_long() {
  const int pages = connection->log_pages();
  if (pages < kCheckpointPages) return;
  const result<void> done = connection->checkpoint(pages >= kRestartPages);
  if (!done && !std::exchange(checkpoint_failed, true)) log.warning("{}", done.error().message);
  if (done) checkpoint_failed = false;
}

void SqliteWriter::State::finish(Job& job, result<void> outcome) {
  {
    const std::scoped_lock lock(mutex);
    if (abandoned) {
      new Job(std::move(job));  // its event loop may be gone: nothing of it may run or die here any more
      return;
    }
  }
  job.finish(std::move(outcome));
}

SqliteWriter::SqliteWriter(std::unique_ptr<SqliteConnection> connection, Log log, Limits limits)
    : state_(std::make_shared<State>(std::move(connection), std::move(log), limits)) {}

SqliteWriter::~SqliteWriter() {
  close();
}

void SqliteWriter::submit(Job job) {
  std::unique_lock lock(state_->mutex);
  if (state_->closing || state_->queue.size() >= kQueueLimit) {
    const bool closing = state_->closing;
    lock.unlock();
    job.finish(closing ? closed() : fail(errc::busy, "too many transactions wait for the metadata database"));
    return;
  }
  state_->queue.push_back(std::move(job));
  if (std::exchange(state_->running, true)) return;
  // One drain() at a time, so that the pool's queue always has room.
  if (!state_->thread->post([state = state_] { state->drain(state); })) state_->running = false;
}

void SqliteWriter::close() {
  std::deque<Job> dropped;
  std::unique_ptr<BlockingPool> thread;
  std::unique_ptr<BlockingPool> sync_thread;
  {
    std::unique_lock lock(state_->mutex);
    if (std::exchange(state_->closing, true)) return;
    dropped.swap(state_->queue);
    state_->connection->interrupt();
    state_->abandoned = !state_->idle.wait_for(lock, state_->limits.close_timeout,
                                               [this] { return !state_->running && !state_->syncing; });
    thread = std::move(state_->thread);
    sync_thread = std::move(state_->sync_thread);
  }
  if (!state_->abandoned) state_->connection->close();
  for (Job& job : dropped) job.finish(closed());
}

}  // namespace geogrid
