// Processes that write: that they live, end, and die.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

constexpr LeaseOwner kMe(11);
constexpr LeaseOwner kOther(22);
constexpr std::chrono::seconds kOver(-1);
constexpr std::chrono::seconds kLong(60);

class Owner : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
  }
  bool alive(LeaseOwner owner) { return must(store().is_alive(owner)); }
  NodeIndex cream_;
  NodeIndex jam_;
};
GG_STORE_SUITE(Owner);

TEST_P(Owner, LivesForAsLongAsItSaysSo) {
  EXPECT_FALSE(alive(kMe));
  create(kRootInode, "a", kMe);
  EXPECT_FALSE(alive(kMe)) << "a file's lease says nothing";
  must(store().renew_leases(kMe, kLong));
  EXPECT_TRUE(alive(kMe));
  EXPECT_FALSE(alive(kOther));
  must(store().renew_leases(kMe, kOver));
  EXPECT_FALSE(alive(kMe));
  must(store().renew_leases(kMe, kLong));
  EXPECT_TRUE(alive(kMe));
  EXPECT_EQ(code_of(run(store().renew_leases(LeaseOwner(), kLong))), make_error_code(errc::invalid_argument));
}

TEST_P(Owner, ThatIsSilentIsForgotten) {
  must(store().renew_leases(kMe, kOver));
  must(store().renew_leases(kOther, kLong));
  EXPECT_TRUE(must(store().expire_leases(10)).empty());
  EXPECT_TRUE(alive(kOther));
  check_consistency();
}

TEST_P(Owner, ThatEndsHoldsNothing) {
  const InodeId old = found_file(cream_, kRootInode, "old");
  begin(old, NodeSet::of(jam_), kMe);
  const Inode pending = create(kRootInode, "pending", kMe);
  create(kRootInode, "others", kOther);
  must(store().renew_leases(kMe, kLong));
  must(store().end_owner(kMe));
  EXPECT_FALSE(alive(kMe));
  EXPECT_EQ(code_of(run(store().publish(publication(get(old), "x", NodeSet::of(cream_), kMe), false))),
            make_error_code(errc::stale));
  EXPECT_EQ(get(pending.id).state, ContentState::pending) << "until the leases are looked through";
  const auto gone = must(store().expire_leases(10));
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].id, pending.id);
  EXPECT_TRUE(must(store().lookup(kRootInode, "others")));
}

TEST_P(Owner, ThatDiesLeavesASalvageOnEveryNode) {
  NodeChange retire;
  retire.state = NodeState::retired;
  const NodeIndex milk = add_node("milk");
  must(store().change_node("milk", retire));
  const InodeId f = folder(kRootInode, "f");
  const Inode a = create(f, "a", kMe, kOver);
  const std::size_t logged = all_changes().size();
  ASSERT_EQ(must(store().expire_leases(10)).size(), 1U);
  const auto changes = all_changes();
  ASSERT_EQ(changes.size(), logged + 1);
  EXPECT_EQ(changes.back().kind, ChangeKind::removed);
  EXPECT_NE(changes.back().origin, store().origin()) << "the client of this process must hear of it";
  for (const NodeIndex node : {cream_, jam_}) {
    ASSERT_EQ(owed(node).size(), 1U);
    const Intent intent = owed(node)[0];
    EXPECT_EQ(intent.kind, IntentKind::salvage);
    EXPECT_EQ(intent.inode, a.id);
    EXPECT_EQ(intent.path.str(), "/f/a");
    EXPECT_EQ(intent.owed, NodeSet::of(cream_).with(jam_));
    EXPECT_EQ(must(store().take_owed(node, kOther, 10, kLong)).size(), 1U) << "anybody may do it";
  }
  EXPECT_TRUE(owed(milk).empty());
  check_consistency();

  // Until that is done, what lies there is neither found nor counted nor published over.
  const ChangeId seen = must(store().latest_change());
  const auto entries = std::vector<FoundEntry>(1, file_entry("a"));
  EXPECT_EQ(must(store().register_found(cream_, f, seen, entries)).at(0).outcome, RegisterOutcome::removed);
  const Inode again = create(f, "a", kMe);
  EXPECT_FALSE(publish(publication(again, "content", NodeSet::of(cream_), kMe)).recorded);
  finish_all(cream_);
  const Published done = publish(publication(again, "content", NodeSet::of(cream_), kMe));
  EXPECT_TRUE(done.recorded);
  EXPECT_EQ(claim(jam_, done.inode, "/f/a"), ClaimOutcome::stale);
  finish_all(jam_);
  EXPECT_EQ(claim(jam_, done.inode, "/f/a"), ClaimOutcome::counted);
}

TEST_P(Owner, ThatDiesGivesUpWhatItBegan) {
  const InodeId a = found_file(cream_, kRootInode, "a");
  begin(a, NodeSet::of(cream_), kMe, kOver);
  EXPECT_TRUE(must(store().expire_leases(10)).empty());
  EXPECT_TRUE(get(a).replicas.empty()) << "nobody knows what lies there";
  EXPECT_EQ(claim(cream_, get(a), "/a"), ClaimOutcome::counted) << "the next walk does";
}

}  // namespace
}  // namespace geogrid::test
