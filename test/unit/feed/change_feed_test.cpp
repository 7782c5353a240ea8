#include "meta/change_feed.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <map>
#include <set>

namespace geogrid {
namespace {

using namespace std::chrono_literals;

/// A change log in memory that a test can hold back, prune, break and replace.
class FakeLog final : public ChangeLog {
 public:
  task<result<ChangeId>> latest_change() override {
    if (broken) co_return away();
    co_return ChangeId(rows.empty() ? pruned : *rows.rbegin());
  }
  task<result<std::vector<Change>>> changes_after(ChangeId after, std::size_t limit) override {
    if (broken) co_return away();
    std::vector<Change> page;
    for (auto row = rows.upper_bound(after.value); row != rows.end() && page.size() < limit; ++row) {
      page.emplace_back();
      page.back().id = ChangeId(*row);
    }
    rows_read += page.size();
    co_return page;
  }
  task<result<std::uint64_t>> change_hint() override {
    ++polls;
    if (broken) co_return away();
    co_return rows.empty() ? 0 : *rows.rbegin();  // as MariaDB's: late rows do not move it
  }
  task<result<ChangeId>> pruned_up_to() override {
    if (broken) {
      ++polls;  // a feed that has not started yet asks nothing else
      co_return away();
    }
    co_return ChangeId(pruned);
  }
  task<result<bool>> prune_changes(std::chrono::seconds) override { co_return false; }

  void prune(std::uint64_t up_to) {
    pruned = up_to;
    rows.erase(rows.begin(), rows.upper_bound(up_to));
  }

  std::set<std::uint64_t> rows;
  std::uint64_t pruned = 0;
  bool broken = false;
  std::size_t polls = 0;
  std::size_t rows_read = 0;

 private:
  static Error away() { return fail(errc::unavailable, "the store is away"); }
};

class Recorder final : public ChangeListener {
 public:
  void on_changes(std::span<const Change> changes) override {
    for (const Change& change : changes) ids.push_back(change.id.value);
  }
  void on_gap() override { ++gaps; }
  std::vector<std::uint64_t> ids;
  int gaps = 0;
};

class ChangeFeedTest : public testing::Test {
 protected:
  ChangeFeedTest() { feed_->subscribe(recorder_); }
  ~ChangeFeedTest() override {
    stop_.emit(asio::cancellation_type::terminal);
    loop_.restart();
    loop_.run();
  }

  void start() {
    asio::co_spawn(
        loop_, feed_->run(),
        asio::bind_cancellation_slot(
            stop_.slot(), [this](const std::exception_ptr&, const result<void>&) { ended_ = true; }));
    polls(2);
  }
  /// Lets the feed poll that many times more.
  void polls(std::size_t count) {
    const std::size_t end = log_.polls + count;
    loop_.restart();
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (log_.polls < end && std::chrono::steady_clock::now() < deadline) loop_.run_one_for(1s);
    ASSERT_GE(log_.polls, end);
  }

