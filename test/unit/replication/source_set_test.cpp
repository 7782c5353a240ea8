#include "replication/source_set.hpp"

#include <gtest/gtest.h>

#include <map>

namespace geogrid::test {
namespace {

std::vector<NodeIndex> nodes_of(const std::vector<NodeVolume>& order) {
  std::vector<NodeIndex> nodes;
  for (const NodeVolume& one : order) nodes.push_back(one.index);
  return nodes;
}

class SourceSets : public testing::Test {
 protected:
  static Inode file(std::uint64_t id, NodeSet replicas) {
    Inode inode;
    inode.id = InodeId(id);
    inode.replicas = replicas;
    return inode;
  }
  static NodeRecord record(std::uint8_t index, NodeState state) {
    NodeRecord node;
    node.index = NodeIndex(index);
    node.state = state;
    return node;
  }

  SourceSet sources{{{NodeIndex(0), nullptr}, {NodeIndex(1), nullptr}, {NodeIndex(2), nullptr}},
                    NodeIndex(2)};
  SourceSet::Time now{std::chrono::hours(1)};
};

TEST_F(SourceSets, OnlyReachableHoldersAndNeverTheDestination) {
  EXPECT_TRUE(nodes_of(sources.order(file(1, NodeSet(0b101100)), now)).empty());
  EXPECT_EQ(nodes_of(sources.order(file(1, NodeSet(0b110)), now)), std::vector{NodeIndex(1)});
}

TEST_F(SourceSets, SpreadsFilesOverTheirHolders) {
  std::map<NodeIndex, int> first;
  for (std::uint64_t id = 1; id <= 1000; ++id)
    ++first[nodes_of(sources.order(file(id, NodeSet(0b011)), now)).front()];
  EXPECT_GT(first[NodeIndex(0)], 300);
  EXPECT_GT(first[NodeIndex(1)], 300);
}

TEST_F(SourceSets, AFailedNodeRestsAndARetiredOneIsNotAsked) {
  sources.failed(NodeIndex(0), now);
  EXPECT_EQ(nodes_of(sources.order(file(1, NodeSet(0b011)), now)), std::vector{NodeIndex(1)});
  EXPECT_EQ(sources.order(file(1, NodeSet(0b011)), now + SourceSet::kRest).size(), 2U);
  const std::vector<NodeRecord> nodes{record(0, NodeState::down), record(1, NodeState::retired)};
  sources.set_nodes(nodes);
  EXPECT_EQ(nodes_of(sources.order(file(1, NodeSet(0b011)), now + SourceSet::kRest)),
            std::vector{NodeIndex(0)});
}

}  // namespace
}  // namespace geogrid::test
