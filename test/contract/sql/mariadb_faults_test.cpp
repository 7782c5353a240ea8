// What only a server can do to its clients: deadlock, die, hang, refuse, cut a connection in the middle of
// COMMIT.

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "contract/sql/sql_fixture.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

using namespace std::chrono_literals;

class MariadbFaults : public MariadbTest {
 protected:
  std::unique_ptr<SqlDriver> open(MariadbDriverOptions options) {
    return make_mariadb_driver(std::move(options));
  }
  void settle(std::unique_ptr<SqlDriver>& driver) {
    driver->close();
    loop_.restart();
    loop_.run();
    driver.reset();
  }
  std::string rows() const { return server_.execute("SELECT COUNT(*) FROM " + database_.name() + ".t")[0]; }
  void kill_connections() const {
    for (const std::string& id :
         server_.execute("SELECT id FROM information_schema.processlist WHERE user = 'geogrid' AND db = '" +
                         database_.name() + "'"))
      server_.execute("KILL CONNECTION " + id);
  }
};

TEST_F(MariadbFaults, TransactionsInOppositeOrderBothEndWell) {
  auto driver = open(database_.mariadb_options());
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "n"); }).has_value());
  ASSERT_TRUE(run([&] { return insert(*driver, 2, "n"); }).has_value());
  int bodies = 0;
  int first_halves = 0;
  // Each waits until both hold their first lock: a deadlock for certain, the first time.
  auto lock_both = [&](std::int64_t first, std::int64_t second) -> task<result<void>> {
    const SqlBody body = [&, first, second](SqlConnection& c) -> task<result<void>> {
      ++bodies;
      GG_CO_CHECK(co_await c.run("UPDATE t SET size = COALESCE(size, 0) + 1 WHERE parent = ?", bound(first)));
      ++first_halves;
      while (first_halves < 2) {
        GG_CO_CHECK(co_await sleep_for(1ms));
      }
      GG_CO_CHECK(
          co_await c.run("UPDATE t SET size = COALESCE(size, 0) + 1 WHERE parent = ?", bound(second)));
      co_return result<void>();
    };
    co_return co_await driver->transact({}, body);
  };
  std::vector<task<result<void>>> tasks;
  tasks.push_back(lock_both(1, 2));
  tasks.push_back(lock_both(2, 1));
  for (const result<void>& outcome : run_all(std::move(tasks)))
    EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(bodies, 3);
  EXPECT_EQ(server_.execute("SELECT SUM(size) FROM " + database_.name() + ".t")[0], "4");
  settle(driver);
}

TEST_F(MariadbFaults, ABodyThatSwallowsADeadlockIsRunAgain) {
  auto driver = open(database_.mariadb_options());
  int bodies = 0;
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (1, 'a')"));
    if (++bodies == 1)
      co_await c.run(
          "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found, says the test'");
    co_return result<void>();
  };
  const result<void> outcome = run([&] { return driver->transact({}, body); });
  EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(bodies, 2);
  EXPECT_EQ(rows(), "1");
  settle(driver);
}

TEST_F(MariadbFaults, IdleConnectionsThatTheServerEndedDoNotShow) {
  auto driver = open(database_.mariadb_options());
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "a"); }).has_value());
  kill_connections();
  EXPECT_TRUE(run([&] { return insert(*driver, 1, "b"); }).has_value());
  kill_connections();
  EXPECT_EQ(run([&] { return count(*driver); }).value(), 2);
  kill_connections();
  EXPECT_TRUE(run([&] { return driver->execute_script("CREATE TABLE more (id INT)"); }).has_value());
  settle(driver);
}

TEST_F(MariadbFaults, AConnectionKilledInTheMiddleOfATransactionStartsItAnew) {
  auto driver = open(database_.mariadb_options());
  int bodies = 0;
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (1, 'a')"));
    if (++bodies == 1) kill_connections();
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (1, 'b')"));
    co_return result<void>();
  };
  const result<void> outcome = run([&] { return driver->transact({}, body); });
  EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(bodies, 2);
  EXPECT_EQ(rows(), "2");
  settle(driver);
}

TEST_F(MariadbFaults, ServerRestartsInBetween) {
  auto driver = open(database_.mariadb_options());
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "a"); }).has_value());
  server_.stop();
  server_.start();
  EXPECT_TRUE(run([&] { return insert(*driver, 1, "b"); }).has_value());
  server_.kill();
  server_.start();
  EXPECT_TRUE(run([&] { return count(*driver); }).has_value());
  EXPECT_TRUE(run([&] { return insert(*driver, 1, "c"); }).has_value());
  settle(driver);
}