  asio::io_context loop_;
  asio::cancellation_signal stop_;
  FakeLog log_;
  Recorder recorder_;
  bool ended_ = false;
  std::unique_ptr<ChangeFeed> feed_ =
      make_change_feed(log_, Log(), {.interval = 1ms, .window = 10s, .page = 10});
};

TEST_F(ChangeFeedTest, DeliversWhatComesAfterTheStartInOrder) {
  for (std::uint64_t id = 1; id <= 35; ++id) log_.rows.insert(id);
  start();
  EXPECT_TRUE(recorder_.ids.empty());
  std::vector<std::uint64_t> expected;
  for (std::uint64_t id = 36; id <= 80; ++id) {
    log_.rows.insert(id);
    expected.push_back(id);
  }
  polls(2);
  EXPECT_EQ(recorder_.ids, expected);
  EXPECT_EQ(recorder_.gaps, 0);
}

TEST_F(ChangeFeedTest, IdleLogIsNotRead) {
  for (std::uint64_t id = 1; id <= 35; ++id) log_.rows.insert(id);
  start();
  polls(2);
  const std::size_t read = log_.rows_read;
  polls(20);
  EXPECT_EQ(log_.rows_read, read);
}

TEST_F(ChangeFeedTest, LateIdsAreDeliveredOnce) {
  log_.rows = {1, 2, 3};
  start();
  log_.rows.insert({7, 9});
  polls(3);
  EXPECT_EQ(recorder_.ids, (std::vector<std::uint64_t>{7, 9}));
  log_.rows.insert(5);  // the hint does not move
  polls(3);
  EXPECT_EQ(recorder_.ids, (std::vector<std::uint64_t>{7, 9, 5}));
}

TEST_F(ChangeFeedTest, AnIdBelowTheStartThatIsCommittedLaterIsDelivered) {
  log_.rows = {10, 11, 13};
  start();
  log_.rows.insert(12);
  polls(3);
  EXPECT_EQ(recorder_.ids, (std::vector<std::uint64_t>{12}));
}

TEST_F(ChangeFeedTest, NewRowsDoNotWaitForTheRereadingOfManyKnownOnes) {
  start();
  for (std::uint64_t id = 3; id < 3000; id += 3) log_.rows.insert(id);  // a residue class: gaps for ever
  polls(3);
  const std::size_t before = log_.rows_read;
  for (std::uint64_t id = 3000; id < 3060; id += 3) {
    log_.rows.insert(id);
    polls(1);
  }
  polls(1);
  EXPECT_EQ(recorder_.ids.back(), 3057U);
  // 20 polls: less than one reading of all that is known, and by far less than 20.
  EXPECT_LT(log_.rows_read - before, 1100U);
}

TEST_F(ChangeFeedTest, GoesOnAfterAnOutage) {
  log_.rows = {1, 2, 3};
  start();
  log_.broken = true;
  polls(3);
  log_.rows.insert({4, 5});
  log_.broken = false;
  polls(3);
  EXPECT_EQ(recorder_.ids, (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(recorder_.gaps, 0);
  EXPECT_FALSE(ended_);
}

TEST_F(ChangeFeedTest, StartsWhenTheStoreComes) {
  log_.broken = true;
  start();
  log_.rows = {1, 2};
  log_.broken = false;
  polls(2);
  log_.rows.insert(3);
  polls(3);
  EXPECT_EQ(recorder_.ids, (std::vector<std::uint64_t>{3}));
}

TEST_F(ChangeFeedTest, RowsPrunedDuringAnOutageAreAGap) {
  log_.rows = {1, 2, 3};
  start();
  log_.broken = true;
  polls(3);
  for (std::uint64_t id = 4; id <= 20; ++id) log_.rows.insert(id);
  log_.prune(10);
  log_.broken = false;
  polls(3);
  EXPECT_EQ(recorder_.gaps, 1);
  EXPECT_TRUE(recorder_.ids.empty());
  log_.rows.insert(21);
  polls(3);
  EXPECT_EQ(recorder_.ids, (std::vector<std::uint64_t>{21}));
}

TEST_F(ChangeFeedTest, PruningWhatWasReadIsNone) {
  log_.rows = {1, 2, 3};
  start();
  log_.prune(3);
  polls(2);
  log_.broken = true;
  polls(2);
  log_.broken = false;
  polls(2);
  EXPECT_EQ(recorder_.gaps, 0);
  log_.rows.insert(4);
  polls(3);
  EXPECT_EQ(recorder_.ids, (std::vector<std::uint64_t>{4}));
}

TEST_F(ChangeFeedTest, AReplacedLogIsAGap) {
  log_.rows = {1, 2, 3, 4, 5, 6};
  start();
  log_.rows = {1, 2};
  polls(3);
  EXPECT_EQ(recorder_.gaps, 1);
  log_.rows.insert(3);
  polls(3);
  EXPECT_EQ(recorder_.ids, (std::vector<std::uint64_t>{3}));
}

class Quitter final : public ChangeListener {
 public:
  explicit Quitter(ChangeFeed& feed) : feed_(feed) {}
  void on_changes(std::span<const Change>) override {
    ++calls;
    feed_.unsubscribe(*this);
  }
  void on_gap() override {}
  int calls = 0;

 private:
  ChangeFeed& feed_;
};

TEST_F(ChangeFeedTest, AListenerMayLeaveInItsOwnCall) {
  Quitter quitter(*feed_);
  feed_->subscribe(quitter);
  Recorder last;
  feed_->subscribe(last);
  start();
  log_.rows.insert(1);
  polls(2);
  log_.rows.insert(2);
  polls(2);
  EXPECT_EQ(quitter.calls, 1);
  EXPECT_EQ(last.ids, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(ChangeFeedTest, EndsWhenCancelled) {
  start();
  stop_.emit(asio::cancellation_type::terminal);
  loop_.restart();
  loop_.run();
  EXPECT_TRUE(ended_);
}

}  // namespace
}  // namespace geogrid
