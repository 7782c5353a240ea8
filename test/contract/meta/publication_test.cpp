// New content in two steps: the old copies cease to count, the new ones begin to.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

constexpr LeaseOwner kMe(11);
constexpr LeaseOwner kOther(22);

class PublicationTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
    milk_ = add_node("milk");
    on_cream_ = NodeSet::of(cream_);
  }
  /// A file with copies on cream and jam.
  Inode two_copies(const std::string& name) {
    const InodeId id = found_file(cream_, kRootInode, name);
    EXPECT_EQ(claim(jam_, get(id), "/" + name), ClaimOutcome::counted);
    return get(id);
  }
  bool withdraw(NodeIndex node, const Inode& inode, const std::string& path) {
    Withdrawal w;
    w.id = inode.id;
    w.version = inode.version;
    w.path = *Path::parse(path);
    w.reason = FindingKind::changed_outside;
    return must(store().withdraw_copies(node, std::vector<Withdrawal>(1, w))).at(0);
  }
  void cancel(const Inode& inode, NodeSet nodes, LeaseOwner owner = kMe) {
    must(store().cancel_publication(inode.id, owner, nodes, inode.version));
  }
  NodeIndex cream_;
  NodeIndex jam_;
  NodeIndex milk_;
  NodeSet on_cream_;
};
GG_STORE_SUITE(PublicationTest);

TEST_P(PublicationTest, CopiesThatWillBeReplacedCountAsOlderFromTheBeginning) {
  const Inode a = two_copies("a");
  const std::size_t logged = all_changes().size();
  const PublicationPlace place = begin(a.id, on_cream_.with(milk_), kMe);
  EXPECT_EQ(place.path.str(), "/a");
  EXPECT_TRUE(place.owing.empty());
  EXPECT_EQ(place.inode.replicas, NodeSet::of(jam_));
  EXPECT_EQ(place.inode.older, on_cream_);
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(jam_));
  EXPECT_EQ(get(a.id).version, a.version);
  const auto changes = all_changes();
  ASSERT_EQ(changes.size(), logged + 1);
  EXPECT_EQ(changes.back().kind, ChangeKind::copies);
  EXPECT_EQ(changes.back().origin, store().origin());
  check_consistency();
  EXPECT_EQ(begin(a.id, on_cream_, kMe).inode.older, on_cream_);
  EXPECT_EQ(all_changes().size(), logged + 1) << "once is enough";

  const Published done = publish(publication(a, "changed", on_cream_, kMe));
  ASSERT_TRUE(done.recorded);
  EXPECT_EQ(done.displaced, on_cream_.with(jam_));
  EXPECT_EQ(get(a.id).replicas, on_cream_);
  EXPECT_EQ(get(a.id).older, NodeSet::of(jam_));
  check_consistency();
}

TEST_P(PublicationTest, OfAPendingFileOnlyRenewsTheLease) {
  const Inode a = create(kRootInode, "a", kMe, std::chrono::seconds(-1));
  const std::size_t logged = all_changes().size();
  const PublicationPlace place = begin(a.id, on_cream_, kMe);
  EXPECT_EQ(place.path.str(), "/a");
  EXPECT_EQ(place.inode.state, ContentState::pending);
  EXPECT_EQ(all_changes().size(), logged);
  EXPECT_TRUE(must(store().expire_leases(10)).empty());
  EXPECT_TRUE(publish(publication(a, "x", on_cream_, kMe)).recorded);
}

TEST_P(PublicationTest, TheLeaseEndsWithTheRecord) {
  const Inode a = create(kRootInode, "a", kMe);
  const Published done = publish(publication(a, "x", on_cream_, kMe));
  EXPECT_EQ(code_of(run(store().publish(publication(done.inode, "y", on_cream_, kMe), false))),
            make_error_code(errc::stale));
  EXPECT_TRUE(withdraw(cream_, done.inode, "/a")) << "no writer any more";
}

