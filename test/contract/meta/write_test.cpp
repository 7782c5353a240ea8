// Writers: leases, pending files, new versions.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

constexpr LeaseOwner kMe(11);
constexpr LeaseOwner kOther(22);

class Write : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
    milk_ = add_node("milk");
  }
  NewFile new_file(const std::string& name, std::chrono::seconds lease = std::chrono::seconds(60)) {
    NewFile f;
    f.parent = kRootInode;
    f.name = name;
    f.owner = kMe;
    f.lease = lease;
    f.exclusive = true;
    return f;
  }
  Inode create(const std::string& name) { return StoreTest::create(kRootInode, name, kMe); }
  Publication content(InodeId id, Version base, const std::string& bytes, NodeSet replicas,
                      LeaseOwner owner = kMe) {
    Inode of;
    of.id = id;
    of.version = base;
    return publication(of, bytes, replicas, owner);
  }
  NodeIndex cream_;
  NodeIndex jam_;
  NodeIndex milk_;
};
GG_STORE_SUITE(Write);

TEST_P(Write, ANewFileIsPendingUntilItIsPublished) {
  const Inode made = create("a");
  EXPECT_EQ(made.state, ContentState::pending);
  EXPECT_EQ(made.version, Version(0));
  EXPECT_EQ(get(made.id).storage_class, "others");
  EXPECT_TRUE(must(store().lookup(kRootInode, "a"))) << "the name is taken at once";
  EXPECT_TRUE(take(jam_).empty());
  EXPECT_EQ(claim(jam_, made, "/a"), ClaimOutcome::stale);
  EXPECT_EQ(must(store().totals()).pending, 1U);

  const Published done = publish(content(made.id, Version(0), "new", NodeSet::of(cream_)));
  EXPECT_FALSE(done.base_was_stale);
  EXPECT_TRUE(done.displaced.empty());
  const Inode now = get(made.id);
  EXPECT_EQ(now.state, ContentState::published);
  EXPECT_EQ(now.version, Version(1));
  EXPECT_EQ(now.size, 3U);
  EXPECT_EQ(now.attributes.mtime, time(500));
  EXPECT_EQ(now.replicas, NodeSet::of(cream_));
  EXPECT_EQ(take(jam_).size(), 1U);
}

TEST_P(Write, AnExistingNameIsHandedBackUnlessExclusive) {
  const InodeId a = found_file(cream_, kRootInode, "a");
  EXPECT_EQ(code_of(run(store().create_file(new_file("a")))), make_error_code(errc::already_exists));
  NewFile open = new_file("a");
  open.exclusive = false;
  const CreatedFile found = must(store().create_file(open));
  EXPECT_TRUE(found.existed);
  EXPECT_EQ(found.inode.id, a);
  EXPECT_EQ(code_of(run(store().publish(content(a, Version(1), "x", NodeSet::of(cream_)), false))),
            make_error_code(errc::stale))
      << "no lease was given";
}

TEST_P(Write, AnOverwriteLeavesOlderCopiesBehind) {
  const InodeId a = found_file(cream_, kRootInode, "a");
  EXPECT_EQ(claim(jam_, get(a), "/a"), ClaimOutcome::counted);
  begin(a, NodeSet::of(jam_).with(milk_), kMe);
  const Published done = publish(content(a, Version(1), "changed", NodeSet::of(jam_).with(milk_)));
  EXPECT_EQ(done.displaced, NodeSet::of(cream_).with(jam_));
  EXPECT_EQ(done.inode.version, Version(2));
  const Inode now = get(a);
  EXPECT_EQ(now.replicas, NodeSet::of(jam_).with(milk_));
  EXPECT_EQ(now.older, NodeSet::of(cream_));
  EXPECT_TRUE(now.backups.empty());
  EXPECT_EQ(claim(cream_, now, "/a", "changed"), ClaimOutcome::counted);
  EXPECT_TRUE(get(a).older.empty());
}

TEST_P(Write, CopiesOfTheVersionBeforeNoLongerCount) {
  const Inode before = get(found_file(cream_, kRootInode, "a"));
  EXPECT_EQ(take(jam_).size(), 1U);
  begin(before.id, NodeSet::of(cream_), kMe);
  publish(content(before.id, Version(1), "changed", NodeSet::of(cream_)));
  EXPECT_EQ(claim(jam_, before, "/a"), ClaimOutcome::stale);
  EXPECT_EQ(take(jam_).at(0).inode.version, Version(2));
}

