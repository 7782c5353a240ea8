// The node registry.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

using Nodes = StoreTest;
GG_STORE_SUITE(Nodes);

NewStorageNode new_node(const std::string& name) {
  NewStorageNode node;
  node.name = name;
  node.volume_uuid = "uuid of " + name;
  node.empty_volume = true;
  return node;
}

TEST_P(Nodes, ANewNodeIsActiveIfItsVolumeIsEmpty) {
  NewStorageNode filled = new_node("filled");
  filled.empty_volume = false;
  filled.zone = "house";
  filled.weight = 0.5;
  const NodeRecord joining = must(store().add_node(filled));
  EXPECT_EQ(joining.state, NodeState::joining);
  EXPECT_EQ(joining.index, NodeIndex(0));
  EXPECT_EQ(must(store().add_node(new_node("empty"))).state, NodeState::active);
  const auto nodes = must(store().nodes(NodeKind::storage));
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].zone, "house");
  EXPECT_DOUBLE_EQ(nodes[0].weight, 0.5);
  EXPECT_EQ(nodes[0].volume_uuid, "uuid of filled");
  EXPECT_FALSE(nodes[0].first_walk_finished);
  EXPECT_TRUE(nodes[1].first_walk_finished);
  must(store().finish_first_walk(NodeIndex(0)));
  EXPECT_EQ(must(store().nodes(NodeKind::storage))[0].state, NodeState::active);
  EXPECT_TRUE(must(store().nodes(NodeKind::storage))[0].first_walk_finished);
  EXPECT_TRUE(must(store().nodes(NodeKind::backup)).empty());
}

TEST_P(Nodes, NamesAndVolumesAreTakenOnce) {
  must(store().add_node(new_node("cream")));
  EXPECT_EQ(code_of(run(store().add_node(new_node("cream")))), make_error_code(errc::already_exists));
  NewStorageNode clone = new_node("clone");
  clone.volume_uuid = "uuid of cream";
  EXPECT_EQ(code_of(run(store().add_node(clone))), make_error_code(errc::already_exists));
}

TEST_P(Nodes, SixtyFourFitAndNoMore) {
  for (int i = 0; i < kMaxNodes; ++i)
    EXPECT_EQ(must(store().add_node(new_node(fmt::format("n{}", i)))).index,
              NodeIndex(static_cast<std::uint8_t>(i)));
  EXPECT_EQ(code_of(run(store().add_node(new_node("one too many")))), make_error_code(errc::refused));
  const NodeIndex last(63);
  const Inode a = get(found_file(last, kRootInode, "a_original.jpg"));
  EXPECT_EQ(a.replicas, NodeSet::of(last));
  EXPECT_EQ(claim(NodeIndex(0), a, "/a_original.jpg"), ClaimOutcome::counted);
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(last).with(NodeIndex(0)));
  EXPECT_EQ(take(NodeIndex(62)).size(), 1U);
  const Removed removed = must(store().unlink(kRootInode, "a_original.jpg", time(1), LeaseOwner()));
  must(store().finish_intents(NodeIndex(0), {*removed.intent}));
  EXPECT_EQ(must(store().owed_by(last, IntentId(), 10)).at(0).owed, NodeSet::of(last));
  must(store().finish_intents(last, {*removed.intent}));
  EXPECT_TRUE(must(store().owed_by(last, IntentId(), 10)).empty());
}

TEST_P(Nodes, AddedAtOnceEachHasItsOwnBit) {
  const auto other = open_another();
  std::vector<task<result<NodeRecord>>> adds;
  for (int i = 0; i < 8; ++i)
    adds.push_back((i % 2 == 0 ? store() : *other).add_node(new_node(fmt::format("n{}", i))));
  std::set<NodeIndex> bits;
  for (const auto& node : run_all(std::move(adds))) {
    ASSERT_TRUE(node) << node.error().message;
    bits.insert(node->index);
  }
  EXPECT_EQ(bits.size(), 8U);
  EXPECT_EQ(*bits.rbegin(), NodeIndex(7));
  other->close();
}

TEST_P(Nodes, HeartbeatsTellSpaceAndAge) {
  const NodeIndex cream = add_node("cream");
  EXPECT_FALSE(must(store().nodes(NodeKind::storage))[0].last_heartbeat);
  const std::size_t changes = all_changes().size();
  must(store().heartbeat(cream, 5, 10));
  must(store().heartbeat(cream, std::uint64_t{1} << 50, std::uint64_t{1} << 51));
  const NodeRecord node = must(store().nodes(NodeKind::storage))[0];
  EXPECT_EQ(node.free_bytes, std::uint64_t{1} << 50);
  EXPECT_EQ(node.total_bytes, std::uint64_t{1} << 51);
  ASSERT_TRUE(node.heartbeat_age);
  EXPECT_LT(*node.heartbeat_age, std::chrono::seconds(60));
  EXPECT_EQ(all_changes().size(), changes) << "heartbeats are no changes";
  EXPECT_EQ(code_of(run(store().heartbeat(NodeIndex(9), 1, 1))), make_error_code(errc::not_found));
}

TEST_P(Nodes, ChangesAreKeptAndLogged) {
  add_node("cream");
  NodeChange change;
  change.state = NodeState::readonly;
  change.zone = "attic";
  change.weight = 2.5;
  EXPECT_EQ(must(store().change_node("cream", change)).state, NodeState::readonly);
  const NodeRecord node = must(store().nodes(NodeKind::storage))[0];
  EXPECT_EQ(node.zone, "attic");
  EXPECT_DOUBLE_EQ(node.weight, 2.5);
  EXPECT_EQ(all_changes().back().kind, ChangeKind::node);
  EXPECT_EQ(all_changes().back().name, "cream");
  EXPECT_EQ(code_of(run(store().change_node("jam", change))), make_error_code(errc::not_found));
  change.weight = -1;
  EXPECT_EQ(code_of(run(store().change_node("cream", change))), make_error_code(errc::invalid_argument));
}

TEST_P(Nodes, OnlyAnEmptyNodeRetires) {
  const NodeIndex cream = add_node("cream");
  add_node("jam");
  found_file(cream, kRootInode, "a");
  NodeChange retire;
  retire.state = NodeState::retired;
  EXPECT_EQ(code_of(run(store().change_node("cream", retire))), make_error_code(errc::refused));
  must(store().change_node("jam", retire));
  NodeChange back;
  back.state = NodeState::active;
  EXPECT_EQ(code_of(run(store().change_node("jam", back))), make_error_code(errc::refused));
  EXPECT_EQ(must(store().add_node(new_node("milk"))).index, NodeIndex(2))
      << "a retired node's bit stays taken";
}

TEST_P(Nodes, ARetiredNodeOwesNothing) {
  const NodeIndex cream = add_node("cream");
  const NodeIndex jam = add_node("jam");
  for (int i = 0; i < 3; ++i) {
    folder(kRootInode, "f");
    must(store().remove_folder(kRootInode, "f", time(1), LeaseOwner()));
  }
  NodeChange retire;
  retire.state = NodeState::retired;
  must(store().change_node("jam", retire));
  run_jobs();
  EXPECT_TRUE(must(store().owed_by(jam, IntentId(), 10)).empty());
  const auto left = must(store().owed_by(cream, IntentId(), 10));
  ASSERT_EQ(left.size(), 3U);
  EXPECT_EQ(left[0].owed, NodeSet::of(cream));
  check_consistency();
}

}  // namespace
}  // namespace geogrid::test