TEST_P(PublicationTest, TimesAreTheWritersButCtimeNeverGoesBack) {
  const Inode a = create(kRootInode, "a", kMe);
  AttributeChange later;
  later.ctime = time(700);
  must(store().set_attributes(a.id, later));
  const Inode first = publish(publication(a, "x", on_cream_, kMe)).inode;
  EXPECT_EQ(first.attributes.mtime, time(500));
  EXPECT_EQ(first.attributes.ctime, time(700));
  begin(a.id, on_cream_, kMe);
  Publication next = publication(first, "y", on_cream_, kMe);
  next.mtime = time(3);
  next.ctime = time(800);
  publish(next);
  EXPECT_EQ(get(a.id).attributes.mtime, time(3));
  EXPECT_EQ(get(a.id).attributes.ctime, time(800));
}

TEST_P(PublicationTest, AnotherPathIsNotRecorded) {
  const Inode a = create(folder(kRootInode, "f"), "a", kMe);
  const Publication before = publication(a, "x", on_cream_, kMe);
  must(store().rename(kRootInode, "f", kRootInode, "g", RenameMode::replace, time(1), LeaseOwner(), false));
  finish_all(cream_);
  EXPECT_FALSE(publish(before).recorded);
  EXPECT_EQ(get(a.id).state, ContentState::pending);
  EXPECT_EQ(begin(a.id, on_cream_, kMe).path.str(), "/g/a");
  EXPECT_TRUE(publish(publication(a, "x", on_cream_, kMe)).recorded) << "the lease was kept";
}

// Both placed their bytes at the same path of the same disk: whose lie there, the store cannot know.
TEST_P(PublicationTest, WhoWasOvertakenOnANodeBeginsAgain) {
  const Inode a = get(found_file(cream_, kRootInode, "a"));
  begin(a.id, on_cream_, kMe);
  begin(a.id, on_cream_, kOther);
  EXPECT_TRUE(publish(publication(a, "theirs", on_cream_, kOther)).recorded);
  EXPECT_FALSE(publish(publication(a, "mine", on_cream_, kMe)).recorded);
  begin(a.id, on_cream_, kOther);  // a third one, which has withdrawn that copy again
  EXPECT_FALSE(publish(publication(a, "mine", on_cream_, kMe)).recorded);
  EXPECT_EQ(get(a.id).digest, digest_of("theirs"));
  begin(a.id, on_cream_, kMe);
  const Published last = publish(publication(a, "mine", on_cream_, kMe));
  EXPECT_TRUE(last.recorded);
  EXPECT_TRUE(last.base_was_stale);
  check_consistency();
}

TEST_P(PublicationTest, WhoWasOvertakenWhileItMadeTheFileBeginsAgain) {
  const Inode a = create(kRootInode, "a", kMe);
  begin(a.id, on_cream_, kOther);
  EXPECT_TRUE(publish(publication(a, "theirs", on_cream_, kOther)).recorded);
  EXPECT_FALSE(publish(publication(a, "mine", on_cream_, kMe)).recorded);
  begin(a.id, on_cream_, kMe);
  EXPECT_TRUE(publish(publication(a, "mine", on_cream_, kMe)).recorded);
}

TEST_P(PublicationTest, WhatANodeOwesComesFirst) {
  const InodeId f = folder(kRootInode, "f");
  const Inode a = get(found_file(cream_, f, "a"));
  must(store().rename(kRootInode, "f", kRootInode, "g", RenameMode::replace, time(1), kOther, false));
  const PublicationPlace place = begin(a.id, on_cream_.with(jam_), kMe);
  EXPECT_EQ(place.owing, on_cream_.with(jam_));
  EXPECT_EQ(place.inode.replicas, on_cream_) << "its copy is not touched yet";
  EXPECT_FALSE(publish(publication(a, "x", on_cream_, kMe)).recorded);
  finish_all(cream_);
  EXPECT_EQ(begin(a.id, on_cream_.with(jam_), kMe).owing, NodeSet::of(jam_));
  EXPECT_TRUE(get(a.id).replicas.empty());
  EXPECT_FALSE(publish(publication(a, "x", on_cream_.with(jam_), kMe)).recorded);
  EXPECT_TRUE(publish(publication(a, "x", on_cream_, kMe)).recorded);
}

