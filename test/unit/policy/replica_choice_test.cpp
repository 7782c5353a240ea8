#include "policy/replica_choice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace geogrid {
namespace {

NodeIndex node(int i) {
  return NodeIndex(static_cast<std::uint8_t>(i));
}

std::vector<int> order(const std::vector<ReplicaCandidate>& candidates,
                       const std::vector<PreferredNode>& preferred, std::uint64_t file) {
  std::vector<int> values;
  for (NodeIndex n : replica_order(candidates, preferred, InodeId(file))) values.push_back(n.value);
  return values;
}

constexpr int kJam = 0, kCream = 1, kMilk = 2;

TEST(ReplicaOrder, SameMachineThenPreferenceThenHealthThenTheFile) {
  const std::vector<ReplicaCandidate> all{{.node = node(0), .penalty = 1},
                                          {.node = node(1), .penalty = 900},
                                          {.node = node(2), .penalty = 0},
                                          {.node = node(3), .same_machine = true, .penalty = 50},
                                          {.node = node(4), .penalty = 3}};
  const std::vector<PreferredNode> preferred{{.node = node(1)}, {.node = node(4)}};
  EXPECT_EQ(order(all, preferred, 17), (std::vector<int>{3, 1, 4, 2, 0}));
  EXPECT_EQ(order(all, {}, 17), (std::vector<int>{3, 2, 0, 4, 1}));
}

TEST(ReplicaOrder, UnusableComesLastWhateverElseHolds) {
  const std::vector<ReplicaCandidate> all{{.node = node(0), .same_machine = true, .penalty = kUnusable},
                                          {.node = node(1), .penalty = std::nan("")},
                                          {.node = node(2), .penalty = 1e9}};
  const std::vector<PreferredNode> preferred{{.node = node(1)}};
  EXPECT_EQ(order(all, preferred, 1), (std::vector<int>{2, 0, 1}));
}

TEST(ReplicaOrder, WeightIsTheShareOfFilesThatKeepThePlace) {
  const std::vector<ReplicaCandidate> all{
      {.node = node(kJam)}, {.node = node(kCream)}, {.node = node(kMilk)}};
  const std::vector<PreferredNode> preferred{
      {.node = node(kJam), .weight = 0.7}, {.node = node(kCream)}, {.node = node(kMilk)}};
  std::map<std::vector<int>, int> seen;
  for (std::uint64_t file = 1; file <= 20000; ++file) ++seen[order(all, preferred, file)];
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_NEAR((seen[{kJam, kCream, kMilk}]), 14000, 300);
  EXPECT_NEAR((seen[{kCream, kMilk, kJam}]), 6000, 300);
}

TEST(ReplicaOrder, WeightsOfZeroAndOneAreNeverAndAlways) {
  const std::vector<ReplicaCandidate> all{{.node = node(0)}, {.node = node(1)}};
  const std::vector<PreferredNode> preferred{{.node = node(0), .weight = 0.0}, {.node = node(1)}};
  for (std::uint64_t file = 1; file <= 2000; ++file)
    ASSERT_EQ(order(all, preferred, file), (std::vector<int>{1, 0}));
}

TEST(ReplicaOrder, EqualsShareTheFilesAndEachFileKeepsItsOrder) {
  const std::vector<ReplicaCandidate> all{
      {.node = node(0), .penalty = 4.1}, {.node = node(1), .penalty = 7.9}, {.node = node(2), .penalty = 5}};
  auto turned = all;
  std::reverse(turned.begin(), turned.end());
  std::map<int, int> first;
  for (std::uint64_t file = 1; file <= 9000; ++file) {
    const auto o = order(all, {}, file);
    ASSERT_EQ(o, order(turned, {}, file));
    ++first[o[0]];
  }
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(first[i], 3000, 250);
}

TEST(ReplicaOrder, IsAPermutationForAnyInput) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::vector<ReplicaCandidate> all;
    NodeSet in;
    for (int i = 0; i < kMaxNodes; ++i) {
      if (random() % 4) continue;
      const double penalties[] = {0, 0.5, 1, 1e300, 5e-324, kUnusable, -1, std::nan("")};
      all.push_back({node(i), random() % 5 == 0, penalties[random() % std::size(penalties)]});
      in = in.with(node(i));
    }
    std::vector<PreferredNode> preferred;
    for (int i = 0; i < 5; ++i)
      preferred.push_back({node(static_cast<int>(random() % 64)), 0.25 * double(random() % 5)});
    NodeSet out;
    const auto o = replica_order(all, preferred, InodeId(random()));
    ASSERT_EQ(o.size(), all.size());
    for (NodeIndex n : o) out = out.with(n);
    ASSERT_EQ(out, in);
  }
}

TEST(ReadPreferences, FirstMatchCounts) {
  const auto preferences =
      ReadPreferences::make({{"/photos/", {{.node = node(1)}}}, {"", {{.node = node(2)}}}}).value();
  const auto first = [&](const char* path) { return preferences.of_path(Path::parse(path).value())[0].node; };
  EXPECT_EQ(first("/a/photos/b.jpg"), node(1));
  EXPECT_EQ(first("/other"), node(2));
  EXPECT_TRUE(ReadPreferences().of_path(Path()).empty());
  EXPECT_FALSE(ReadPreferences::make({{"(", {}}}));
}

}  // namespace
}  // namespace geogrid
