// The replication queue.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

class Work : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
    milk_ = add_node("milk");
    run_jobs();
  }
  std::vector<InodeId> files(int count, const std::string& suffix = "") {
    std::vector<FoundEntry> entries;
    for (int i = 0; i < count; ++i) entries.push_back(file_entry(fmt::format("{:03}{}", i, suffix)));
    return found(cream_, kRootInode, entries);
  }
  void give_back(NodeIndex node, std::vector<InodeId> ids, bool failed, int seconds) {
    must(store().return_work(node, std::move(ids), failed, std::chrono::seconds(seconds)));
  }
  NodeIndex cream_;
  NodeIndex jam_;
  NodeIndex milk_;
};
GG_STORE_SUITE(Work);

TEST_P(Work, NodesWithoutTheFileCanHelp) {
  const InodeId a = found_file(cream_, folder(kRootInode, "f"), "a");
  EXPECT_TRUE(take(cream_).empty());
  const std::vector<WorkItem> items = take(jam_);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].inode.id, a);
  EXPECT_EQ(items[0].path.str(), "/f/a");
  EXPECT_EQ(items[0].attempts, 0);
}

TEST_P(Work, NoMoreNodesWorkThanCopiesAreMissing) {
  found_file(cream_, kRootInode, "a");               // one is missing
  found_file(cream_, kRootInode, "b_original.jpg");  // two are missing
  EXPECT_EQ(take(jam_).size(), 2U);
  const std::vector<WorkItem> rest = take(milk_);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].path.str(), "/b_original.jpg");
  EXPECT_TRUE(take(jam_).empty()) << "what one holds already is not given out again";
}

TEST_P(Work, MostEndangeredFirst) {
  const InodeId two_of_three = found_file(cream_, kRootInode, "a_original.jpg");
  EXPECT_EQ(claim(milk_, get(two_of_three), "/a_original.jpg"), ClaimOutcome::counted);
  const InodeId one_of_two = found_file(cream_, kRootInode, "b");
  const InodeId one_of_three = found_file(cream_, kRootInode, "c_original.jpg");
  std::vector<InodeId> order;
  for (const WorkItem& item : take(jam_)) order.push_back(item.inode.id);
  EXPECT_EQ(order, (std::vector{one_of_three, one_of_two, two_of_three}));
}

TEST_P(Work, ALimitIsKeptAndTheRestComesNext) {
  files(300);
  std::set<InodeId> seen;
  for (const std::size_t want : {100U, 100U, 100U, 0U}) {
    const auto items = take(jam_);
    EXPECT_EQ(items.size(), want);
    for (const WorkItem& item : items) EXPECT_TRUE(seen.insert(item.inode.id).second);
  }
  EXPECT_EQ(seen.size(), 300U);
}

TEST_P(Work, WhatOthersHoldIsPassedOverPageByPage) {
  files(400);
  EXPECT_EQ(take(jam_, 350).size(), 350U);
  EXPECT_EQ(take(milk_, 100).size(), 50U);
}

TEST_P(Work, ACountedCopyEndsTheWork) {
  const Inode a = get(found_file(cream_, kRootInode, "a"));
  EXPECT_EQ(take(jam_).size(), 1U);
  EXPECT_EQ(claim(jam_, a, "/a"), ClaimOutcome::counted);
  EXPECT_TRUE(take(milk_).empty());
  EXPECT_EQ(must(store().queue_summary()).files, 0U);
}

TEST_P(Work, GivenBackWithoutFailureItComesUpAgainAtOnce) {
  const InodeId a = found_file(cream_, kRootInode, "a");
  take(jam_);
  EXPECT_TRUE(take(milk_).empty());
  give_back(jam_, {a}, false, 60);
  EXPECT_EQ(take(milk_).size(), 1U);
  give_back(milk_, {a}, true, 0);
  EXPECT_EQ(take(milk_).size(), 1U);
}

TEST_P(Work, FailuresSinkBelowTheRestAndComeUpLater) {
  const std::vector<InodeId> ids = files(3);
  take(jam_);
  give_back(jam_, {ids[0]}, true, 600);
  give_back(jam_, {ids[1]}, true, 1);
  EXPECT_TRUE(take(jam_).empty());
  EXPECT_EQ(take(milk_).size(), 2U) << "other nodes try at once";
  give_back(milk_, {ids[0], ids[1]}, false, 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::vector<WorkItem> items;
  while (items.empty() && std::chrono::steady_clock::now() < deadline) {
    must(sleep_for(std::chrono::milliseconds(50)));
    items = take(jam_);
  }
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].inode.id, ids[1]);
  EXPECT_EQ(items[0].attempts, 1);
}