TEST_P(Write, LastCloseWins) {
  const auto other = open_another();
  const InodeId a = found_file(cream_, kRootInode, "a");
  begin(a, NodeSet::of(jam_), kMe);
  begin(a, NodeSet::of(milk_), kOther);
  std::vector<task<result<Published>>> closes;
  closes.push_back(store().publish(content(a, Version(1), "mine", NodeSet::of(jam_), kMe), false));
  closes.push_back(other->publish(content(a, Version(1), "theirs", NodeSet::of(milk_), kOther), false));
  const auto done = run_all(std::move(closes));
  ASSERT_TRUE(done[0] && done[0]->recorded);
  ASSERT_TRUE(done[1]);
  const Published& last = done[0]->inode.version > done[1]->inode.version ? *done[0] : *done[1];
  const Published& first = done[0]->inode.version > done[1]->inode.version ? *done[1] : *done[0];
  EXPECT_FALSE(first.base_was_stale);
  EXPECT_TRUE(last.base_was_stale);
  EXPECT_EQ(last.displaced, first.inode.replicas.with(cream_));
  const Inode now = get(a);
  EXPECT_EQ(now.version, Version(3));
  EXPECT_EQ(now.digest, last.inode.digest);
  EXPECT_EQ(now.replicas, last.inode.replicas);
  EXPECT_EQ(now.older, first.inode.replicas.with(cream_));
  other->close();
}

TEST_P(Write, APendingDigestIsFilledByTheFirstCopyOfTheRightSize) {
  const Inode made = create("a");
  Publication p = content(made.id, Version(0), "content", NodeSet::of(cream_));
  p.digest = {};
  publish(p);
  EXPECT_TRUE(take(jam_).empty()) << "not replicated before it is hashed";
  const Inode now = get(made.id);
  EXPECT_EQ(claim(cream_, now, "/a", "wrong size"), ClaimOutcome::mismatch);
  EXPECT_EQ(claim(cream_, now, "/a", "content"), ClaimOutcome::counted);
  EXPECT_EQ(get(made.id).digest, digest_of("content"));
  EXPECT_EQ(take(jam_).size(), 1U);
  EXPECT_EQ(claim(jam_, now, "/a", "CONTENT"), ClaimOutcome::mismatch);
}

TEST_P(Write, AnAbandonedNewFileGoesAway) {
  const Inode a = create("a");
  must(store().abandon(a.id, kMe));
  EXPECT_FALSE(must(store().lookup(kRootInode, "a")));
  must(store().abandon(a.id, kMe));
  const Inode b = create("b");
  begin(b.id, NodeSet::of(cream_), kOther);
  must(store().abandon(b.id, kMe));
  EXPECT_TRUE(must(store().lookup(kRootInode, "b"))) << "another still writes it";
  publish(content(b.id, Version(0), "b", NodeSet::of(cream_), kOther));
  must(store().abandon(b.id, kOther));
  EXPECT_EQ(get(b.id).version, Version(1));
  EXPECT_EQ(code_of(run(store().publish(content(b.id, Version(1), "x", NodeSet::of(cream_), kOther), false))),
            make_error_code(errc::stale));
}

TEST_P(Write, AnExpiredLeaseTakesThePendingRowAway) {
  must(store().create_file(new_file("gone", std::chrono::seconds(-1))));
  const Inode kept = create("kept");
  const InodeId old = found_file(cream_, kRootInode, "old");
  must(store().begin_publication(old, kMe, NodeSet::of(cream_), std::chrono::seconds(-1)));
  const std::vector<Inode> gone = must(store().expire_leases(100));
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].name, "gone");
  EXPECT_FALSE(must(store().lookup(kRootInode, "gone")));
  EXPECT_EQ(get(old).version, Version(1));
  EXPECT_EQ(code_of(run(store().publish(content(old, Version(1), "x", NodeSet::of(cream_)), false))),
            make_error_code(errc::stale));
  publish(content(kept.id, Version(0), "x", NodeSet::of(cream_)));
  EXPECT_TRUE(must(store().expire_leases(100)).empty());
}

TEST_P(Write, RenewedLeasesLive) {
  must(store().create_file(new_file("a", std::chrono::seconds(-1))));
  must(store().renew_leases(kMe, std::chrono::seconds(60)));
  EXPECT_TRUE(must(store().expire_leases(100)).empty());
  EXPECT_TRUE(must(store().lookup(kRootInode, "a")));
}

TEST_P(Write, OfManyCreatesAtOnceEachNameHasOneWinner) {
  std::vector<task<result<CreatedFile>>> creates;
  for (int i = 0; i < 40; ++i) creates.push_back(store().create_file(new_file(fmt::format("{}", i / 2))));
  int made = 0;
  for (const auto& created : run_all(std::move(creates))) {
    made += created ? 1 : 0;
    EXPECT_TRUE(created || created.error().is(errc::already_exists));
  }
  EXPECT_EQ(made, 20);
  EXPECT_EQ(must(store().list(kRootInode, InodeId(), 100)).size(), 20U);
  check_consistency();
}

TEST_P(Write, OnlyFilesAreWritten) {
  const InodeId folder = this->folder(kRootInode, "folder");
  const auto lease = std::chrono::seconds(1);
  EXPECT_EQ(code_of(run(store().begin_publication(folder, kMe, NodeSet::of(cream_), lease))),
            make_error_code(errc::is_a_folder));
  EXPECT_EQ(code_of(run(store().begin_publication(InodeId(99), kMe, NodeSet::of(cream_), lease))),
            make_error_code(errc::not_found));
  const Inode a = create("a");
  EXPECT_EQ(code_of(run(store().publish(content(a.id, Version(0), "x", NodeSet()), false))),
            make_error_code(errc::invalid_argument));
}

}  // namespace
}  // namespace geogrid::test
