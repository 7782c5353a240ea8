// What walks bring in.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

class Register : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
  }
  Registration one(InodeId folder, ChangeId seen, FoundEntry entry) {
    std::vector<FoundEntry> entries;
    entries.push_back(std::move(entry));
    return must(store().register_found(cream_, folder, seen, std::move(entries))).at(0);
  }
  NodeIndex cream_;
  NodeIndex jam_;
};
GG_STORE_SUITE(Register);

TEST_P(Register, FilesEnterTheTreeWithTheirClassAndCopy) {
  const InodeId photos = found(cream_, kRootInode, {folder_entry("photos")}).at(0);
  found(cream_, photos, {file_entry("a_original.jpg", "aa"), file_entry("b.jpg", "bbb")});
  const Inode a = at("/photos/a_original.jpg");
  EXPECT_EQ(a.storage_class, "original");
  EXPECT_EQ(a.replica_target, 3);
  EXPECT_EQ(a.backup_target, 2);
  EXPECT_EQ(a.version, Version(1));
  EXPECT_EQ(a.state, ContentState::published);
  EXPECT_EQ(a.size, 2U);
  EXPECT_EQ(a.digest, digest_of("aa"));
  EXPECT_EQ(a.replicas, NodeSet::of(cream_));
  EXPECT_EQ(a.attributes.mtime, time(1000));
  EXPECT_EQ(at("/photos/b.jpg").storage_class, "others");
  EXPECT_EQ(at("/").subfolders, 1U);
  EXPECT_EQ(at("/photos").subfolders, 0U);
}

TEST_P(Register, ABatchOfTheFullSizeKeepsItsOrder) {
  std::vector<FoundEntry> entries;
  for (std::size_t i = 0; i < CopyStore::kMaxBatch; ++i)
    entries.push_back(file_entry(fmt::format("{:03}", (i * 7) % 512)));
  const std::vector<InodeId> ids = found(cream_, kRootInode, entries);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(get(ids[i]).name, entries[i].name);
  EXPECT_EQ(must(store().list(kRootInode, InodeId(), 1000)).size(), 512U);
  entries.push_back(file_entry("one too many"));
  EXPECT_EQ(code_of(run(store().register_found(cream_, kRootInode, ChangeId(), entries))),
            make_error_code(errc::invalid_argument));
}

TEST_P(Register, NamesThatAreThereAreKnown) {
  const InodeId id = found_file(cream_, kRootInode, "a");
  const Registration again = one(kRootInode, must(store().latest_change()), file_entry("a", "other"));
  EXPECT_EQ(again.outcome, RegisterOutcome::known);
  EXPECT_EQ(again.id, id);
  EXPECT_EQ(get(id).digest, digest_of("content"));
}

TEST_P(Register, NamesRemovedSinceTheListingAreNotBroughtBack) {
  found_file(cream_, kRootInode, "a");
  found_file(cream_, kRootInode, "b");
  const ChangeId seen = must(store().latest_change());
  must(store().unlink(kRootInode, "a", time(1), LeaseOwner()));
  must(store().rename(kRootInode, "b", kRootInode, "c", RenameMode::replace, time(1), LeaseOwner(), false));
  EXPECT_EQ(one(kRootInode, seen, file_entry("a")).outcome, RegisterOutcome::removed);
  EXPECT_EQ(one(kRootInode, seen, file_entry("b")).outcome, RegisterOutcome::removed);
  EXPECT_EQ(one(kRootInode, seen, file_entry("c")).outcome, RegisterOutcome::known);
  EXPECT_EQ(one(kRootInode, seen, file_entry("d")).outcome, RegisterOutcome::registered);
}

TEST_P(Register, WhatTheNodeStillOwesIsNotBroughtBack) {
  const InodeId folder = found(cream_, kRootInode, {folder_entry("old")}).at(0);
  found_file(cream_, folder, "a");
  must(store().unlink(folder, "a", time(1), LeaseOwner()));
  must(store().remove_folder(kRootInode, "old", time(1), LeaseOwner()));
  // The folder is made anew while the node still has the old one to remove, and the file in it.
  const InodeId again = this->folder(kRootInode, "old");
  EXPECT_EQ(one(again, must(store().latest_change()), file_entry("b")).outcome, RegisterOutcome::removed);
  std::vector<FoundEntry> entries{file_entry("c")};
  const InodeId elsewhere = this->folder(kRootInode, "new");
  EXPECT_EQ(one(elsewhere, must(store().latest_change()), file_entry("c")).outcome,
            RegisterOutcome::registered);
}

