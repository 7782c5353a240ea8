// Names move: rename(2) and renameat2(2), over copies and classes.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

class Rename : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    cream_ = add_node("cream");
    jam_ = add_node("jam");
    a_ = folder(kRootInode, "a");
    b_ = folder(kRootInode, "b");
  }
  result<Renamed> move(InodeId from, const std::string& name, InodeId to, const std::string& new_name,
                       RenameMode mode = RenameMode::replace) {
    return run(store().rename(from, name, to, new_name, mode, time(99), LeaseOwner(), false));
  }
  std::vector<std::string> intents(NodeIndex node) {
    std::vector<std::string> out;
    for (const Intent& i : must(store().owed_by(node, IntentId(), 100)))
      out.push_back(fmt::format("{} {} {}", static_cast<int>(i.kind), i.path.str(), i.new_path.str()));
    return out;
  }
  NodeIndex cream_;
  NodeIndex jam_;
  InodeId a_;
  InodeId b_;
};
GG_STORE_SUITE(Rename);

TEST_P(Rename, AFileMovesWithItsCopies) {
  const InodeId f = found_file(cream_, a_, "f");
  const Renamed moved = move(a_, "f", b_, "g").value();
  EXPECT_EQ(moved.inode.id, f);
  EXPECT_EQ(moved.inode.name, "g");
  EXPECT_FALSE(moved.replaced);
  EXPECT_EQ(moved.intents.size(), 1U);
  EXPECT_EQ(at("/b/g").replicas, NodeSet::of(cream_));
  EXPECT_FALSE(must(store().lookup(a_, "f")));
  EXPECT_EQ(get(a_).attributes.mtime, time(99));
  EXPECT_EQ(get(b_).attributes.mtime, time(99));
  EXPECT_EQ(get(f).attributes.ctime, time(99));
  EXPECT_EQ(intents(cream_), std::vector<std::string>{"2 /a/f /b/g"});
  EXPECT_TRUE(intents(jam_).empty()) << "jam has no copy";
}

TEST_P(Rename, AFolderIsOneRowAndAllNodesOweIt) {
  found_file(cream_, folder(a_, "x"), "f");
  ASSERT_TRUE(move(kRootInode, "a", b_, "c"));
  EXPECT_EQ(at("/b/c/x/f").replicas, NodeSet::of(cream_));
  EXPECT_EQ(get(kRootInode).subfolders, 1U);
  EXPECT_EQ(get(b_).subfolders, 1U);
  EXPECT_EQ(intents(jam_), std::vector<std::string>{"2 /a /b/c"});
}

TEST_P(Rename, AReplacedFileIsOwedBeforeTheMove) {
  found_file(cream_, a_, "f");
  const InodeId old = found_file(cream_, b_, "g", "old");
  EXPECT_EQ(claim(jam_, get(old), "/b/g", "old"), ClaimOutcome::counted);
  const Renamed moved = move(a_, "f", b_, "g").value();
  ASSERT_TRUE(moved.replaced);
  EXPECT_EQ(moved.replaced->id, old);
  EXPECT_EQ(code_of(run(store().get(old))), make_error_code(errc::not_found));
  EXPECT_EQ(intents(cream_), (std::vector<std::string>{"1 /b/g /", "2 /a/f /b/g"}));
  EXPECT_EQ(intents(jam_), std::vector<std::string>{"1 /b/g /"});
}

TEST_P(Rename, FoldersReplaceOnlyEmptyFolders) {
  const InodeId inner = folder(b_, "inner");
  EXPECT_EQ(code_of(move(kRootInode, "a", kRootInode, "b")), make_error_code(errc::not_empty));
  must(store().remove_folder(b_, "inner", time(1), LeaseOwner()));
  const Renamed moved = move(kRootInode, "a", kRootInode, "b").value();
  EXPECT_EQ(moved.replaced->id, b_);
  EXPECT_EQ(at("/b").id, a_);
  EXPECT_EQ(get(kRootInode).subfolders, 1U);
  EXPECT_EQ(code_of(run(store().get(inner))), make_error_code(errc::not_found));
}

