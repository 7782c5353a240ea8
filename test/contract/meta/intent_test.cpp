// Who carries out what disks owe.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

constexpr LeaseOwner kMe(11);
constexpr LeaseOwner kOther(22);
constexpr std::chrono::seconds kLong(60);

class Intents : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
  }
  IntentId remove_file(const std::string& name, LeaseOwner by) {
    found_file(cream_, kRootInode, name);
    return *must(store().unlink(kRootInode, name, time(1), by)).intent;
  }
  std::vector<IntentId> taken(LeaseOwner by, std::size_t limit = 100, std::chrono::seconds hold = kLong) {
    std::vector<IntentId> ids;
    for (const Intent& intent : must(store().take_owed(cream_, by, limit, hold))) ids.push_back(intent.id);
    return ids;
  }
  Renamed rename(const std::string& from, const std::string& to, RenameMode mode = RenameMode::replace) {
    return must(store().rename(kRootInode, from, kRootInode, to, mode, time(1), kMe, true));
  }
  NodeIndex cream_;
  NodeIndex jam_;
};
GG_STORE_SUITE(Intents);

TEST_P(Intents, AreTakenByWhoeverMadeThem) {
  const IntentId a = remove_file("a", kMe);
  EXPECT_TRUE(taken(kOther).empty());
  EXPECT_EQ(taken(kMe), std::vector<IntentId>(1, a));
  const IntentId b = remove_file("b", LeaseOwner());
  EXPECT_EQ(taken(kOther), std::vector<IntentId>(1, b)) << "it has nothing to do with a";
  EXPECT_EQ(taken(kMe), std::vector<IntentId>(1, a));
  EXPECT_EQ(code_of(run(store().take_owed(cream_, LeaseOwner(), 1, kLong))),
            make_error_code(errc::invalid_argument));
}

TEST_P(Intents, OfOthersHoldUpOnlyWhatTouchesTheirNames) {
  const IntentId a = remove_file("a", LeaseOwner());
  const IntentId b = remove_file("b", LeaseOwner());
  const IntentId c = remove_file("c", kMe);
  const IntentId d = remove_file("d", LeaseOwner());
  found_file(cream_, kRootInode, "e");
  // Takes the name that c still has to give up.
  const Renamed moved = must(
      store().rename(kRootInode, "e", kRootInode, "c", RenameMode::replace, time(1), LeaseOwner(), true));
  ASSERT_EQ(moved.intents.size(), 1U);
  const IntentId again = *must(store().unlink(kRootInode, "c", time(1), LeaseOwner())).intent;
  EXPECT_EQ(taken(kOther, 1), std::vector<IntentId>(1, a));
  EXPECT_EQ(taken(kOther), (std::vector<IntentId>{a, b, d})) << "not the rename, nor what follows it";
  EXPECT_EQ(must(store().finish_intents(cream_, {a, b, d})), (std::vector<bool>{true, true, true}));
  EXPECT_TRUE(taken(kOther).empty());
  EXPECT_EQ(taken(kMe), (std::vector<IntentId>{c, moved.intents.front().id, again}));
}

TEST_P(Intents, AHoldThatRanOutIsNobodys) {
  const IntentId a = remove_file("a", LeaseOwner());
  EXPECT_EQ(taken(kMe, 10, std::chrono::seconds(-1)), std::vector<IntentId>(1, a));
  EXPECT_EQ(taken(kOther), std::vector<IntentId>(1, a));
  EXPECT_TRUE(taken(kMe).empty());
}

TEST_P(Intents, WhoFinishesLateIsTold) {
  const IntentId a = remove_file("a", LeaseOwner());
  const IntentId b = remove_file("b", LeaseOwner());
  EXPECT_EQ(must(store().finish_intents(cream_, {a})), std::vector<bool>{true});
  EXPECT_EQ(must(store().finish_intents(cream_, {a, b, IntentId(9999), b})),
            (std::vector<bool>{false, true, false, false}));
  EXPECT_EQ(must(store().finish_intents(jam_, {b})), std::vector<bool>{false});
}

TEST_P(Intents, ASymlinkIsOwedByEveryNode) {
  NewNode link;
  link.parent = folder(kRootInode, "f");
  link.name = "l";
  link.type = FileType::symlink;
  link.link_target = "target";
  link.attributes.ctime = time(44);
  link.by = kMe;
  const Inode made = must(store().make_node(link));
  ASSERT_EQ(owed(jam_).size(), 1U);
  const Intent intent = owed(jam_)[0];
  EXPECT_EQ(intent.kind, IntentKind::make_symlink);
  EXPECT_EQ(intent.path.str(), "/f/l");
  EXPECT_EQ(intent.inode, made.id);
  EXPECT_EQ(intent.when, time(44));
  EXPECT_EQ(intent.owed, NodeSet::of(cream_).with(jam_));
  EXPECT_TRUE(taken(kOther).empty());
  EXPECT_EQ(taken(kMe).size(), 1U);

  const Removed removed = must(store().unlink(link.parent, "l", time(1), kMe));
  EXPECT_EQ(removed.owed, NodeSet::of(cream_).with(jam_));
  const Inode file = create(link.parent, "l", kMe);
  EXPECT_EQ(begin(file.id, NodeSet::of(cream_), kMe).owing, NodeSet::of(cream_));
  EXPECT_FALSE(publish(publication(file, "x", NodeSet::of(cream_), kMe)).recorded);
  finish_all(cream_);
  EXPECT_TRUE(publish(publication(file, "x", NodeSet::of(cream_), kMe)).recorded);
  check_consistency();
}