TEST_F(MariadbFaults, AnOutageIsReportedInBoundedTimeAndEnds) {
  MariadbDriverOptions options = database_.mariadb_options();
  options.retry_for = 300ms;
  auto driver = open(options);
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "a"); }).has_value());
  server_.kill();
  for (int i = 0; i < 3; ++i) {
    const auto outcome = run([&] { return insert(*driver, 1, "b"); });
    ASSERT_FALSE(outcome);
    EXPECT_TRUE(outcome.error().is(errc::unavailable)) << outcome.error().message;
  }
  server_.start();
  EXPECT_TRUE(wait_until([&] { return run([&] { return count(*driver); }).has_value(); }));
  EXPECT_TRUE(run([&] { return insert(*driver, 1, "b"); }).has_value());
  settle(driver);
}

TEST_F(MariadbFaults, InALongOutageCallsFailQuickly) {
  MariadbDriverOptions options = database_.mariadb_options();
  options.retry_for = 1s;
  auto driver = open(options);
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "a"); }).has_value());
  server_.kill();
  // The first waits for a second; if each did, the whole program would run into its time limit.
  for (int i = 0; i < 1000; ++i) {
    const auto outcome = run([&] { return count(*driver); });
    ASSERT_FALSE(outcome);
    ASSERT_TRUE(outcome.error().is(errc::unavailable)) << outcome.error().message;
  }
  server_.start();
  EXPECT_TRUE(wait_until([&] { return run([&] { return count(*driver); }).has_value(); }));
  settle(driver);
}

TEST_F(MariadbFaults, AServerThatHangsHoldsNobody) {
  MariadbDriverOptions options = database_.mariadb_options();
  options.targets[0].statement_timeout = 1s;
  options.targets[0].connect_timeout = 1s;
  options.retry_for = 100ms;
  auto driver = open(options);
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "a"); }).has_value());
  server_.pause();
  const auto read = run([&] { return count(*driver); });
  const auto written = run([&] { return insert(*driver, 1, "b"); });
  server_.resume();
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().is(errc::unavailable)) << read.error().message;
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().is(errc::unavailable)) << written.error().message;
  EXPECT_TRUE(wait_until([&] { return run([&] { return count(*driver); }).has_value(); }));
  settle(driver);
}

TEST_F(MariadbFaults, AStatementThatTakesTooLongEndsOnTheServerToo) {
  MariadbDriverOptions options = database_.mariadb_options();
  options.targets[0].statement_timeout = 1s;
  options.retry_for = 10ms;
  auto driver = open(options);
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("SELECT SLEEP(600)"));
    co_return result<void>();
  };
  EXPECT_FALSE(run([&] { return driver->read(body); }));
  EXPECT_TRUE(wait_until([&] {
    return server_.execute(
               "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(600)'")[0] == "0";
  }));
  settle(driver);
}

TEST_F(MariadbFaults, APoolThatIsAllInUseIsWaitedForAndThenReported) {
  MariadbDriverOptions options = database_.mariadb_options();
  options.connections = 2;
  options.acquire_timeout = 100ms;
  auto driver = open(options);
  bool release = false;
  auto hold = [&]() -> task<result<void>> {
    const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
      GG_CO_CHECK(co_await c.run("SELECT 1"));
      while (!release) {
        GG_CO_CHECK(co_await sleep_for(1ms));
      }
      co_return result<void>();
    };
    co_return co_await driver->read(body);
  };
  auto wait = [&]() -> task<result<void>> {
    GG_CO_CHECK(co_await sleep_for(20ms));
    const auto rows_now = co_await count(*driver);
    release = true;
    if (!rows_now) co_return rows_now.error();
    co_return result<void>();
  };
  std::vector<task<result<void>>> tasks;
  tasks.push_back(hold());
  tasks.push_back(hold());
  tasks.push_back(wait());
  const auto outcomes = run_all(std::move(tasks));
  EXPECT_TRUE(outcomes[0] && outcomes[1]);
  ASSERT_FALSE(outcomes[2]);
  EXPECT_TRUE(outcomes[2].error().is(errc::unavailable)) << outcomes[2].error().message;
  // Many more callers than connections, each in its turn.
  std::vector<task<result<void>>> many;
  auto one = [&](std::int64_t parent) -> task<result<void>> {
    const auto id = co_await insert(*driver, parent, "n");
    if (!id) co_return id.error();
    co_return result<void>();
  };
  for (std::int64_t i = 0; i < 50; ++i) many.push_back(one(i));
  for (const result<void>& outcome : run_all(std::move(many)))
    EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(rows(), "50");
  EXPECT_LE(std::stoi(server_.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE db = '" +
                                      database_.name() + "'")[0]),
            2);
  settle(driver);
}