TEST_P(Rename, KindsDoNotReplaceEachOther) {
  found_file(cream_, kRootInode, "f");
  EXPECT_EQ(code_of(move(kRootInode, "f", kRootInode, "a")), make_error_code(errc::is_a_folder));
  EXPECT_EQ(code_of(move(kRootInode, "a", kRootInode, "f")), make_error_code(errc::not_a_folder));
  EXPECT_EQ(code_of(move(kRootInode, "none", kRootInode, "f")), make_error_code(errc::not_found));
  EXPECT_EQ(code_of(move(kRootInode, "f", InodeId(99), "f")), make_error_code(errc::not_found));
  EXPECT_EQ(code_of(move(kRootInode, "f", kRootInode, ".geogrid")),
            std::make_error_code(std::errc::permission_denied));
  EXPECT_EQ(code_of(move(kRootInode, "f", kRootInode, std::string(256, 'x'))),
            std::make_error_code(std::errc::filename_too_long));
}

TEST_P(Rename, ToItselfDoesNothing) {
  found_file(cream_, a_, "f");
  const std::size_t changes = all_changes().size();
  const Renamed moved = move(a_, "f", a_, "f").value();
  EXPECT_FALSE(moved.replaced);
  EXPECT_TRUE(moved.intents.empty());
  EXPECT_TRUE(move(kRootInode, "a", kRootInode, "a")) << "a folder that is not empty, too";
  EXPECT_TRUE(move(kRootInode, "a", kRootInode, "a", RenameMode::exchange));
  EXPECT_EQ(code_of(move(a_, "f", a_, "f", RenameMode::no_replace)), make_error_code(errc::already_exists));
  EXPECT_EQ(all_changes().size(), changes);
}

TEST_P(Rename, NotBelowItself) {
  const InodeId x = folder(a_, "x");
  EXPECT_EQ(code_of(move(kRootInode, "a", x, "y")), make_error_code(errc::invalid_argument));
  EXPECT_EQ(code_of(move(kRootInode, "a", a_, "y")), make_error_code(errc::invalid_argument));
  EXPECT_EQ(code_of(move(a_, "x", kRootInode, "a")), make_error_code(errc::not_empty));
  EXPECT_EQ(code_of(move(a_, "x", kRootInode, "a", RenameMode::exchange)),
            make_error_code(errc::invalid_argument));
  EXPECT_EQ(code_of(move(kRootInode, "a", a_, "x", RenameMode::exchange)),
            make_error_code(errc::invalid_argument));
}

TEST_P(Rename, NoReplaceKeepsWhatIsThere) {
  found_file(cream_, a_, "f");
  found_file(cream_, a_, "g");
  EXPECT_EQ(code_of(move(a_, "f", a_, "g", RenameMode::no_replace)), make_error_code(errc::already_exists));
  EXPECT_TRUE(move(a_, "f", a_, "h", RenameMode::no_replace));
}

TEST_P(Rename, ExchangeSwapsPlaces) {
  const InodeId f = found_file(cream_, a_, "f");
  const InodeId x = folder(b_, "x");
  EXPECT_EQ(code_of(move(a_, "f", b_, "none", RenameMode::exchange)), make_error_code(errc::not_found));
  const Renamed moved = move(a_, "f", b_, "x", RenameMode::exchange).value();
  EXPECT_EQ(moved.inode.id, f);
  EXPECT_EQ(moved.replaced->id, x);
  EXPECT_EQ(at("/b/x").id, f);
  EXPECT_EQ(at("/a/f").id, x);
  EXPECT_EQ(get(a_).subfolders, 1U);
  EXPECT_EQ(get(b_).subfolders, 0U);
  EXPECT_EQ(intents(jam_), std::vector<std::string>{"5 /a/f /b/x"});
}

TEST_P(Rename, AFileGetsTheClassOfItsNewPathAtOnce) {
  const InodeId f = found_file(cream_, a_, "f");
  EXPECT_EQ(take(jam_).size(), 1U);
  folder(kRootInode, "tmp");
  ASSERT_TRUE(move(a_, "f", at("/tmp").id, "f"));
  EXPECT_EQ(get(f).storage_class, "temporary");
  EXPECT_EQ(get(f).replica_target, 1);
  EXPECT_EQ(must(store().queue_summary()).files, 0U);
  ASSERT_TRUE(move(at("/tmp").id, "f", a_, "f_original.jpg"));
  EXPECT_EQ(get(f).replica_target, 3);
  EXPECT_EQ(must(store().queue_summary()).files, 1U);
}

