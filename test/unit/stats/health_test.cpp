#include "stats/health.hpp"

#include <gtest/gtest.h>

namespace geogrid {
namespace {

NodeRecord active_node(std::string name, std::uint8_t index) {
  NodeRecord node;
  node.index = NodeIndex(index);
  node.name = std::move(name);
  node.state = NodeState::active;
  node.heartbeat_age = std::chrono::seconds(3);
  return node;
}

Facts healthy() {
  Facts facts;
  facts.cluster.name = "geograph";
  facts.nodes = {active_node("cream", 0), active_node("jam", 1)};
  return facts;
}

TEST(Health, WithNothingMissingItIsSafeAndSaysNothing) {
  const Health health = assess(healthy());
  EXPECT_EQ(health.verdict, ArchiveVerdict::safe);
  EXPECT_TRUE(health.reasons.empty());
}

TEST(Health, TheWorstReasonDecidesAndComesFirst) {
  Facts facts = healthy();
  facts.queue.files = 10;
  facts.queue.last_copy = 4;
  facts.queue.without_copy = 1;
  const Health health = assess(facts);
  EXPECT_EQ(health.verdict, ArchiveVerdict::lost);
  ASSERT_EQ(health.reasons.size(), 3U);
  EXPECT_EQ(health.reasons[0].text, "1 file has no good copy on any storage node.");
  EXPECT_EQ(health.reasons[1].severity, ArchiveVerdict::at_risk);
  EXPECT_EQ(health.reasons[2].text, "5 files have fewer copies than the class asks for.");
}

TEST(Health, ASilentNodeDegrades) {
  Facts facts = healthy();
  facts.nodes[0].heartbeat_age = kSilentAfter;
  EXPECT_EQ(assess(facts).verdict, ArchiveVerdict::safe);
  facts.nodes[0].heartbeat_age = kSilentAfter + std::chrono::seconds(1);
  EXPECT_EQ(assess(facts).verdict, ArchiveVerdict::degraded);
  facts.nodes[0].heartbeat_age.reset();
  EXPECT_EQ(assess(facts).verdict, ArchiveVerdict::degraded);
}

TEST(Health, ARetiredNodeIsNotMissed) {
  Facts facts = healthy();
  facts.nodes[0].heartbeat_age.reset();
  facts.nodes[0].state = NodeState::retired;
  EXPECT_EQ(assess(facts).verdict, ArchiveVerdict::safe);
}

TEST(Health, FindingsWantAPerson) {
  Facts facts = healthy();
  facts.findings.emplace_back();
  EXPECT_EQ(assess(facts).verdict, ArchiveVerdict::degraded);
}

}  // namespace
}  // namespace geogrid