TEST_F(MariadbFaults, RefusalsSayWhatToDoAndNotThePassword) {
  struct Case {
    std::string what, word;
    std::function<void(MariadbDriverOptions&)> spoil;
  };
  const std::vector<Case> cases{
      {"password", "password_file", [](auto& o) { o.targets[0].password = "wrong but secret"; }},
      {"database", "metadata.url", [](auto& o) { o.targets[0].database = "geogrid_nothing"; }},
      {"port", "check that the server runs", [](auto& o) { o.targets[0].port = 1; }},
      {"host", "check that the server runs", [](auto& o) { o.targets[0].host = "no-such-host.invalid"; }},
      {"tls", "tls.ca", [](auto& o) { o.targets[0].tls_ca = "/nowhere/ca.pem"; }}};
  for (const Case& c : cases) {
    MariadbDriverOptions options = database_.mariadb_options();
    c.spoil(options);
    auto driver = open(options);
    const auto outcome = run([&] { return count(*driver); });
    ASSERT_FALSE(outcome) << c.what;
    EXPECT_TRUE(outcome.error().is(errc::unavailable)) << outcome.error().message;
    EXPECT_NE(outcome.error().message.find(c.word), std::string::npos) << outcome.error().message;
    EXPECT_EQ(outcome.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(outcome.error().message.find(MariaDbServer::kPassword), std::string::npos);
    settle(driver);
  }
}

TEST_F(MariadbFaults, TheNextHostIsTakenWhenOneDoesNotAnswer) {
  MariadbDriverOptions options = database_.mariadb_options();
  TcpProxy proxy(loop_, server_.port());
  options.targets.insert(options.targets.begin(), options.targets[0]);
  options.targets[0].port = proxy.port();
  options.retry_for = 5s;
  auto driver = open(options);
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "a"); }).has_value());
  proxy.close();  // the first host goes
  EXPECT_TRUE(run([&] { return insert(*driver, 1, "b"); }).has_value());
  EXPECT_EQ(rows(), "2");
  settle(driver);
}

class MariadbCommit : public MariadbFaults, public testing::WithParamInterface<TcpProxy::Cut> {};

TEST_P(MariadbCommit, IsDoneExactlyOnceThoughItsAnswerIsLost) {
  TcpProxy proxy(loop_, server_.port());
  MariadbDriverOptions options = database_.mariadb_options();
  options.targets[0].port = proxy.port();
  auto driver = open(options);
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "before"); }).has_value());
  for (int i = 0; i < 10; ++i) {
    proxy.cut_once(GetParam(), "COMMIT");
    // Run twice, this would break the unique key.
    const auto id =
        run([&] { return insert(*driver, 2, std::to_string(i), {.durable = false, .exactly_once = true}); });
    ASSERT_TRUE(id) << id.error().message;
    EXPECT_TRUE(proxy.has_cut());
    EXPECT_EQ(server_.execute("SELECT id FROM " + database_.name() + ".t WHERE parent = 2 AND name = '" +
                              std::to_string(i) + "'"),
              std::vector<std::string>{std::to_string(*id)});
  }
  EXPECT_EQ(rows(), "11");
  proxy.close();
  settle(driver);
}

INSTANTIATE_TEST_SUITE_P(Cuts, MariadbCommit,
                         testing::Values(TcpProxy::Cut::before, TcpProxy::Cut::after,
                                         TcpProxy::Cut::in_the_midst),
                         [](const testing::TestParamInfo<TcpProxy::Cut>& parameter) {
                           if (parameter.param == TcpProxy::Cut::before) return "BeforeTheServerHasIt";
                           return parameter.param == TcpProxy::Cut::after ? "AfterTheServerAnswered"
                                                                          : "InTheMidst";
                         });

