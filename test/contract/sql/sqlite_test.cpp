// What only SQLite's file is owed: its mode, its owner, other processes' locks, and a platter that was waited
// for.

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "contract/sql/sql_fixture.hpp"

namespace {
std::atomic<int> syncs{0};
}

// Take the place of the C library's for the whole program, SQLite included.
extern "C" int fsync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int fdatasync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace geogrid::test {
namespace {

using namespace std::chrono_literals;

class SqliteFile : public SqlTest {
 protected:
  static std::string content(const std::string& file) {
    std::stringstream bytes;
    bytes << std::ifstream(file, std::ios::binary).rdbuf();
    return bytes.str();
  }
  static mode_t mode_of(const std::string& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }
  static Error error_of(SqliteDriverOptions options) {
    auto driver = make_sqlite_driver(std::move(options));
    return driver ? Error() : driver.error();
  }
  Scratch scratch_{"sqlite"};
  std::string file_ = scratch_.file("m.db");
};

/// Another process's connection, or as good as one: SQLite's own, past the driver.
class Raw {
 public:
  explicit Raw(const std::string& file) { sqlite3_open(file.c_str(), &db_); }
  ~Raw() { sqlite3_close(db_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  int execute(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }

 private:
  sqlite3* db_ = nullptr;
};

TEST_F(SqliteFile, IsOnlyMadeWhenAskedFor) {
  const Error error = error_of({.file = file_, .create = false, .log = Log()});
  EXPECT_TRUE(error.is(errc::not_initialised)) << error.message;
  EXPECT_NE(error.message.find("geogridd init"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(SqliteFile, IsForItsOwnerOnlyUnlessItExists) {
  {
    const auto driver = make_sqlite_driver({.file = file_, .create = true, .log = Log()}).value();
    ASSERT_TRUE(run([&] { return driver->execute_script("CREATE TABLE x (a)"); }).has_value());
    for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(file_ + suffix), 0600U) << suffix;
  }
  ASSERT_EQ(::chmod(file_.c_str(), 0640), 0);
  const auto driver = make_sqlite_driver({.file = file_, .create = true, .log = Log()}).value();
  ASSERT_TRUE(run([&] { return driver->execute_script("CREATE TABLE y (a)"); }).has_value());
  for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(file_ + suffix), 0640U) << suffix;
}

TEST_F(SqliteFile, AnEmptyOneIsNotInitialisedAndMayBe) {
  std::ofstream(file_).close();
  EXPECT_TRUE(error_of({.file = file_, .create = false, .log = Log()}).is(errc::not_initialised));
  EXPECT_EQ(content(file_), "");
  EXPECT_TRUE(make_sqlite_driver({.file = file_, .create = true, .log = Log()}).has_value());
  EXPECT_TRUE(make_sqlite_driver({.file = file_, .create = false, .log = Log()}).has_value());
}

TEST_F(SqliteFile, OtherFilesAndOtherProgramsDatabasesAreLeftAlone) {
  std::ofstream(file_) << std::string(10000, 'x');
  std::string before = content(file_);
  for (const bool create : {false, true}) {
    const Error error = error_of({.file = file_, .create = create, .log = Log()});
    EXPECT_TRUE(error.is(errc::foreign)) << error.message;
    EXPECT_EQ(content(file_), before);
  }
  std::filesystem::remove(file_);
  ASSERT_EQ(Raw(file_).execute("CREATE TABLE diary (day)"), SQLITE_OK);
  before = content(file_);
  for (const bool create : {false, true}) {
    const Error error = error_of({.file = file_, .create = create, .log = Log()});
    EXPECT_TRUE(error.is(errc::foreign)) << error.message;
    EXPECT_EQ(content(file_), before);
  }
}

TEST_F(SqliteFile, WhereThereCanBeNoneTheErrorSaysWhy) {
  const Error nowhere =
      error_of({.file = scratch_.file("no/such/folder/m.db"), .create = true, .log = Log()});
  EXPECT_EQ(to_errno(nowhere), ENOENT);
  EXPECT_NE(nowhere.message.find("no/such/folder"), std::string::npos) << nowhere.message;
  const Error folder = error_of({.file = scratch_.path().string(), .create = true, .log = Log()});
  EXPECT_TRUE(folder.is(errc::unavailable)) << folder.message;
}

TEST_F(SqliteFile, NamesThatLookLikeUrisAreFiles) {
  const std::string before = std::filesystem::current_path().string();
  std::filesystem::current_path(scratch_.path());
  EXPECT_TRUE(make_sqlite_driver({.file = "file:odd?mode=ro", .create = true, .log = Log()}).has_value());
  EXPECT_TRUE(std::filesystem::exists(scratch_.file("file:odd?mode=ro")));
  std::filesystem::current_path(before);
}

class SqliteDatabase : public SqlTest {
 protected:
  Database database_{SqlDialect::sqlite};
  std::unique_ptr<SqlDriver> driver_ = database_.open();
};

TEST_F(SqliteDatabase, OnlyDurableTransactionsWaitForThePlatter) {
  ASSERT_TRUE(run([&] { return insert(*driver_, 0, "n"); }).has_value());
  syncs = 0;
  for (std::int64_t i = 1; i <= 20; ++i)
    ASSERT_TRUE(run([&] { return insert(*driver_, i, "n"); }).has_value());
  EXPECT_EQ(syncs, 0);
  for (std::int64_t i = 1; i <= 20; ++i) {
    const int before = syncs;
    ASSERT_TRUE(
        run([&] { return insert(*driver_, i, "d", {.durable = true, .exactly_once = false}); }).has_value());
    EXPECT_GT(syncs, before);
  }
}

TEST_F(SqliteDatabase, ADurableTransactionThatChangesNothingMakesEarlierOnesSafe) {
  ASSERT_TRUE(run([&] { return insert(*driver_, 1, "n"); }).has_value());
  syncs = 0;
  const SqlBody nothing = [](SqlConnection&) -> task<result<void>> { co_return result<void>(); };
  ASSERT_TRUE(
      run([&] { return driver_->transact({.durable = true, .exactly_once = false}, nothing); }).has_value());
  EXPECT_GT(syncs, 0);
}

TEST_F(SqliteDatabase, DurableTransactionsThatWaitTogetherShareTheirSync) {
  constexpr int kTasks = 32;
  std::vector<task<result<void>>> tasks;
  auto one = [&](std::int64_t parent) -> task<result<void>> {
    const auto id = co_await insert(*driver_, parent, "n", {.durable = true, .exactly_once = false});
    if (!id) co_return id.error();
    co_return result<void>();
  };
  syncs = 0;
  for (std::int64_t i = 0; i < kTasks; ++i) tasks.push_back(one(i));
  for (const result<void>& outcome : run_all(std::move(tasks))) EXPECT_TRUE(outcome);
  EXPECT_GT(syncs, 0);
  EXPECT_LT(syncs, kTasks);
}

TEST_F(SqliteDatabase, ALockThatAnotherProcessKeepsIsReportedAndReadsGoOn) {
  SqliteDriverOptions options = database_.sqlite_options();
  options.retry_for = 50ms;
  const auto impatient = make_sqlite_driver(options).value();
  Raw other(database_.file());
  ASSERT_EQ(other.execute("BEGIN IMMEDIATE; INSERT INTO t (parent, name) VALUES (1, x'61')"), SQLITE_OK);
  const auto outcome = run([&] { return insert(*impatient, 1, "b"); });
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::unavailable)) << outcome.error().message;
  EXPECT_EQ(run([&] { return count(*impatient); }).value(), 0);
  ASSERT_EQ(other.execute("COMMIT"), SQLITE_OK);
  EXPECT_EQ(run([&] { return count(*impatient); }).value(), 1);
  EXPECT_TRUE(run([&] { return insert(*impatient, 1, "b"); }).has_value());
}

TEST_F(SqliteDatabase, CloseEndsAWaitForALock) {
  Raw other(database_.file());
  ASSERT_EQ(other.execute("BEGIN IMMEDIATE"), SQLITE_OK);
  auto waits = [&]() -> task<result<void>> {
    const auto id = co_await insert(*driver_, 1, "a");
    if (!id) co_return id.error();
    co_return result<void>();
  };
  auto closes = [&]() -> task<result<void>> {
    GG_CO_CHECK(co_await sleep_for(20ms));
    driver_->close();
    co_return result<void>();
  };
  std::vector<task<result<void>>> tasks;
  tasks.push_back(waits());
  tasks.push_back(closes());
  const auto outcomes = run_all(std::move(tasks));
  ASSERT_FALSE(outcomes[0]);
  EXPECT_TRUE(outcomes[0].error().is(errc::cancelled)) << outcomes[0].error().message;
}

TEST_F(SqliteDatabase, CloseEndsAStatementThatWouldTakeForEver) {
  const SqlBody forever = [](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT SUM(i) FROM n"));
    co_return result<void>();
  };
  auto runs = [&]() -> task<result<void>> { co_return co_await driver_->transact({}, forever); };
  auto closes = [&]() -> task<result<void>> {
    GG_CO_CHECK(co_await sleep_for(20ms));
    driver_->close();
    co_return result<void>();
  };
  std::vector<task<result<void>>> tasks;
  tasks.push_back(runs());
  tasks.push_back(closes());
  const auto outcomes = run_all(std::move(tasks));
  ASSERT_FALSE(outcomes[0]);
  EXPECT_TRUE(outcomes[0].error().is(errc::cancelled)) << outcomes[0].error().message;
}

TEST_F(SqliteDatabase, TheReaderCannotWrite) {
  const SqlBody body = [](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (1, x'61')"));
    co_return result<void>();
  };
  EXPECT_FALSE(run([&] { return driver_->read(body); }));
  EXPECT_EQ(run([&] { return count(*driver_); }).value(), 0);
}

TEST_F(SqliteDatabase, AnExceptionOfABodyUndoesItsTransaction) {
  const SqlBody body = [](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (1, x'61')"));
    throw std::logic_error("a bug");
  };
  const result<void> outcome = run([&] { return driver_->transact({}, body); });
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::internal));
  EXPECT_EQ(run([&] { return count(*driver_); }).value(), 0);
  EXPECT_TRUE(run([&] { return insert(*driver_, 1, "a"); }).has_value());
}

TEST_F(SqliteDatabase, TheLogIsMovedIntoTheFileAndDoesNotGrowForEver) {
  const std::string bytes(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 150; ++i) {
    const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
      GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name, data) VALUES (?, x'61', ?)", bound(i, bytes)));
      co_return result<void>();
    };
    ASSERT_TRUE(run([&] { return driver_->transact({}, body); }).has_value());
  }
  EXPECT_GT(std::filesystem::file_size(database_.file()), std::uintmax_t{100} << 20);
  EXPECT_LT(std::filesystem::file_size(database_.file() + "-wal"), std::uintmax_t{80} << 20);
}

TEST_F(SqliteDatabase, ProcessesShareTheFile) {
  constexpr int kProcesses = 3;
  constexpr int kRows = 40;
  driver_->close();
  driver_.reset();  // a child must not inherit an open database
  std::vector<pid_t> children;
  for (int child = 0; child < kProcesses; ++child) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      asio::io_context loop;
      int failures = 0;
      {
        const auto driver = make_sqlite_driver(database_.sqlite_options()).value();
        for (int i = 0; i < kRows; ++i)
          if (!run_to_end(loop, insert(*driver, child, std::to_string(i)))) ++failures;
      }
      ::_exit(failures == 0 ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  driver_ = database_.open();
  EXPECT_EQ(run([&] { return count(*driver_); }).value(), kProcesses * kRows);
}

}  // namespace
}  // namespace geogrid::test