TEST_P(PublicationTest, ARemovedFileOrAStrangeNodeIsRefused) {
  const Inode a = create(kRootInode, "a", kMe);
  const Publication content = publication(a, "x", on_cream_, kMe);
  must(store().unlink(kRootInode, "a", time(1), kOther));
  EXPECT_EQ(code_of(run(store().publish(content, false))), make_error_code(errc::not_found));
  EXPECT_EQ(code_of(run(store().begin_publication(a.id, kMe, on_cream_, std::chrono::seconds(1)))),
            make_error_code(errc::not_found));
  cancel(a, on_cream_);
  const Inode b = create(kRootInode, "b", kMe);
  NodeChange retire;
  retire.state = NodeState::retired;
  must(store().change_node("milk", retire));
  EXPECT_EQ(code_of(run(store().publish(publication(b, "x", NodeSet::of(milk_), kMe), false))),
            make_error_code(errc::refused));
  EXPECT_EQ(
      code_of(run(store().begin_publication(b.id, kMe, NodeSet::of(NodeIndex(63)), std::chrono::seconds(1)))),
      make_error_code(errc::refused));
}

TEST_P(PublicationTest, ACancelledOneGivesTheCopiesBack) {
  const Inode a = two_copies("a");
  begin(a.id, on_cream_.with(jam_), kMe);
  EXPECT_TRUE(get(a.id).replicas.empty());
  cancel(a, on_cream_.with(milk_));
  EXPECT_EQ(get(a.id).replicas, on_cream_) << "what lies on jam is not what was there";
  EXPECT_EQ(get(a.id).older, NodeSet::of(jam_));
  check_consistency();
  EXPECT_TRUE(withdraw(cream_, a, "/a")) << "the lease is gone";
  cancel(a, on_cream_.with(jam_));
  EXPECT_TRUE(get(a.id).replicas.empty()) << "nothing is given back twice";
}

TEST_P(PublicationTest, ACancelledOneNeverRevivesAnOlderVersion) {
  const Inode first = two_copies("a");
  begin(first.id, on_cream_, kMe);
  const Inode a = publish(publication(first, "changed", on_cream_, kMe)).inode;
  EXPECT_EQ(a.older, NodeSet::of(jam_));
  begin(a.id, on_cream_.with(jam_), kMe);
  cancel(a, on_cream_.with(jam_));
  EXPECT_EQ(get(a.id).replicas, on_cream_);
  EXPECT_EQ(get(a.id).older, NodeSet::of(jam_));

  begin(a.id, on_cream_, kMe);
  begin(a.id, NodeSet::of(milk_), kOther);
  publish(publication(a, "theirs", NodeSet::of(milk_), kOther));
  cancel(a, on_cream_);
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(milk_));
}

TEST_P(PublicationTest, OfTwoWhoCancelTheLastGivesBack) {
  const Inode a = two_copies("a");
  begin(a.id, on_cream_, kMe);
  begin(a.id, on_cream_, kOther);
  cancel(a, on_cream_, kMe);
  EXPECT_EQ(get(a.id).replicas, NodeSet::of(jam_)) << "the other's bytes may lie there";
  cancel(a, on_cream_, kOther);
  EXPECT_EQ(get(a.id).replicas, on_cream_.with(jam_));
  check_consistency();
}

TEST_P(PublicationTest, ACancelledNewFileGoesAway) {
  const Inode a = create(kRootInode, "a", kMe);
  begin(a.id, on_cream_, kMe);
  cancel(a, on_cream_);
  EXPECT_FALSE(must(store().lookup(kRootInode, "a")));
}

