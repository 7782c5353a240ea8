#include "policy/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace geogrid {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

PlacementNode node(int i, std::string zone = "", std::uint64_t free = 100 * kGiB) {
  return {.index = NodeIndex(static_cast<std::uint8_t>(i)),
          .zone = std::move(zone),
          .free = free,
          .total = 200 * kGiB,
          .min_free = 10 * kGiB};
}

/// How often each node comes first over many seeds.
std::map<int, int> first_choices(const std::vector<PlacementNode>& nodes, PlacementRequest request,
                                 int seeds = 20000) {
  std::map<int, int> counts;
  for (int seed = 0; seed < seeds; ++seed) {
    request.seed = static_cast<std::uint64_t>(seed);
    ++counts[place(nodes, request).at(0).value];
  }
  return counts;
}

TEST(Place, HoldsItsPromisesForAnyNodes) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::vector<PlacementNode> nodes;
    std::set<std::string> zones_with_room;
    NodeSet eligible;
    PlacementRequest request{.copies = static_cast<int>(random() % 6),
                             .bytes = random() % (3 * kGiB),
                             .holders = NodeSet(random() & random() & 0xFFF),
                             .folder_nodes = NodeSet(random()),
                             .seed = random()};
    std::set<std::string> held;
    for (int i = 0; i < 12; ++i) {
      PlacementNode n =
          node(i, std::string(1, static_cast<char>('a' + random() % 4)), random() % (15 * kGiB));
      n.takes_copies = random() % 4 != 0;
      n.weight = static_cast<double>(random() % 3);
      nodes.push_back(n);
      if (request.holders.contains(n.index))
        held.insert(n.zone);
      else if (n.takes_copies && n.weight > 0 && n.free >= n.min_free + request.bytes)
        eligible = eligible.with(n.index);
    }
    for (const auto& n : nodes)
      if (eligible.contains(n.index) && !held.contains(n.zone)) zones_with_room.insert(n.zone);

    const auto chosen = place(nodes, request);
    ASSERT_EQ(std::ssize(chosen), std::min(request.copies, eligible.size()));
    NodeSet seen;
    std::set<std::string> new_zones;
    for (NodeIndex c : chosen) {
      ASSERT_TRUE(eligible.contains(c));
      ASSERT_FALSE(seen.contains(c));
      seen = seen.with(c);
      const std::string& zone = nodes[c.value].zone;
      if (!held.contains(zone)) new_zones.insert(zone);
    }
    ASSERT_EQ(new_zones.size(), std::min(zones_with_room.size(), chosen.size()));

    std::shuffle(nodes.begin(), nodes.end(), random);
    ASSERT_EQ(place(nodes, request), chosen) << "depends on the order of the nodes";
  }
}

TEST(Place, SharesFollowFreeSpaceAndWeight) {
  // 90 and 30 GiB above min_free; the third has a third of the space and three times the weight.
  std::vector<PlacementNode> nodes{node(0), node(1, "", 40 * kGiB), node(2, "", 40 * kGiB)};
  nodes[2].weight = 3.0;
  auto counts = first_choices(nodes, {});
  EXPECT_NEAR(counts[0], 20000 * 3 / 7, 400);
  EXPECT_NEAR(counts[1], 20000 * 1 / 7, 400);
  EXPECT_NEAR(counts[2], 20000 * 3 / 7, 400);
}

TEST(Place, FoldersStayTogetherAsLongAsThereIsRoom) {
  const std::vector<PlacementNode> nodes{node(0), node(1)};
  auto counts = first_choices(nodes, {.folder_nodes = NodeSet(2)});
  EXPECT_NEAR(counts[1], 20000 * kFolderAffinity / (1 + kFolderAffinity), 400);

  const std::vector<PlacementNode> full{node(0), node(1, "", 10 * kGiB - 1)};
  EXPECT_EQ(first_choices(full, {.folder_nodes = NodeSet(2)}, 100)[0], 100);
}

TEST(Place, ANodeAtMinFreeStillTakesAnEmptyFile) {
  const std::vector<PlacementNode> nodes{node(0, "", 10 * kGiB)};
  EXPECT_EQ(place(nodes, {}).size(), 1u);
  EXPECT_TRUE(place(nodes, {.bytes = 1}).empty());
}

}  // namespace
}  // namespace geogrid