TEST_P(Intents, ARenameSaysWhatItMeansOnDisk) {
  found_file(cream_, kRootInode, "a");
  const InodeId b = found_file(jam_, kRootInode, "b");
  const Renamed moved = rename("a", "b");
  ASSERT_EQ(moved.intents.size(), 2U);
  EXPECT_EQ(moved.intents[0].kind, IntentKind::remove);
  EXPECT_EQ(moved.intents[0].inode, b);
  EXPECT_EQ(moved.intents[0].path.str(), "/b");
  EXPECT_EQ(moved.intents[0].owed, NodeSet::of(jam_));
  EXPECT_EQ(moved.intents[1].kind, IntentKind::rename);
  EXPECT_EQ(moved.intents[1].path.str(), "/a");
  EXPECT_EQ(moved.intents[1].new_path.str(), "/b");
  EXPECT_EQ(moved.intents[1].owed, NodeSet::of(cream_));
  EXPECT_EQ(moved.intents[1].when, time(1));
  EXPECT_EQ(moved.intents[1].id, owed(cream_).at(0).id);
  EXPECT_EQ(moved.at_once, NodeSet::of(cream_).with(jam_)) << "its own intents are none before it";
  EXPECT_TRUE(taken(kOther).empty());
}

TEST_P(Intents, AFileMovesAtOnceUnlessItsNamesAreOwed) {
  const InodeId f = folder(kRootInode, "f");
  found_file(cream_, f, "a");
  found_file(cream_, kRootInode, "b");
  remove_file("other", kMe);
  EXPECT_EQ(rename("b", "c").at_once, NodeSet::of(cream_)) << "what else is owed does not touch it";
  EXPECT_TRUE(rename("c", "d").at_once.empty()) << "b became c first";
  EXPECT_TRUE(rename("d", "e", RenameMode::no_replace).at_once.empty());
  finish_all(cream_);
  rename("f", "g");
  const Renamed below = must(store().rename(f, "a", f, "x", RenameMode::replace, time(1), kMe, false));
  EXPECT_TRUE(below.at_once.empty()) << "the folder above moves first";
  finish_all(cream_);
  EXPECT_EQ(must(store().rename(f, "x", f, "y", RenameMode::replace, time(1), kMe, false)).at_once,
            NodeSet::of(cream_))
      << "jam, which holds nothing, still owes the folder's rename";
}

TEST_P(Intents, AFolderMovesAtOnceWhereNothingIsOwed) {
  folder(kRootInode, "f");
  EXPECT_EQ(rename("f", "g").at_once, NodeSet::of(cream_).with(jam_));
  finish_all(jam_);
  finish_all(cream_);
  remove_file("other", kMe);
  EXPECT_EQ(rename("g", "h").at_once, NodeSet::of(jam_));
  finish_all(jam_);
  finish_all(cream_);
  found_file(cream_, kRootInode, "file");
  EXPECT_EQ(rename("file", "h", RenameMode::exchange).at_once, NodeSet::of(cream_).with(jam_));
}

TEST_P(Intents, WhatWasChangedIsPowerSafeAfterASync) {
  remove_file("a", kMe);
  must(store().sync());
  std::vector<task<result<void>>> syncs;
  for (int i = 0; i < 20; ++i) syncs.push_back(store().sync());
  for (const auto& done : run_all(std::move(syncs))) EXPECT_TRUE(done);
}

TEST_P(Intents, WhatClientsDoAndWhatWorkersDoHaveTwoOrigins) {
  const InodeId f = folder(kRootInode, "f");
  const InodeId a = found_file(cream_, f, "a");
  EXPECT_EQ(claim(jam_, get(a), "/f/a"), ClaimOutcome::counted);
  must(store().set_attributes(a, {}));
  std::vector<Change> changes = all_changes();
  std::erase_if(changes, [](const Change& change) { return change.kind == ChangeKind::node; });
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(changes[0].origin, store().origin());
  EXPECT_EQ(changes[3].origin, store().origin());
  const Origin workers = changes[1].origin;
  EXPECT_NE(workers, store().origin());
  EXPECT_NE(workers, Origin(0));
  EXPECT_EQ(changes[2].origin, workers);
}

}  // namespace
}  // namespace geogrid::test