TEST_P(Register, AFolderThatMovedSinceTheListingIsListedAgain) {
  const InodeId top = folder(kRootInode, "top");
  const InodeId below = folder(top, "below");
  const ChangeId seen = must(store().latest_change());
  must(store().rename(kRootInode, "top", kRootInode, "moved", RenameMode::replace, time(1), LeaseOwner(),
                      false));
  const auto listed_before = run(store().register_found(cream_, below, seen, {file_entry("a")}));
  EXPECT_EQ(code_of(listed_before), make_error_code(errc::stale));
}

TEST_P(Register, APrunedLogMakesTheListingStale) {
  const ChangeId seen = must(store().latest_change());
  for (const char* name : {"a", "b", "c"}) found_file(cream_, kRootInode, name);
  must(store().prune_changes(std::chrono::seconds(-10)));
  EXPECT_EQ(code_of(run(store().register_found(cream_, kRootInode, seen, {file_entry("d")}))),
            make_error_code(errc::stale));
}

TEST_P(Register, BadEntriesChangeNothing) {
  const ChangeId seen = must(store().latest_change());
  const auto code = [&](FoundEntry entry) {
    std::vector<FoundEntry> entries{file_entry("good"), std::move(entry)};
    return code_of(run(store().register_found(cream_, kRootInode, seen, std::move(entries))));
  };
  FoundEntry pending = file_entry("pending");
  pending.digest = {};
  FoundEntry fifo = file_entry("fifo");
  fifo.type = FileType::fifo;
  EXPECT_EQ(code(pending), make_error_code(errc::invalid_argument));
  EXPECT_EQ(code(fifo), make_error_code(errc::invalid_argument));
  EXPECT_EQ(code(file_entry("a/b")), make_error_code(errc::invalid_argument));
  EXPECT_EQ(code(file_entry("good")), make_error_code(errc::invalid_argument));
  EXPECT_EQ(code(file_entry(std::string(256, 'x'))), std::make_error_code(std::errc::filename_too_long));
  EXPECT_EQ(code_of(run(store().register_found(NodeIndex(9), kRootInode, seen, {file_entry("a")}))),
            make_error_code(errc::not_found));
  EXPECT_EQ(code_of(run(store().register_found(cream_, InodeId(999), seen, {file_entry("a")}))),
            make_error_code(errc::not_found));
  EXPECT_TRUE(must(store().list(kRootInode, InodeId(), 10)).empty());
}

TEST_P(Register, TwoWalksOfOneFolderRegisterEachNameOnce) {
  const auto other = open_another();
  const ChangeId seen = must(store().latest_change());
  std::vector<FoundEntry> entries;
  for (int i = 0; i < 100; ++i) entries.push_back(file_entry(fmt::format("{}", i)));
  std::vector<task<result<std::vector<Registration>>>> walks;
  for (int i = 0; i < 4; ++i) {
    walks.push_back(store().register_found(cream_, kRootInode, seen, entries));
    walks.push_back(other->register_found(jam_, kRootInode, seen, entries));
  }
  std::size_t registered = 0;
  for (const auto& outcomes : run_all(std::move(walks))) {
    ASSERT_TRUE(outcomes) << outcomes.error().message;
    for (const Registration& r : *outcomes) registered += r.outcome == RegisterOutcome::registered ? 1 : 0;
  }
  EXPECT_EQ(registered, 100U);
  EXPECT_EQ(must(store().list(kRootInode, InodeId(), 1000)).size(), 100U);
  other->close();
}

TEST_P(Register, SymlinksKeepTheirTargetsAsBytes) {
  FoundEntry link;
  link.name = "link";
  link.type = FileType::symlink;
  link.link_target = std::string("../\xff\n x");
  found(cream_, kRootInode, {link});
  EXPECT_EQ(at("/link").link_target, link.link_target);
  EXPECT_EQ(at("/link").size, link.link_target.size());
}

}  // namespace
}  // namespace geogrid::test
