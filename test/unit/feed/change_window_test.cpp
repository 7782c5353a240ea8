#include "meta/change_window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace geogrid {
namespace {

using namespace std::chrono_literals;
using Time = ChangeWindow::Time;

Time at(std::chrono::milliseconds since_start) {
  return Time(1h) + since_start;
}
bool add(ChangeWindow& window, std::uint64_t id) {
  return window.add(ChangeId(id));
}

TEST(ChangeWindow, WithoutGapsNothingIsRemembered) {
  ChangeWindow window(10s);
  window.start(ChangeId(5));
  for (std::uint64_t id = 6; id <= 1000; ++id) EXPECT_TRUE(add(window, id));
  window.read_all(at(0ms), at(1ms));
  EXPECT_TRUE(window.settled());
  EXPECT_EQ(window.floor(), ChangeId(1000));
  EXPECT_EQ(window.remembered(), 0U);
  EXPECT_FALSE(add(window, 1000));
  EXPECT_FALSE(add(window, 5));
}

TEST(ChangeWindow, ALateIdIsNewOnce) {
  ChangeWindow window(10s);
  window.start(ChangeId(0));
  EXPECT_TRUE(add(window, 1));
  EXPECT_TRUE(add(window, 4));
  window.read_all(at(0ms), at(1ms));
  EXPECT_EQ(window.floor(), ChangeId(1));
  EXPECT_EQ(window.newest(), ChangeId(4));
  EXPECT_TRUE(add(window, 3));
  EXPECT_FALSE(add(window, 4));
  EXPECT_FALSE(add(window, 3));
  EXPECT_FALSE(window.settled());
  EXPECT_TRUE(add(window, 2));  // the gap is closed: all of it is settled
  EXPECT_TRUE(window.settled());
  EXPECT_EQ(window.floor(), ChangeId(4));
  EXPECT_EQ(window.remembered(), 0U);
}

TEST(ChangeWindow, AGapThatStaysIsGivenUpAfterTheWindow) {
  ChangeWindow window(10s);
  window.start(ChangeId(0));
  add(window, 5);
  window.read_all(at(0ms), at(1ms));
  window.read_all(at(10000ms), at(10001ms));
  EXPECT_EQ(window.floor(), ChangeId(0));  // it was seen at 1 ms, so that its rivals have until 10,001 ms
  window.read_all(at(10001ms), at(10002ms));
  EXPECT_EQ(window.floor(), ChangeId(5));
  EXPECT_TRUE(window.settled());
}

TEST(ChangeWindow, AfterAnOutageWhatCameMeanwhileIsStillNew) {
  ChangeWindow window(10s);
  window.start(ChangeId(0));
  add(window, 5);
  window.read_all(at(0ms), at(1ms));
  // The store is away for an hour; 3 was committed just before that. The first read must still start below
  // it.
  EXPECT_EQ(window.floor(), ChangeId(0));
  EXPECT_TRUE(add(window, 3));
  EXPECT_FALSE(add(window, 5));
  window.read_all(at(3600000ms), at(3600001ms));
  EXPECT_EQ(window.floor(), ChangeId(5));
}

TEST(ChangeWindow, ReadingOnlyTheNewestSettlesNothing) {
  ChangeWindow window(10s);
  window.start(ChangeId(0));
  add(window, 5);
  window.read_all(at(0ms), at(1ms));
  add(window, 9);
  window.read_newest(at(60000ms));
  EXPECT_EQ(window.floor(), ChangeId(0));
  window.read_all(at(60001ms), at(60002ms));
  EXPECT_EQ(window.floor(), ChangeId(5));  // 9 was first seen a moment ago
  window.read_all(at(70000ms), at(70001ms));
  EXPECT_EQ(window.floor(), ChangeId(9));
}

TEST(ChangeWindow, StartForgetsAll) {
  ChangeWindow window(10s);
  window.start(ChangeId(100));
  add(window, 150);
  window.start(ChangeId(10));
  EXPECT_TRUE(window.settled());
  EXPECT_EQ(window.remembered(), 0U);
  EXPECT_TRUE(add(window, 11));
}

/// A log whose ids are handed out by several servers, each in its own residue class, and become visible when
/// their transactions commit, or never; with a reader that is away now and then.
class Simulation {
 public:
  Simulation(unsigned seed, std::uint64_t servers) : random_(seed), servers_(servers), next_(servers) {
    for (std::uint64_t i = 0; i < servers; ++i) next_[i] = i + 1;
    window_.start(ChangeId(0));
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      now_ += 1ms * pick(50);
      begin_some();
      if (now_ >= away_until_) read(pick(4) != 0);
      if (pick(500) == 0) away_until_ = now_ + 1ms * pick(60000);
    }
    now_ += 30s;
    read(true);
  }

  std::vector<std::uint64_t> committed() const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, when] : visible_at_) ids.push_back(id);
    return ids;
  }
  std::vector<std::uint64_t> delivered;

 private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

  // Each server hands out the next of its class above all that it knows of.
  void begin_some() {
    for (unsigned i = pick(4); i > 0; --i) {
      std::uint64_t& next = next_[pick(static_cast<unsigned>(servers_))];
      std::uint64_t highest_visible = 0;
      for (const auto& [id, when] : visible_at_)
        if (when <= now_) highest_visible = std::max(highest_visible, id);
      while (next <= highest_visible) next += servers_;
      if (pick(10) != 0)
        visible_at_[next] = now_ + (pick(3) == 0 ? 1ms * pick(9000) : 0ms);  // else rolled back
      next += servers_;
    }
  }

  void read(bool whole) {
    const ChangeId from = whole ? window_.floor() : window_.newest();
    for (const auto& [id, when] : visible_at_)
      if (id > from.value && when <= now_ && window_.add(ChangeId(id))) delivered.push_back(id);
    if (whole)
      window_.read_all(now_, now_);
    else
      window_.read_newest(now_);
  }

  std::mt19937 random_;
  std::uint64_t servers_;
  std::vector<std::uint64_t> next_;
  std::map<std::uint64_t, Time> visible_at_;
  Time now_{1h};
  Time away_until_{};
  ChangeWindow window_{10s};
};

TEST(ChangeWindow, EachCommittedChangeIsDeliveredExactlyOnce) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    Simulation simulation(seed, 1 + seed % 5);
    simulation.run(400);
    std::sort(simulation.delivered.begin(), simulation.delivered.end());
    ASSERT_EQ(simulation.delivered, simulation.committed()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace geogrid
