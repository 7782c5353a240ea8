// The change log, and what belongs to the store as a whole.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

using Log = StoreTest;
GG_STORE_SUITE(Log);

TEST_P(Log, EachChangeNamesItsOriginAndWhatItDid) {
  const auto other = open_another();
  EXPECT_NE(other->origin(), store().origin());
  EXPECT_NE(store().origin(), Origin(0));
  const InodeId a = folder(kRootInode, "a");
  must(other->rename(kRootInode, "a", kRootInode, "b", RenameMode::replace, time(1), LeaseOwner(), false));
  AttributeChange mode;
  mode.mode = 0700;
  must(store().set_attributes(a, mode));
  must(store().remove_folder(kRootInode, "b", time(1), LeaseOwner()));
  const auto changes = all_changes();
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(changes[0].kind, ChangeKind::created);
  EXPECT_EQ(changes[0].origin, store().origin());
  EXPECT_EQ(changes[0].inode, a);
  EXPECT_EQ(changes[0].parent, kRootInode);
  EXPECT_EQ(changes[0].name, "a");
  EXPECT_EQ(changes[1].kind, ChangeKind::moved);
  EXPECT_EQ(changes[1].origin, other->origin());
  EXPECT_EQ(changes[1].name, "a");
  EXPECT_EQ(changes[1].new_parent, kRootInode);
  EXPECT_EQ(changes[1].new_name, "b");
  EXPECT_EQ(changes[2].kind, ChangeKind::attributes);
  EXPECT_EQ(changes[3].kind, ChangeKind::removed);
  EXPECT_EQ(changes[3].name, "b");
  EXPECT_EQ(must(store().latest_change()), changes[3].id);
  other->close();
}

TEST_P(Log, WhatFailsIsNotLogged) {
  folder(kRootInode, "a");
  const ChangeId before = must(store().latest_change());
  NewNode again;
  again.parent = kRootInode;
  again.name = "a";
  EXPECT_FALSE(run(store().make_node(again)));
  EXPECT_FALSE(run(store().unlink(kRootInode, "a", time(1), LeaseOwner())));
  EXPECT_EQ(must(store().latest_change()), before);
}

TEST_P(Log, TheHintChangesWithEachProcessesChanges) {
  const auto other = open_another();
  const std::uint64_t first = must(store().change_hint());
  EXPECT_EQ(must(store().change_hint()), first);
  folder(kRootInode, "a");
  const std::uint64_t second = must(store().change_hint());
  EXPECT_NE(second, first);
  NewNode b;
  b.parent = kRootInode;
  b.name = "b";
  must(other->make_node(b));
  EXPECT_NE(must(store().change_hint()), second);
  other->close();
}

TEST_P(Log, PruningKeepsTheNewestAndSaysWhatWent) {
  for (int i = 0; i < 5; ++i) folder(kRootInode, fmt::format("{}", i));
  const ChangeId latest = must(store().latest_change());
  EXPECT_FALSE(must(store().prune_changes(std::chrono::hours(1))));
  EXPECT_EQ(must(store().pruned_up_to()), ChangeId(0));
  EXPECT_EQ(all_changes().size(), 5U);
  EXPECT_FALSE(must(store().prune_changes(std::chrono::seconds(-10))));
  ASSERT_EQ(all_changes().size(), 1U);
  EXPECT_EQ(all_changes()[0].id, latest);
  EXPECT_LT(must(store().pruned_up_to()), latest);
  EXPECT_GT(must(store().pruned_up_to()), ChangeId(0));
  EXPECT_EQ(must(store().latest_change()), latest);
  folder(kRootInode, "next");
  EXPECT_GT(must(store().latest_change()), latest) << "ids are never used again";
}

TEST_P(Log, PruningGoesPageByPage) {
  const NodeIndex cream = add_node("cream");
  for (int batch = 0; batch < 5; ++batch) {
    std::vector<FoundEntry> entries;
    for (int i = 0; i < 500; ++i) entries.push_back(file_entry(fmt::format("{}.{}", batch, i)));
    found(cream, kRootInode, entries);
  }
  EXPECT_TRUE(must(store().prune_changes(std::chrono::seconds(-10))));
  EXPECT_FALSE(must(store().prune_changes(std::chrono::seconds(-10))));
  EXPECT_EQ(all_changes().size(), 1U);
}