TEST_P(Work, AnExpiredClaimFreesTheFile) {
  found_file(cream_, kRootInode, "a");
  EXPECT_EQ(must(store().take_work(jam_, 1, 10, std::chrono::seconds(0))).size(), 1U);
  EXPECT_EQ(take(milk_).size(), 1U);
}

TEST_P(Work, ANewProcessOfTheNodeTakesOverItsClaims) {
  found_file(cream_, kRootInode, "a");
  EXPECT_EQ(take(jam_, 10, 1).size(), 1U);
  EXPECT_EQ(take(jam_, 10, 1).size(), 0U);
  EXPECT_EQ(take(jam_, 10, 2).size(), 1U);
}

TEST_P(Work, TwoProcessesNeverTakeOneGapTwice) {
  const auto other = open_another();
  files(200);
  std::vector<task<result<std::vector<WorkItem>>>> polls;
  for (int i = 0; i < 6; ++i) {
    polls.push_back(store().take_work(jam_, 1, 40, std::chrono::seconds(600)));
    polls.push_back(other->take_work(milk_, 2, 40, std::chrono::seconds(600)));
  }
  std::set<InodeId> taken;
  for (const auto& items : run_all(std::move(polls))) {
    ASSERT_TRUE(items) << items.error().message;
    for (const WorkItem& item : *items) EXPECT_TRUE(taken.insert(item.inode.id).second);
  }
  EXPECT_EQ(taken.size(), 200U);
  other->close();
}

TEST_P(Work, FilesNobodyCanHelpAreStuckUntilANodeComes) {
  NodeChange readonly;
  readonly.state = NodeState::readonly;
  must(store().change_node("jam", readonly));
  must(store().change_node("milk", readonly));
  run_jobs();
  const InodeId a = found_file(cream_, kRootInode, "a");
  QueueSummary summary = must(store().queue_summary());
  EXPECT_EQ(summary.files, 1U);
  EXPECT_EQ(summary.stuck, 1U);
  EXPECT_EQ(summary.bytes, 7U);
  EXPECT_EQ(summary.without_copy, 0U);
  EXPECT_TRUE(must(store().queue_page(0, 10)).at(0).helpers.empty());

  const NodeIndex honey = add_node("honey");
  run_jobs();
  summary = must(store().queue_summary());
  EXPECT_EQ(summary.stuck, 0U);
  EXPECT_EQ(summary.helped_by.at(honey.value), 1U);
  EXPECT_TRUE(take(jam_).empty());
  EXPECT_EQ(take(honey).at(0).inode.id, a);
}

TEST_P(Work, AStateChangePutsAllOfALongQueueRight) {
  files(300, "a");
  files(300, "b");
  NodeChange draining;
  draining.state = NodeState::draining;
  must(store().change_node("jam", draining));
  run_jobs();
  const QueueSummary summary = must(store().queue_summary());
  EXPECT_EQ(summary.files, 600U);
  EXPECT_EQ(summary.helped_by.at(jam_.value), 0U);
  EXPECT_EQ(summary.helped_by.at(milk_.value), 600U);
  EXPECT_TRUE(take(jam_).empty());
}

TEST_P(Work, TheQueueIsShownInPages) {
  files(10);
  files(5, "_original.jpg");
  const auto first = must(store().queue_page(0, 5));
  ASSERT_EQ(first.size(), 5U);
  for (const QueueEntry& entry : first) {
    EXPECT_EQ(entry.inode.storage_class, "original");
    EXPECT_EQ(entry.helpers, NodeSet::of(jam_).with(milk_));
  }
  EXPECT_EQ(must(store().queue_page(5, 100)).size(), 10U);
  EXPECT_TRUE(must(store().queue_page(15, 100)).empty());
}

TEST_P(Work, NodesInOtherZonesComeFirst) {
  NodeChange zone;
  zone.zone = "house";
  must(store().change_node("cream", zone));
  must(store().change_node("jam", zone));
  run_jobs();
  found_file(cream_, kRootInode, "a");
  EXPECT_TRUE(take(jam_).empty()) << "milk is in another zone, and can help";
  EXPECT_EQ(take(milk_).size(), 1U);
}

}  // namespace
}  // namespace geogrid::test
