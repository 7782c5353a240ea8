// What the intent runner owes to its callers, over real volumes and stores.

#include <filesystem>

#include "contract/intents/owing.hpp"
#include "intents/owed_batch.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Runner : public OwingTest {
 protected:
  NodeWork work(const TestNode& node) {
    return {*archive->store, node.node_volume(), std::make_shared<StopSignal>(), Log()};
  }
  template <typename Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    archive->loop.restart();
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      archive->loop.run_for(5ms);
    }
    return true;
  }
};

TEST_P(Runner, ChangesAreCarriedOutInOrder) {
  put("/a/1", "one");
  put("/a/2", "two");
  unlink("/a/1");
  rename("/a", "/b");
  rename("/b/2", "/b/1");
  for (const TestNode* node : {&cream(), &jam()}) {
    EXPECT_TRUE(drain(*node));
    EXPECT_EQ(archive->files_on(*node), (std::vector<std::string>{"/b/1"})) << node->name;
    EXPECT_EQ(archive->content(*node, "/b/1"), "two");
    EXPECT_EQ(archive->content(*node, in_trash("/a/1")), "one");
    EXPECT_EQ(owed(*node), 0U);
    EXPECT_TRUE(drain(*node));  // nothing to do
  }
  archive->expect_sound();
}

TEST_P(Runner, SoonGathersAndFinishWaits) {
  for (int i = 0; i < 20; ++i) archive->put(cream(), "/a/" + std::to_string(i), "x");
  archive->walk(cream());
  for (int i = 0; i < 20; ++i) {
    const Removed removed = unlink("/a/" + std::to_string(i));
    runner->soon(removed.owed);
  }
  EXPECT_TRUE(until([&] { return !archive->exists(cream(), "/a/19"); }));
  finish(runner);
  EXPECT_EQ(owed(cream()), 0U);
  EXPECT_TRUE(archive->files_on(cream()).empty());
}

TEST_P(Runner, RenamesThatMayGoAtOnceDo) {
  put("/a", "one");
  const Renamed renamed = rename("/a", "/b");
  ASSERT_TRUE(renamed.at_once.contains(cream().index));
  archive->must(runner->carry_out_now(cream().index, renamed.intents));
  EXPECT_TRUE(archive->exists(cream(), "/b"));
  EXPECT_FALSE(archive->exists(cream(), "/a"));
  EXPECT_EQ(owed(cream()), renamed.intents.size());  // until it is power-safe
  finish(runner);
  EXPECT_EQ(owed(cream()), 0U);
  EXPECT_TRUE(drain(jam()));
  archive->expect_sound();
}

TEST_P(Runner, WhatADrainDidIsNotDoneAgain) {
  put("/a", "one");
  const Renamed renamed = rename("/a", "/b");
  EXPECT_TRUE(drain(cream()));
  archive->put(cream(), "/a", "a stranger");
  archive->must(runner->carry_out_now(cream().index, renamed.intents));
  EXPECT_EQ(archive->content(cream(), "/a"), "a stranger");
  EXPECT_EQ(archive->content(cream(), "/b"), "one");
}

TEST_P(Runner, AnAbsentNodeCatchesUpAndHoldsUpNobody) {
  put("/a/1", "one");
  put("/a/2", "two");
  const fs::path away = archive->scratch.path() / "away";
  fs::rename(jam().root, away);
  unlink("/a/1");
  rename("/a", "/b");
  EXPECT_TRUE(drain(cream()));
  const auto absent = archive->run(runner->drain(jam().index));
  ASSERT_FALSE(absent) << *absent;
  EXPECT_TRUE(absent.error().is(errc::volume_absent)) << absent.error().message;
  EXPECT_EQ(owed(jam()), 2U);
  fs::rename(away, jam().root);
  EXPECT_TRUE(until([&] {
    runner->soon(NodeSet::of(jam().index));
    return archive->exists(jam(), "/b/2");
  }));
  finish(runner);
  EXPECT_EQ(owed(jam()), 0U);
  EXPECT_EQ(archive->files_on(jam()), (std::vector<std::string>{"/b/2"}));
  archive->expect_sound();
}

