#include "policy/replication.hpp"

#include <gtest/gtest.h>

#include <random>

#include "policy/brake.hpp"

namespace geogrid {
namespace {

NodeIndex node(int i) {
  return NodeIndex(static_cast<std::uint8_t>(i));
}

TEST(RepairUrgency, FewestCopiesFirstThenTheMostMissing) {
  for (int h1 = 0; h1 <= kMaxNodes; ++h1)
    for (int t1 = h1 + 1; t1 <= kMaxNodes; t1 += 3)
      for (int h2 = 0; h2 <= kMaxNodes; ++h2)
        for (int t2 = h2 + 1; t2 <= kMaxNodes; t2 += 3) {
          const bool sooner = h1 != h2 ? h1 < h2 : t1 - h1 > t2 - h2;
          ASSERT_EQ(repair_urgency(h1, t1) < repair_urgency(h2, t2), sooner)
              << h1 << "/" << t1 << " against " << h2 << "/" << t2;
          ASSERT_GE(repair_urgency(h1, t1), 0);
          ASSERT_LT(repair_urgency(h1, t1), kNotUrgent);
        }
}

TEST(RepairUrgency, NothingMissingIsNotUrgent) {
  EXPECT_EQ(repair_urgency(2, 2), kNotUrgent);
  EXPECT_EQ(repair_urgency(3, 2), kNotUrgent);
  EXPECT_EQ(repair_urgency(0, 0), kNotUrgent);
  EXPECT_TRUE(under_target(0, 1));
  EXPECT_FALSE(under_target(1, 1));
}

std::vector<PlacementNode> random_nodes(std::mt19937_64& random) {
  std::vector<PlacementNode> nodes;
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int i = 0; i < kMaxNodes; ++i) {
    if (below(3) == 0) continue;
    PlacementNode n{.index = node(i)};
    n.takes_copies = below(5) != 0;
    n.zone = below(4) == 0 ? "" : std::string(1, static_cast<char>('a' + below(5)));
    n.weight = below(8) == 0 ? 0.0 : static_cast<double>(1 + below(4));
    n.total = 1000;
    n.free = below(1001);
    n.min_free = below(300);
    nodes.push_back(n);
    if (below(12) == 0) break;
  }
  return nodes;
}

/// Says it the slow way, one node at a time.
bool same_zone(const PlacementNode& a, const PlacementNode& b) {
  return a.index == b.index || (!a.zone.empty() && a.zone == b.zone);
}

TEST(Helpers, AreExactlyTheEligibleNodesOfNewZonesWhereThereAreSome) {
  std::mt19937_64 random(20130805);
  int restricted = 0;
  for (int round = 0; round < 5000; ++round) {
    const auto nodes = random_nodes(random);
    const NodeSet holders(random() & random() & random());
    const std::uint64_t bytes = random() % 400;
    NodeSet eligible;
    NodeSet fresh;
    for (const auto& n : nodes) {
      if (holders.contains(n.index) || !n.takes_copies || n.weight <= 0) continue;
      if (n.free < n.min_free + bytes) continue;
      eligible = eligible.with(n.index);
      bool taken = false;
      for (const auto& other : nodes) taken |= holders.contains(other.index) && same_zone(n, other);
      if (!taken) fresh = fresh.with(n.index);
    }
    restricted += !fresh.empty() && !(fresh == eligible);
    ASSERT_EQ(helpers(nodes, holders, bytes), fresh.empty() ? eligible : fresh) << "round " << round;
  }
  EXPECT_GT(restricted, 100);  // the case that matters was among them
}

TEST(Helpers, NobodyCanHelp) {
  EXPECT_TRUE(helpers({}, NodeSet()).empty());
  const std::vector<PlacementNode> nodes{{.index = node(0), .free = 10}, {.index = node(1), .free = 10}};
  EXPECT_TRUE(helpers(nodes, NodeSet(3)).empty());
  EXPECT_TRUE(helpers(nodes, NodeSet(1), 11).empty());
  EXPECT_EQ(helpers(nodes, NodeSet(1), 10), NodeSet::of(node(1)));
}

TEST(Brake, IsSharePlusFloor) {
  EXPECT_FALSE(is_surge(10, 20, 5.0));  // half, but few
  EXPECT_TRUE(is_surge(11, 20, 5.0));
  EXPECT_FALSE(is_surge(50, 1000, 5.0));
  EXPECT_TRUE(is_surge(51, 1000, 5.0));
  EXPECT_TRUE(is_surge(11, 0, 5.0));
  EXPECT_FALSE(is_surge(1000, 1000, 100.0));
  EXPECT_FALSE(is_surge(0, 0, 5.0));
  EXPECT_TRUE(is_surge(3, 20, 5.0, 2));
  EXPECT_TRUE(is_surge(~std::uint64_t{0}, ~std::uint64_t{0}, 99.0));
}

}  // namespace
}  // namespace geogrid
