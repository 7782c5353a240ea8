// Names go, and disks owe it.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

class Remove : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
    milk_ = add_node("milk");
  }
  NodeIndex cream_;
  NodeIndex jam_;
  NodeIndex milk_;
};
GG_STORE_SUITE(Remove);

TEST_P(Remove, AFileIsOwedByThoseThatHoldIt) {
  const InodeId a = found_file(cream_, folder(kRootInode, "f"), "a");
  EXPECT_EQ(claim(jam_, get(a), "/f/a"), ClaimOutcome::counted);
  const Removed removed = must(store().unlink(at("/f").id, "a", time(77), LeaseOwner()));
  EXPECT_EQ(removed.inode.id, a);
  ASSERT_TRUE(removed.intent);
  EXPECT_EQ(get(at("/f").id).attributes.mtime, time(77));
  const std::vector<Intent> intents = owed(cream_);
  ASSERT_EQ(intents.size(), 1U);
  EXPECT_EQ(intents[0].id, *removed.intent);
  EXPECT_EQ(intents[0].kind, IntentKind::remove);
  EXPECT_EQ(intents[0].path.str(), "/f/a");
  EXPECT_EQ(intents[0].when, time(77));
  EXPECT_EQ(intents[0].inode, a);
  EXPECT_EQ(intents[0].owed, NodeSet::of(cream_).with(jam_));
  EXPECT_TRUE(owed(milk_).empty());
  EXPECT_EQ(must(store().queue_summary()).files, 0U);
}

TEST_P(Remove, ANodeIsStruckOffAndTheIntentGoesWithTheLast) {
  const InodeId a = found_file(cream_, kRootInode, "a");
  EXPECT_EQ(claim(jam_, get(a), "/a"), ClaimOutcome::counted);
  const IntentId id = *must(store().unlink(kRootInode, "a", time(1), LeaseOwner())).intent;
  must(store().finish_intents(cream_, {id}));
  EXPECT_TRUE(owed(cream_).empty());
  EXPECT_EQ(owed(jam_).at(0).owed, NodeSet::of(jam_));
  must(store().finish_intents(cream_, {id}));
  must(store().finish_intents(jam_, {id, IntentId(9999)}));
  EXPECT_TRUE(owed(jam_).empty());
}

TEST_P(Remove, WhatIsOwedComesInOrderAndInPages) {
  for (int i = 0; i < 10; ++i) {
    found_file(cream_, kRootInode, fmt::format("a{}", i));
    must(store().unlink(kRootInode, fmt::format("a{}", i), time(i), LeaseOwner()));
    must(store().finish_intents(cream_, {owed(cream_).back().id}));
    found_file(jam_, kRootInode, fmt::format("{}", i));
    must(store().unlink(kRootInode, fmt::format("{}", i), time(i), LeaseOwner()));
  }
  const auto first = must(store().owed_by(jam_, IntentId(), 4));
  ASSERT_EQ(first.size(), 4U);
  const auto rest = must(store().owed_by(jam_, first.back().id, 100));
  ASSERT_EQ(rest.size(), 6U);
  EXPECT_EQ(rest.front().path.str(), "/4");
}

TEST_P(Remove, WhatLiesNowhereIsOwedByNobody) {
  NewFile file;
  file.parent = kRootInode;
  file.name = "pending";
  file.owner = LeaseOwner(1);
  must(store().create_file(file));
  EXPECT_FALSE(must(store().unlink(kRootInode, "pending", time(1), LeaseOwner())).intent);
  NewNode fifo;
  fifo.parent = kRootInode;
  fifo.name = "fifo";
  fifo.type = FileType::fifo;
  must(store().make_node(fifo));
  EXPECT_FALSE(must(store().unlink(kRootInode, "fifo", time(1), LeaseOwner())).intent);
}