TEST_F(MariadbFaults, NotesOfOperationsArePruned) {
  server_.execute("INSERT INTO " + database_.name() +
                  ".operation_log VALUES (1, 1, UTC_TIMESTAMP() - INTERVAL 2 DAY)");
  auto driver = open(database_.mariadb_options());
  for (int i = 0; i < 300; ++i)
    ASSERT_TRUE(
        run([&] { return insert(*driver, i, "n", {.durable = false, .exactly_once = true}); }).has_value());
  EXPECT_LT(std::stoi(server_.execute("SELECT COUNT(*) FROM " + database_.name() + ".operation_log")[0]),
            257);
  EXPECT_EQ(
      server_.execute("SELECT COUNT(*) FROM " + database_.name() + ".operation_log WHERE origin = 1")[0],
      "0");
  settle(driver);
}

TEST_F(MariadbFaults, SessionsAreSetUpAsPromised) {
  auto driver = open(database_.mariadb_options());
  std::vector<std::string> settings;
  const OnRow keep = [&](const SqlRow& row) {
    for (int i = 0; i < 4; ++i) settings.emplace_back(row.bytes(i));
  };
  const SqlBody body = [&](SqlConnection& c) -> task<result<void>> {
    settings.clear();
    GG_CO_CHECK(co_await c.run(
        "SELECT @@character_set_connection, @@tx_isolation, @@time_zone, @@wsrep_sync_wait", {}, keep));
    co_return result<void>();
  };
  ASSERT_TRUE(run([&] { return driver->read(body); }).has_value());
  EXPECT_EQ(settings, (std::vector<std::string>{"binary", "READ-COMMITTED", "+00:00", "1"}));
  const SqlBody too_long = [&](SqlConnection& c) -> task<result<void>> {
    const std::string name(256, 'x');
    GG_CO_CHECK(co_await c.run("INSERT INTO t (parent, name) VALUES (1, ?)", bound(name)));
    co_return result<void>();
  };
  EXPECT_FALSE(run([&] { return driver->transact({}, too_long); }));  // strict: not cut short
  settle(driver);
}

TEST_F(MariadbFaults, ACancelledCallEndsAndLeavesTheDriverWhole) {
  auto driver = open(database_.mariadb_options());
  ASSERT_TRUE(run([&] { return insert(*driver, 1, "a"); }).has_value());
  const SqlBody slow = [](SqlConnection& c) -> task<result<void>> {
    GG_CO_CHECK(co_await c.run("SELECT SLEEP(20)"));
    co_return result<void>();
  };
  asio::cancellation_signal stop;
  std::optional<bool> ended_well;
  asio::co_spawn(loop_, driver->read(slow),
                 asio::bind_cancellation_slot(stop.slot(),
                                              [&](const std::exception_ptr& failure, const result<void>& o) {
                                                ended_well = !failure && o.has_value();
                                              }));
  auto canceller = [&]() -> task<result<void>> {
    GG_CO_CHECK(co_await sleep_for(50ms));
    stop.emit(asio::cancellation_type::terminal);
    while (!ended_well) {
      GG_CO_CHECK(co_await sleep_for(1ms));
    }
    co_return result<void>();
  };
  ASSERT_TRUE(run(canceller).has_value());
  EXPECT_FALSE(*ended_well);
  EXPECT_EQ(run([&] { return count(*driver); }).value(), 1);
  settle(driver);
}

TEST_F(MariadbFaults, ALoopThatGoesWithCallsInFlightTakesThemAlong) {
  for (const auto after : {0ms, 5ms, 20ms}) {
    auto loop = std::make_unique<asio::io_context>();
    auto driver = open(database_.mariadb_options());
    int connected = 0;
    const SqlBody slow = [&connected](SqlConnection& c) -> task<result<void>> {
      ++connected;
      const std::string bytes(3000000, 'x');
      for (int i = 0; i < 1000; ++i) {
        GG_CO_CHECK(co_await c.run("SELECT ?, SLEEP(0.01)", bound(bytes)));
      }
      co_return result<void>();
    };
    asio::co_spawn(*loop, driver->read(slow), asio::detached);
    asio::co_spawn(*loop, driver->transact({}, slow), asio::detached);
    // A loop must not go while a thread still connects for it.
    ASSERT_TRUE(wait_until([&] { return loop->run_one_for(1ms) > 0 && connected == 2; }));
    loop->run_for(after);
    loop.reset();
    driver.reset();
  }
}

}  // namespace
}  // namespace geogrid::test