TEST_P(Log, CheckpointsAreKeptByNodeAndWorker) {
  const std::string bytes("\0\xff/a'", 5);
  EXPECT_EQ(must(store().checkpoint(NodeIndex(0), "walk")), "");
  must(store().set_checkpoint(NodeIndex(0), "walk", bytes));
  must(store().set_checkpoint(NodeIndex(0), "scrub", "s"));
  must(store().set_checkpoint(NodeIndex(0), "walk", bytes + "2"));
  EXPECT_EQ(must(store().checkpoint(NodeIndex(0), "walk")), bytes + "2");
  EXPECT_EQ(must(store().checkpoint(NodeIndex(1), "walk")), "");
  must(store().set_checkpoint(NodeIndex(0), "walk", ""));
  EXPECT_EQ(must(store().checkpoint(NodeIndex(0), "walk")), "");
  EXPECT_EQ(must(store().checkpoint(NodeIndex(0), "scrub")), "s");
}

TEST_P(Log, TotalsCountEverything) {
  const NodeIndex cream = add_node("cream");
  const NodeIndex jam = add_node("jam");
  const InodeId f = folder(kRootInode, "f");
  const InodeId a = found_file(cream, f, "a", "12345");
  found_file(cream, f, "b_original.jpg", "123");
  EXPECT_EQ(claim(jam, get(a), "/f/a", "12345"), ClaimOutcome::counted);
  NewNode link;
  link.parent = f;
  link.name = "link";
  link.type = FileType::symlink;
  link.link_target = "x";
  must(store().make_node(link));
  const Totals totals = must(store().totals());
  EXPECT_EQ(totals.folders, 2U);
  EXPECT_EQ(totals.symlinks, 1U);
  ASSERT_EQ(totals.classes.size(), 2U);
  EXPECT_EQ(totals.classes[0].name, "original");
  EXPECT_EQ(totals.classes[0].bytes, 3U);
  EXPECT_EQ(totals.classes[0].under_replicas, 1U);
  EXPECT_EQ(totals.classes[1].under_replicas, 0U);
  EXPECT_EQ(totals.classes[1].under_backups, 1U);
  ASSERT_EQ(totals.nodes.size(), 2U);
  EXPECT_EQ(totals.nodes[cream.value].files, 2U);
  EXPECT_EQ(totals.nodes[cream.value].bytes, 8U);
  EXPECT_EQ(totals.nodes[cream.value].only_here, 1U);
  EXPECT_EQ(totals.nodes[jam.value].only_here, 0U);
}

TEST_P(Log, ClassesAreAppliedAnewInPages) {
  const NodeIndex cream = add_node("cream");
  std::vector<FoundEntry> entries;
  for (int i = 0; i < 30; ++i) entries.push_back(file_entry(fmt::format("{}", i)));
  const std::vector<InodeId> ids = found(cream, kRootInode, entries);
  AttributeChange other;
  other.storage_class = "temporary";
  for (int i = 0; i < 10; ++i) must(store().set_attributes(ids[static_cast<std::size_t>(i)], other));
  const auto pass = [&](bool dry_run) {
    std::pair<std::uint64_t, std::uint64_t> seen_and_changed;
    for (InodeId after;;) {
      const auto page = must(store().classify(after, 7, dry_run));
      if (!page.last) return seen_and_changed;
      after = *page.last;
      seen_and_changed.first += page.seen;
      seen_and_changed.second += page.changed;
    }
  };
  EXPECT_EQ(pass(true), std::pair(std::uint64_t{30}, std::uint64_t{10}));
  EXPECT_EQ(pass(false), std::pair(std::uint64_t{30}, std::uint64_t{10}));
  EXPECT_EQ(pass(false), std::pair(std::uint64_t{30}, std::uint64_t{0}));
  EXPECT_EQ(get(ids[0]).storage_class, "others");
}

TEST_P(Log, AClosedStoreSaysSo) {
  const auto other = open_another();
  other->close();
  EXPECT_EQ(code_of(run(other->get(kRootInode))), make_error_code(errc::cancelled));
  EXPECT_EQ(code_of(run(other->unlink(kRootInode, "a", time(1), LeaseOwner()))),
            make_error_code(errc::cancelled));
}

}  // namespace
}  // namespace geogrid::test
