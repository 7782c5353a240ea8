// When copies were proved, and what was found wrong.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

class Proof : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
  }
  std::map<NodeIndex, std::int64_t> proved(InodeId file) {
    std::map<NodeIndex, std::int64_t> out;
    for (const ProvedTime& t : must(store().proved_times(file))) out[t.node] = t.when.seconds;
    return out;
  }
  std::vector<bool> withdraw(NodeIndex node, const Inode& inode, const std::string& path,
                             FindingKind reason = FindingKind::missing) {
    std::vector<Withdrawal> batch(1);
    batch[0] = {inode.id, inode.version, *Path::parse(path), reason, "told"};
    return must(store().withdraw_copies(node, std::move(batch)));
  }
  std::int64_t now_ = system_clock().wall().seconds;
  NodeIndex cream_;
  NodeIndex jam_;
};
GG_STORE_SUITE(Proof);

TEST_P(Proof, ACountedCopyHasATimeFromTheStart) {
  const InodeId a = found_file(cream_, kRootInode, "a");
  EXPECT_GE(proved(a).at(cream_), now_ - 5);
  EXPECT_FALSE(proved(a).contains(jam_));
  EXPECT_EQ(claim(jam_, get(a), "/a"), ClaimOutcome::counted);
  EXPECT_GE(proved(a).at(jam_), now_ - 5);
}

TEST_P(Proof, AFoldersProofCoversItsFilesAndOnlyGoesForward) {
  const InodeId a = found_file(cream_, kRootInode, "a");
  must(store().proved_folder(cream_, kRootInode, {now_ + 100, 0}));
  EXPECT_EQ(proved(a).at(cream_), now_ + 100);
  must(store().proved_folder(cream_, kRootInode, {now_ + 50, 0}));
  EXPECT_EQ(proved(a).at(cream_), now_ + 100);
}

TEST_P(Proof, AFilesOwnProofIsAnException) {
  const InodeId a = found_file(cream_, kRootInode, "a");
  const InodeId b = found_file(cream_, kRootInode, "b");
  must(store().proved_files(cream_, {a, InodeId(99)}, {now_ + 200, 0}));
  EXPECT_EQ(proved(a).at(cream_), now_ + 200);
  EXPECT_LT(proved(b).at(cream_), now_ + 200);
  must(store().proved_folder(cream_, kRootInode, {now_ + 300, 0}));
  EXPECT_EQ(proved(a).at(cream_), now_ + 300);
  must(store().proved_files(jam_, {a}, {now_ + 400, 0}));
  EXPECT_FALSE(proved(a).contains(jam_)) << "jam has no copy";
}

TEST_P(Proof, AFileThatMovesTakesItsTimeAlong) {
  const InodeId from = folder(kRootInode, "from");
  const InodeId to = folder(kRootInode, "to");
  const InodeId a = found_file(cream_, from, "a");
  found_file(cream_, to, "other");
  must(store().proved_folder(cream_, from, {now_ + 100, 0}));
  must(store().proved_folder(cream_, to, {now_ + 500, 0}));
  must(store().rename(from, "a", to, "a", RenameMode::replace, time(1), LeaseOwner(), false));
  EXPECT_EQ(proved(a).at(cream_), now_ + 100) << "it was not there when the folder was proved";
  must(store().rename(to, "a", from, "a", RenameMode::replace, time(1), LeaseOwner(), false));
  EXPECT_EQ(proved(a).at(cream_), now_ + 100);
  must(store().rename(from, "a", to, "a", RenameMode::replace, time(1), LeaseOwner(), false));
  must(store().proved_folder(cream_, to, {now_ + 600, 0}));
  EXPECT_EQ(proved(a).at(cream_), now_ + 600);
}

TEST_P(Proof, AWithdrawnCopyNoLongerCountsAndIsWantedAgain) {
  const Inode a = get(found_file(cream_, kRootInode, "a"));
  EXPECT_EQ(claim(jam_, a, "/a"), ClaimOutcome::counted);
  EXPECT_EQ(withdraw(jam_, a, "/a", FindingKind::damaged), std::vector<bool>{true});
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(cream_));
  EXPECT_FALSE(proved(a.id).contains(jam_));
  const auto findings = must(store().findings(10));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, FindingKind::damaged);
  EXPECT_EQ(findings[0].node, jam_);
  EXPECT_EQ(findings[0].path.str(), "/a");
  EXPECT_EQ(findings[0].detail, "told");
  EXPECT_EQ(take(jam_).size(), 1U);
  EXPECT_EQ(claim(jam_, a, "/a"), ClaimOutcome::counted);
  EXPECT_TRUE(must(store().findings(10)).empty()) << "a good copy settles it";
}

TEST_P(Proof, WithdrawalsOfOtherVersionsPathsOrOwedOnesAreLeftAlone) {
  const InodeId folder = this->folder(kRootInode, "f");
  const Inode a = get(found_file(cream_, folder, "a"));
  Inode newer = a;
  newer.version = Version(2);
  EXPECT_EQ(withdraw(cream_, newer, "/f/a"), std::vector<bool>{false});
  EXPECT_EQ(withdraw(cream_, a, "/f/b"), std::vector<bool>{false});
  must(store().rename(kRootInode, "f", kRootInode, "g", RenameMode::replace, time(1), LeaseOwner(), false));
  EXPECT_EQ(withdraw(cream_, a, "/f/a"), std::vector<bool>{false});
  EXPECT_EQ(withdraw(cream_, a, "/g/a"), std::vector<bool>{false})
      << "a pending rename is no proof of absence";
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(cream_));
  EXPECT_TRUE(must(store().findings(10)).empty());
  must(store().finish_intents(cream_, {must(store().owed_by(cream_, IntentId(), 10)).at(0).id}));
  EXPECT_EQ(withdraw(cream_, a, "/g/a"), std::vector<bool>{true});
  EXPECT_TRUE(get(a.id).replicas.empty());
  const QueueSummary queue = must(store().queue_summary());
  EXPECT_EQ(queue.without_copy, 1U);
  EXPECT_EQ(queue.stuck, 1U);
}

TEST_P(Proof, FindingsAreRenewedSettledAndListed) {
  std::vector<Finding> some(2);
  some[0] = {FindingKind::conflict, cream_, *Path::parse("/a\n"), "first", {}, {}};
  some[1] = {FindingKind::unreadable, jam_, *Path::parse("/b"), "EIO", {}, {}};
  must(store().report(some));
  some[0].detail = "second";
  must(store().report(some));
  const auto listed = must(store().findings(10));
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].detail, "second");
  EXPECT_EQ(listed[0].path.str(), "/a\n");
  EXPECT_GE(listed[0].first_seen.seconds, now_ - 5);
  EXPECT_EQ(must(store().findings(1)).size(), 1U);
  must(store().settle(FindingKind::damaged, cream_, some[0].path));
  EXPECT_EQ(must(store().findings(10)).size(), 2U);
  must(store().settle(FindingKind::conflict, cream_, some[0].path));
  EXPECT_EQ(must(store().findings(10)).size(), 1U);
}

}  // namespace
}  // namespace geogrid::test