TEST_P(PublicationTest, AWalkBetweenRenameAndRecordTakesNothingAway) {
  const Inode a = two_copies("a");
  begin(a.id, on_cream_, kMe);
  EXPECT_FALSE(withdraw(cream_, a, "/a"));
  EXPECT_FALSE(withdraw(jam_, a, "/a")) << "any copy of a file that is being written";
  EXPECT_TRUE(must(store().findings(10)).empty());
  EXPECT_EQ(claim(cream_, a, "/a"), ClaimOutcome::stale) << "what was checked may be replaced by now";
  EXPECT_EQ(claim(milk_, a, "/a"), ClaimOutcome::counted) << "nobody replaces that";
  publish(publication(a, "changed", on_cream_, kMe));
  EXPECT_EQ(claim(milk_, a, "/a"), ClaimOutcome::stale);
  EXPECT_EQ(claim(jam_, get(a.id), "/a", "changed"), ClaimOutcome::counted);
}

TEST_P(PublicationTest, OldVersionsThatNobodyNeedsGoToTrash) {
  const Inode a = two_copies("a");
  begin(a.id, on_cream_, kMe);
  const Inode changed = publish(publication(a, "changed", on_cream_, kMe)).inode;
  EXPECT_EQ(changed.older, NodeSet::of(jam_));
  EXPECT_TRUE(must(store().owed_by(jam_, IntentId(), 10)).empty()) << "it may still get the new version";
  EXPECT_EQ(claim(milk_, changed, "/a", "changed"), ClaimOutcome::counted);
  EXPECT_EQ(get(a.id).older, NodeSet());
  const auto owed = must(store().owed_by(jam_, IntentId(), 10));
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed.front().kind, IntentKind::remove);
  EXPECT_EQ(owed.front().path.str(), "/a");
  check_consistency();
}

TEST_P(PublicationTest, FilesWithoutADigestAreListedForTheirHolders) {
  std::vector<Inode> files;
  for (int i = 0; i < 5; ++i) {
    const Inode made = create(kRootInode, fmt::format("{}", i), kMe);
    Publication p = publication(made, "content", i < 3 ? on_cream_ : NodeSet::of(jam_), kMe);
    p.digest = {};
    files.push_back(publish(p).inode);
  }
  check_consistency();
  const auto page = must(store().unhashed(cream_, InodeId(), 2));
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].path.str(), "/0");
  EXPECT_EQ(page[0].inode.id, files[0].id);
  EXPECT_EQ(must(store().unhashed(cream_, page[1].inode.id, 10)).size(), 1U);
  EXPECT_TRUE(must(store().unhashed(milk_, InodeId(), 10)).empty());

  EXPECT_EQ(claim(cream_, files[0], "/0"), ClaimOutcome::counted);
  must(store().unlink(kRootInode, "1", time(1), LeaseOwner()));
  begin(files[2].id, on_cream_, kMe);
  publish(publication(files[2], "hashed", on_cream_, kMe));
  check_consistency();
  EXPECT_TRUE(must(store().unhashed(cream_, InodeId(), 10)).empty());
  EXPECT_EQ(must(store().unhashed(jam_, InodeId(), 10)).size(), 2U);
}

TEST_P(PublicationTest, OnlyACopyThatCountsSaysWhatTheDigestIs) {
  const Inode made = create(kRootInode, "a", kMe);
  Publication p = publication(made, "content", on_cream_, kMe);
  p.digest = {};
  const Inode a = publish(p).inode;
  EXPECT_EQ(claim(jam_, a, "/a", "CONTENT"), ClaimOutcome::stale);
  EXPECT_EQ(claim(cream_, a, "/a", "content"), ClaimOutcome::counted);
  EXPECT_EQ(claim(jam_, a, "/a", "content"), ClaimOutcome::counted);
}

}  // namespace
}  // namespace geogrid::test