TEST_P(Runner, ExchangesAreDoneOnce) {
  put("/a", "one");
  put("/b", "two");
  rename("/a", "/b", RenameMode::exchange);
  EXPECT_TRUE(drain(cream()));
  EXPECT_TRUE(drain(jam()));
  EXPECT_EQ(archive->content(cream(), "/a"), "two");
  EXPECT_EQ(archive->content(jam(), "/b"), "one");
  archive->expect_sound();
}

TEST_P(Runner, SymlinksAreMadeUnlessTheyAreGone) {
  const auto make = [&](const std::string& name) {
    NewNode link;
    link.parent = kRootInode;
    link.name = name;
    link.type = FileType::symlink;
    link.link_target = "to/" + name;
    link.by = kMe;
    return archive->must(archive->store->make_node(std::move(link)));
  };
  make("kept");
  make("gone");
  unlink("/gone");
  EXPECT_TRUE(drain(cream()));
  EXPECT_TRUE(drain(jam()));
  EXPECT_EQ(fs::read_symlink(cream().root / "kept"), "to/kept");
  EXPECT_EQ(fs::read_symlink(jam().root / "kept"), "to/kept");
  EXPECT_FALSE(archive->exists(jam(), "/gone"));
}

TEST_P(Runner, WhatASlowWorkerHitIsPutBack) {
  put("/x", "old");
  unlink("/x");
  const auto stale = archive->must(archive->store->owed_by(cream().index, IntentId{}, 10));
  EXPECT_TRUE(drain(cream()));
  EXPECT_TRUE(drain(jam()));
  put("/x", "new");
  std::vector<Intent> intents = stale;
  const OwedBatch batch = archive->run(carry_out_batch(work(cream()), std::move(intents)));
  ASSERT_EQ(batch.done.size(), 1U);
  EXPECT_FALSE(archive->exists(cream(), "/x"));
  std::vector<CarriedOut> done = batch.done;
  archive->must(strike_off(work(cream()), std::move(done), false));
  EXPECT_EQ(archive->content(cream(), "/x"), "new");
}

TEST_P(Runner, AnIntentThatFailsHoldsUpOnlyItsNames) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root for an immutable folder";
  put("/bad/1", "one");
  put("/good/1", "two");
  const std::string bad = (cream().root / "bad").string();
  if (std::system(("chattr +i '" + bad + "' 2>/dev/null").c_str()) != 0) GTEST_SKIP() << "no chattr here";
  unlink("/bad/1");
  unlink("/good/1");
  const auto drained = archive->run(runner->drain(cream().index));
  EXPECT_EQ(std::system(("chattr -i '" + bad + "'").c_str()), 0);
  EXPECT_FALSE(drained) << *drained;
  EXPECT_FALSE(archive->exists(cream(), "/good/1"));
  EXPECT_TRUE(archive->exists(cream(), "/bad/1"));
  EXPECT_TRUE(until([&] {
    runner->soon(NodeSet::of(cream().index));
    return !archive->exists(cream(), "/bad/1");
  }));
}

TEST_P(Runner, ManyCallersShareARun) {
  put("/a", "one");
  unlink("/a");
  int good = 0;
  for (int i = 0; i < 50; ++i)
    asio::co_spawn(
        archive->loop, runner->drain(cream().index),
        [&](std::exception_ptr, const result<bool>& drained) { good += drained && *drained ? 1 : 0; });
  EXPECT_TRUE(until([&] { return good == 50; }));
  EXPECT_FALSE(archive->exists(cream(), "/a"));
}

TEST_P(Runner, NothingIsDoneOnceItIsClosed) {
  put("/a", "one");
  runner->soon(unlink("/a").owed);
  runner->close();
  archive->loop.restart();
  archive->loop.run_for(500ms);
  EXPECT_TRUE(archive->exists(cream(), "/a"));
  const auto drained = archive->run(runner->drain(cream().index));
  EXPECT_FALSE(drained);
  EXPECT_TRUE(archive->exists(cream(), "/a"));
}

INSTANTIATE_TEST_SUITE_P(Stores, Runner, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
