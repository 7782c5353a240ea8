// Counting copies.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

class Claim : public StoreTest {
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
GG_STORE_SUITE(Claim);

TEST_P(Claim, AVerifiedCopyCounts) {
  const Inode a = get(found_file(cream_, kRootInode, "a"));
  EXPECT_EQ(claim(jam_, a, "/a"), ClaimOutcome::counted);
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(cream_).with(jam_));
  const std::size_t logged = all_changes().size();
  EXPECT_EQ(claim(jam_, a, "/a"), ClaimOutcome::counted);
  EXPECT_EQ(get(a.id).replicas.size(), 2);
  EXPECT_EQ(all_changes().size(), logged) << "a repeated report changes nothing";
}

TEST_P(Claim, OtherContentIsNoCopy) {
  const Inode a = get(found_file(cream_, kRootInode, "a"));
  EXPECT_EQ(claim(jam_, a, "/a", "CONTENT"), ClaimOutcome::mismatch);
  EXPECT_EQ(claim(jam_, a, "/a", "longer content"), ClaimOutcome::mismatch);
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(cream_));
}

TEST_P(Claim, AnotherVersionPathOrFileIsStale) {
  const InodeId folder = this->folder(kRootInode, "f");
  Inode a = get(found_file(cream_, folder, "a"));
  EXPECT_EQ(claim(jam_, a, "/f/b"), ClaimOutcome::stale);
  EXPECT_EQ(claim(jam_, a, "/g/a"), ClaimOutcome::stale);
  EXPECT_EQ(claim(jam_, a, "/"), ClaimOutcome::stale);
  Inode newer = a;
  newer.version = Version(2);
  EXPECT_EQ(claim(jam_, newer, "/f/a"), ClaimOutcome::stale);
  Inode none = a;
  none.id = InodeId(12345);
  EXPECT_EQ(claim(jam_, none, "/f/a"), ClaimOutcome::stale);
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(cream_));
}

TEST_P(Claim, ACopyUnderAnAncestorsOldNameIsStale) {
  const InodeId top = folder(kRootInode, "top");
  const InodeId below = folder(top, "below");
  const Inode a = get(found_file(cream_, below, "a"));
  must(store().rename(kRootInode, "top", kRootInode, "new", RenameMode::replace, time(1), LeaseOwner(),
                      false));
  EXPECT_EQ(claim(jam_, a, "/top/below/a"), ClaimOutcome::stale);
  // The node has the rename still to do: what lies at the new path now is not what will lie there.
  EXPECT_EQ(claim(jam_, a, "/new/below/a"), ClaimOutcome::stale);
  const auto owed = must(store().owed_by(jam_, IntentId(), 10));
  ASSERT_EQ(owed.size(), 1U);
  must(store().finish_intents(jam_, {owed[0].id}));
  EXPECT_EQ(claim(jam_, a, "/new/below/a"), ClaimOutcome::counted);
}

TEST_P(Claim, ABatchHasAnAnswerForEach) {
  const Inode a = get(found_file(cream_, kRootInode, "a", "aa"));
  const Inode b = get(found_file(cream_, kRootInode, "b", "bb"));
  std::vector<CopyClaim> claims(4);
  claims[0] = {a.id, a.version, *Path::parse("/a"), 2, digest_of("aa")};
  claims[1] = {b.id, b.version, *Path::parse("/b"), 2, digest_of("xx")};
  claims[2] = {InodeId(99), b.version, *Path::parse("/b"), 2, digest_of("bb")};
  claims[3] = claims[0];
  EXPECT_EQ(must(store().claim_copies(jam_, claims, true)),
            (std::vector{ClaimOutcome::counted, ClaimOutcome::mismatch, ClaimOutcome::stale,
                         ClaimOutcome::counted}));
  EXPECT_EQ(code_of(run(store().claim_copies(NodeIndex(50), claims, false))),
            make_error_code(errc::not_found));
  claims[0].digest = {};
  EXPECT_EQ(code_of(run(store().claim_copies(jam_, claims, false))), make_error_code(errc::invalid_argument));
}

TEST_P(Claim, OfABatchOnlyWhatTheNodeOwesIsStale) {
  std::vector<FoundEntry> entries;
  for (int i = 0; i < 20; ++i) entries.push_back(file_entry(fmt::format("{}", i)));
  const std::vector<InodeId> ids = found(cream_, kRootInode, entries);
  EXPECT_EQ(claim(jam_, get(ids[3]), "/3"), ClaimOutcome::counted);
  must(store().rename(kRootInode, "3", kRootInode, "moved", RenameMode::replace, time(1), LeaseOwner(),
                      false));
  const InodeId again = found_file(milk_, kRootInode, "another");
  std::vector<CopyClaim> claims;
  for (const InodeId id : ids) {
    const Inode inode = get(id);
    claims.push_back({id, inode.version, Path().child(inode.name), inode.size, inode.digest});
  }
  claims.push_back({again, Version(1), *Path::parse("/another"), 7, digest_of("content")});
  const auto outcomes = must(store().claim_copies(jam_, claims, false));
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i], i == 3 ? ClaimOutcome::stale : ClaimOutcome::counted) << i;
}

TEST_P(Claim, ClaimsOfSeveralNodesAtOnceAllCount) {
  const auto other = open_another();
  std::vector<Inode> files;
  std::vector<FoundEntry> entries;
  for (int i = 0; i < 60; ++i) entries.push_back(file_entry(fmt::format("{}", i)));
  for (const InodeId id : found(cream_, kRootInode, entries)) files.push_back(get(id));
  std::vector<task<result<std::vector<ClaimOutcome>>>> all;
  for (const NodeIndex node : {jam_, milk_})
    for (std::size_t from = 0; from < files.size(); from += 20) {
      std::vector<CopyClaim> claims;
      for (std::size_t i = from; i < from + 20; ++i)
        claims.push_back(
            {files[i].id, files[i].version, Path().child(files[i].name), files[i].size, files[i].digest});
      all.push_back((node == jam_ ? store() : *other).claim_copies(node, std::move(claims), false));
    }
  for (const auto& outcomes : run_all(std::move(all))) ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (const Inode& file : files) EXPECT_EQ(get(file.id).replicas, NodeSet(7));
  other->close();
}

}  // namespace
}  // namespace geogrid::test