TEST_P(Remove, AFolderIsOwedByAllNodesThatLive) {
  NodeChange retire;
  retire.state = NodeState::retired;
  must(store().change_node("milk", retire));
  folder(kRootInode, "f");
  const Removed removed = must(store().remove_folder(kRootInode, "f", time(1), LeaseOwner()));
  ASSERT_TRUE(removed.intent);
  EXPECT_EQ(owed(cream_).at(0).owed, NodeSet::of(cream_).with(jam_));
  EXPECT_EQ(get(kRootInode).subfolders, 0U);
}

TEST_P(Remove, FoldersAndFilesEachHaveTheirCall) {
  found_file(cream_, folder(kRootInode, "f"), "a");
  EXPECT_EQ(code_of(run(store().unlink(kRootInode, "f", time(1), LeaseOwner()))),
            make_error_code(errc::is_a_folder));
  EXPECT_EQ(code_of(run(store().remove_folder(at("/f").id, "a", time(1), LeaseOwner()))),
            make_error_code(errc::not_a_folder));
  EXPECT_EQ(code_of(run(store().remove_folder(kRootInode, "f", time(1), LeaseOwner()))),
            make_error_code(errc::not_empty));
  EXPECT_EQ(code_of(run(store().unlink(kRootInode, "none", time(1), LeaseOwner()))),
            make_error_code(errc::not_found));
  EXPECT_EQ(code_of(run(store().remove_folder(kRootInode, "none", time(1), LeaseOwner()))),
            make_error_code(errc::not_found));
  EXPECT_EQ(code_of(run(store().unlink(InodeId(99), "a", time(1), LeaseOwner()))),
            make_error_code(errc::not_found));
}

TEST_P(Remove, AnOwedRemovalKeepsCopiesOutOfItsPath) {
  found_file(cream_, kRootInode, "a");
  const Removed removed = must(store().unlink(kRootInode, "a", time(1), LeaseOwner()));
  NewFile file;
  file.parent = kRootInode;
  file.name = "a";
  file.owner = LeaseOwner(1);
  const Inode made = must(store().create_file(file)).inode;
  Publication content;
  content.id = made.id;
  content.owner = LeaseOwner(1);
  content.path = *Path::parse("/a");
  content.size = 7;
  content.digest = digest_of("content");
  content.replicas = NodeSet::of(jam_);
  const Inode again = must(store().publish(content, false)).inode;
  EXPECT_EQ(claim(cream_, again, "/a"), ClaimOutcome::stale) << "what lies there is about to be removed";
  EXPECT_EQ(claim(milk_, again, "/a"), ClaimOutcome::counted) << "milk owes nothing";
  must(store().finish_intents(cream_, {*removed.intent}));
  EXPECT_EQ(claim(cream_, again, "/a"), ClaimOutcome::counted);
}

TEST_P(Remove, AFolderIsNotRemovedUnderACreate) {
  const auto other = open_another();
  for (int round = 0; round < 20; ++round) {
    const std::string name = fmt::format("f{}", round);
    const InodeId f = folder(kRootInode, name);
    std::optional<result<Removed>> removed;
    std::optional<result<Inode>> made;
    NewNode inner;
    inner.parent = f;
    inner.name = "inner";
    const auto remove_it = [&]() -> task<result<void>> {
      removed.emplace(co_await store().remove_folder(kRootInode, name, time(1), LeaseOwner()));
      co_return result<void>();
    };
    const auto make_it = [&]() -> task<result<void>> {
      made.emplace(co_await other->make_node(inner));
      co_return result<void>();
    };
    std::vector<task<result<void>>> both;
    both.push_back(remove_it());
    both.push_back(make_it());
    run_all(std::move(both));
    ASSERT_NE(removed->has_value(), made->has_value());
    if (made->has_value())
      EXPECT_EQ(removed->error().code, make_error_code(errc::not_empty));
    else
      EXPECT_EQ(made->error().code, make_error_code(errc::not_found));
  }
  other->close();
}

}  // namespace
}  // namespace geogrid::test
