#include <gtest/gtest.h>

#include <random>

#include "vfs/xattrs.hpp"

namespace geogrid {
namespace {

NodeRecord node(std::uint8_t index, NodeState state, std::uint64_t free = 0, std::uint64_t total = 0) {
  NodeRecord record;
  record.index = NodeIndex(index);
  record.name = "n" + std::to_string(index);
  record.state = state;
  record.free_bytes = free;
  record.total_bytes = total;
  return record;
}

TEST(WritableSpace, IsWhatFitsWithEachByteOnSeveralNodes) {
  EXPECT_EQ(writable_space({}, 2), 0U);
  EXPECT_EQ(writable_space({100}, 1), 100U);
  EXPECT_EQ(writable_space({100, 50}, 1), 150U);
  EXPECT_EQ(writable_space({100, 50}, 2), 50U);
  EXPECT_EQ(writable_space({100, 10, 10}, 2), 20U);
  EXPECT_EQ(writable_space({30, 30, 30}, 2), 45U);
  EXPECT_EQ(writable_space({100, 60, 50}, 3), 50U);
  EXPECT_EQ(writable_space({100}, 3), 100U) << "fewer nodes than copies: what one node takes";
}

TEST(WritableSpace, IsTheMostThatFits) {
  std::mt19937 random(4711);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint64_t> free(1 + random() % 6);
    for (auto& space : free) space = random() % 100;
    const std::size_t copies = 1 + random() % free.size();
    const std::uint64_t most = writable_space(free, copies);
    const auto fits = [&](std::uint64_t data) {
      std::uint64_t room = 0;
      for (const std::uint64_t space : free) room += std::min(space, data);
      return room >= copies * data;
    };
    ASSERT_TRUE(fits(most));
    ASSERT_FALSE(fits(most + 1));
  }
}

TEST(Space, SumsNodesInUse) {
  const std::vector<NodeRecord> nodes{
      node(0, NodeState::active, 10, 100), node(1, NodeState::joining, 20, 100),
      node(2, NodeState::readonly, 50, 100), node(3, NodeState::retired, 70, 100),
      node(4, NodeState::down, 70, 100)};
  const Space space = space_of(nodes, 2);
  EXPECT_EQ(space.total, 300U);
  EXPECT_EQ(space.free, 80U);
  EXPECT_EQ(space.writable, 10U) << "only where copies may be put";
}

TEST(NodeView, KnowsWhoServesAndWhoJoins) {
  NodeView view;
  view.storage = {node(0, NodeState::active), node(2, NodeState::draining), node(3, NodeState::down)};
  EXPECT_EQ(view.serving(), NodeSet(0b101));
  EXPECT_FALSE(view.some_node_joins());
  view.storage.push_back(node(5, NodeState::joining));
  EXPECT_TRUE(view.some_node_joins());
  EXPECT_EQ(view.names(NodeSet(0b100101), NodeKind::storage), "n0,n2,n5");
  EXPECT_EQ(view.names(NodeSet(0b10001), NodeKind::storage), "n0,#4");
  EXPECT_EQ(view.names(NodeSet(1), NodeKind::backup), "#0");
}

TEST(Xattrs, TellWhatMetadataKnows) {
  NodeView view;
  view.storage = {node(0, NodeState::active), node(1, NodeState::active)};
  Inode file;
  file.replicas = NodeSet(0b11);
  file.version = Version(7);
  file.storage_class = "others";
  EXPECT_EQ(xattr_value("user.geogrid.replicas", file, view, {}), "n0,n1");
  EXPECT_EQ(xattr_value("user.geogrid.backups", file, view, {}), "");
  EXPECT_EQ(xattr_value("user.geogrid.class", file, view, {}), "others");
  EXPECT_EQ(xattr_value("user.geogrid.digest", file, view, {}), "pending");
  EXPECT_EQ(xattr_value("user.geogrid.version", file, view, {}), "7");
  EXPECT_EQ(xattr_value("user.geogrid.served_by", file, view, NodeIndex(1)), "n1");
  EXPECT_EQ(xattr_value("user.geogrid.served_by", file, view, {}), "");
  EXPECT_EQ(xattr_value("user.other", file, view, {}), std::nullopt);
  for (const std::string_view name : kXattrNames) EXPECT_TRUE(xattr_value(name, file, view, {})) << name;
  file.type = FileType::folder;
  for (const std::string_view name : kXattrNames) EXPECT_FALSE(xattr_value(name, file, view, {})) << name;
}

}  // namespace
}  // namespace geogrid