TEST_P(Rename, AFolderLeavesAJobForTheClassesBelow) {
  const InodeId x = folder(a_, "x");
  std::vector<InodeId> files;
  for (int i = 0; i < 300; ++i) files.push_back(InodeId());
  std::vector<FoundEntry> entries;
  for (int i = 0; i < 300; ++i) entries.push_back(file_entry(fmt::format("{}", i)));
  files = found(cream_, x, entries);
  ASSERT_TRUE(move(kRootInode, "a", kRootInode, "tmp"));
  EXPECT_EQ(get(files[0]).storage_class, "others");
  run_jobs();
  for (const InodeId file : files) EXPECT_EQ(get(file).storage_class, "temporary");
  EXPECT_EQ(must(store().queue_summary()).files, 0U);
}

TEST_P(Rename, TwoMachinesCannotCloseACircle) {
  const auto other = open_another();
  for (int round = 0; round < 15; ++round) {
    const InodeId p = folder(kRootInode, fmt::format("p{}", round));
    const InodeId q = folder(kRootInode, fmt::format("q{}", round));
    const InodeId in_p = folder(p, "in");
    const InodeId in_q = folder(q, "in");
    std::vector<task<result<Renamed>>> moves;
    moves.push_back(store().rename(kRootInode, fmt::format("p{}", round), in_q, "p", RenameMode::replace,
                                   time(1), LeaseOwner(), false));
    moves.push_back(other->rename(kRootInode, fmt::format("q{}", round), in_p, "q", RenameMode::replace,
                                  time(1), LeaseOwner(), false));
    int done = 0;
    for (const auto& moved : run_all(std::move(moves))) {
      if (moved)
        ++done;
      else
        EXPECT_EQ(moved.error().code, make_error_code(errc::invalid_argument)) << moved.error().message;
    }
    EXPECT_EQ(done, 1);
    must(store().path_of(in_p));
    must(store().path_of(in_q));
  }
  other->close();
}

TEST_P(Rename, AgainstCreateOneOfBothComesFirst) {
  const auto other = open_another();
  for (int round = 0; round < 15; ++round) {
    const std::string name = fmt::format("n{}", round);
    found_file(cream_, a_, name);
    NewFile file;
    file.parent = b_;
    file.name = name;
    file.owner = LeaseOwner(5);
    file.exclusive = true;
    std::optional<result<Renamed>> moved;
    std::optional<result<CreatedFile>> created;
    const auto rename_it = [&]() -> task<result<void>> {
      moved.emplace(
          co_await store().rename(a_, name, b_, name, RenameMode::no_replace, time(1), LeaseOwner(), false));
      co_return result<void>();
    };
    const auto create_it = [&]() -> task<result<void>> {
      created.emplace(co_await other->create_file(file));
      co_return result<void>();
    };
    std::vector<task<result<void>>> both;
    both.push_back(rename_it());
    both.push_back(create_it());
    run_all(std::move(both));
    EXPECT_NE(moved->has_value(), created->has_value());
    EXPECT_TRUE(must(store().lookup(b_, name)));
  }
  other->close();
}

TEST_P(Rename, OfFoldersAtOnceLosesNone) {
  const auto other = open_another();
  std::vector<InodeId> ids;
  std::vector<task<result<Renamed>>> moves;
  for (int i = 0; i < 10; ++i) {
    const std::string name = fmt::format("f{}", i);
    ids.push_back(folder(i % 2 == 0 ? a_ : b_, name));
    moves.push_back((i % 3 == 0 ? store() : *other)
                        .rename(i % 2 == 0 ? a_ : b_, name, i % 2 == 0 ? b_ : a_, name, RenameMode::replace,
                                time(1), LeaseOwner(), false));
  }
  for (const auto& moved : run_all(std::move(moves))) EXPECT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(get(a_).subfolders, 5U);
  EXPECT_EQ(get(b_).subfolders, 5U);
  EXPECT_EQ(must(store().list(a_, InodeId(), 100)).size(), 5U);
  other->close();
}

}  // namespace
}  // namespace geogrid::test
