// Names: making, finding and listing them.

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

using Tree = StoreTest;
GG_STORE_SUITE(Tree);

NewNode node(InodeId parent, std::string name, FileType type = FileType::folder) {
  NewNode n;
  n.parent = parent;
  n.name = std::move(name);
  n.type = type;
  n.attributes.mode = 0750;
  n.attributes.uid = 4000000000;
  n.attributes.gid = 7;
  n.attributes.ctime = {1234, 5};
  n.attributes.mtime = {-5, 999999999};
  return n;
}

NewFile new_file(InodeId parent, std::string name, bool exclusive) {
  NewFile f;
  f.parent = parent;
  f.name = std::move(name);
  f.owner = LeaseOwner(77);
  f.exclusive = exclusive;
  return f;
}

TEST_P(Tree, TheRootIsThereFromTheStart) {
  const Inode root = get(kRootInode);
  EXPECT_TRUE(root.is_folder());
  EXPECT_EQ(root.parent, kRootInode);
  EXPECT_EQ(root.nlink(), 2U);
  EXPECT_TRUE(must(store().list(kRootInode, InodeId(), 10)).empty());
  EXPECT_EQ(must(store().path_of(kRootInode)), Path());
  EXPECT_EQ(code_of(run(store().get(InodeId(2)))), make_error_code(errc::not_found));
}

TEST_P(Tree, EveryKindKeepsWhatItWasGiven) {
  const Inode folder = must(store().make_node(node(kRootInode, "folder")));
  EXPECT_EQ(get(folder.id).attributes.mode, 0750U);
  EXPECT_EQ(get(folder.id).attributes.uid, 4000000000U);
  EXPECT_EQ(get(folder.id).attributes.mtime, (Timestamp{-5, 999999999}));
  NewNode link = node(folder.id, "link", FileType::symlink);
  link.link_target = "/no/where";
  EXPECT_EQ(get(must(store().make_node(link)).id).link_target, "/no/where");
  NewNode device = node(folder.id, "device", FileType::block_device);
  device.rdev = 0xfd00;
  EXPECT_EQ(get(must(store().make_node(device)).id).rdev, 0xfd00U);
  EXPECT_EQ(must(store().make_node(node(folder.id, "fifo", FileType::fifo))).type, FileType::fifo);
  EXPECT_EQ(must(store().make_node(node(folder.id, "socket", FileType::socket))).type, FileType::socket);
  EXPECT_EQ(get(folder.id).subfolders, 0U);
}

TEST_P(Tree, ANewNameTouchesItsFolder) {
  const InodeId a = must(store().make_node(node(kRootInode, "a"))).id;
  EXPECT_EQ(get(kRootInode).attributes.mtime, (Timestamp{1234, 5}));
  EXPECT_EQ(get(kRootInode).attributes.ctime, (Timestamp{1234, 5}));
  EXPECT_EQ(get(kRootInode).subfolders, 1U);
  must(store().make_node(node(a, "b")));
  EXPECT_EQ(get(a).subfolders, 1U);
  EXPECT_EQ(get(kRootInode).subfolders, 1U);
}

TEST_P(Tree, NamesAreBytes) {
  std::vector<std::string> names{
      "a", "A",  "\xe9", "e\xcc\x81", "\xc3\xa9",     "new\nline",           "'quote'", "\"", "\\",
      " ", "a ", "-rf",  "%s",        "\x01\x7f\xff", std::string(255, 'x'), "..."};
  std::string every;
  for (int c = 1; c < 256; ++c)
    if (c != '/') every += static_cast<char>(c);
  names.push_back(every);  // 254 bytes
  for (const std::string& name : names) must(store().make_node(node(kRootInode, name)));
  for (const std::string& name : names) {
    const auto inode = must(store().lookup(kRootInode, name));
    ASSERT_TRUE(inode) << printable(name);
    EXPECT_EQ(inode->name, name);
    EXPECT_EQ(must(store().path_of(inode->id)).str(), "/" + name);
  }
  EXPECT_EQ(must(store().list(kRootInode, InodeId(), 1000)).size(), names.size());
}

TEST_P(Tree, NamesThatCannotBeAreRefused) {
  const auto code = [&](std::string name) {
    return code_of(run(store().make_node(node(kRootInode, std::move(name)))));
  };
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a\0b", 3)})
    EXPECT_EQ(code(name), make_error_code(errc::invalid_argument)) << printable(name);
  EXPECT_EQ(code(std::string(256, 'x')), std::make_error_code(std::errc::filename_too_long));
  EXPECT_EQ(code(".geogrid"), std::make_error_code(std::errc::permission_denied));
  EXPECT_EQ(code_of(run(store().lookup(kRootInode, std::string(256, 'x')))),
            std::make_error_code(std::errc::filename_too_long));
  const InodeId below = folder(kRootInode, "below");
  folder(below, ".geogrid");  // reserved only at the top
}

TEST_P(Tree, ATakenNameIsRefused) {
  folder(kRootInode, "a");
  EXPECT_EQ(code_of(run(store().make_node(node(kRootInode, "a", FileType::fifo)))),
            make_error_code(errc::already_exists));
  EXPECT_EQ(get(kRootInode).subfolders, 1U);
}

TEST_P(Tree, OnlyFoldersHoldNames) {
  const InodeId fifo = must(store().make_node(node(kRootInode, "fifo", FileType::fifo))).id;
  EXPECT_EQ(code_of(run(store().make_node(node(fifo, "a")))), make_error_code(errc::not_a_folder));
  EXPECT_EQ(code_of(run(store().make_node(node(InodeId(99), "a")))), make_error_code(errc::not_found));
  EXPECT_EQ(code_of(run(store().list(fifo, InodeId(), 10))), make_error_code(errc::not_a_folder));
  EXPECT_EQ(code_of(run(store().list(InodeId(99), InodeId(), 10))), make_error_code(errc::not_found));
  EXPECT_FALSE(must(store().lookup(InodeId(99), "a")));
  EXPECT_EQ(code_of(run(store().resolve(*Path::parse("/fifo/a")))), make_error_code(errc::not_a_folder));
  EXPECT_EQ(code_of(run(store().resolve(*Path::parse("/none/a")))), make_error_code(errc::not_found));
}

TEST_P(Tree, AFolderIsListedInPages) {
  for (int i = 0; i < 25; ++i) folder(kRootInode, fmt::format("{}", i));
  const InodeId other = folder(kRootInode, "other");
  folder(other, "elsewhere");
  std::set<std::string> names;
  InodeId after;
  for (const std::size_t want : {10U, 10U, 6U, 0U}) {
    const auto page = must(store().list(kRootInode, after, 10));
    ASSERT_EQ(page.size(), want);
    for (const Inode& inode : page) {
      EXPECT_GT(inode.id, after);
      after = inode.id;
      EXPECT_TRUE(names.insert(inode.name).second);
    }
  }
}

TEST_P(Tree, ATreeMayBeDeeperThanAnyPathOfASystemCall) {
  Path path;
  InodeId id = kRootInode;
  for (int i = 0; i < 600; ++i) {
    id = folder(id, fmt::format("level{:03}", i));
    path = path.child(fmt::format("level{:03}", i));
  }
  EXPECT_GT(path.str().size(), 5000U);
  EXPECT_EQ(must(store().path_of(id)), path);
  EXPECT_EQ(must(store().resolve(path)).id, id);
  const NodeIndex cream = add_node("cream");
  const NodeIndex jam = add_node("jam");
  const Inode a = get(found_file(cream, id, "a"));
  EXPECT_EQ(take(jam).at(0).path, path.child("a"));
  EXPECT_EQ(claim(jam, a, path.child("a").str()), ClaimOutcome::counted);
  const Removed removed = must(store().unlink(id, "a", time(1), LeaseOwner()));
  ASSERT_TRUE(removed.intent);
  EXPECT_EQ(must(store().owed_by(jam, IntentId(), 10)).at(0).path, path.child("a"));
}

TEST_P(Tree, AttributesChangeOneByOne) {
  const InodeId a = must(store().make_node(node(kRootInode, "a"))).id;
  AttributeChange mode;
  mode.mode = 01777;
  mode.ctime = {50, 0};
  must(store().set_attributes(a, mode));
  AttributeChange times;
  times.atime = Timestamp{-1, 1};
  times.mtime = Timestamp{9000000000, 2};
  times.ctime = {60, 0};
  const Inode answered = must(store().set_attributes(a, times));
  const Inode now = get(a);
  EXPECT_EQ(now.attributes.mode, 01777U);
  EXPECT_EQ(now.attributes.gid, 7U);
  EXPECT_EQ(now.attributes.atime, (Timestamp{-1, 1}));
  EXPECT_EQ(now.attributes.mtime, (Timestamp{9000000000, 2}));
  EXPECT_EQ(now.attributes.ctime, (Timestamp{60, 0}));
  EXPECT_EQ(answered.attributes.mode, 01777U);
  EXPECT_EQ(code_of(run(store().set_attributes(InodeId(99), mode))), make_error_code(errc::not_found));
}

TEST_P(Tree, SettingTheClassChangesWhatIsOwed) {
  const NodeIndex cream = add_node("cream");
  const NodeIndex jam = add_node("jam");
  const InodeId a = found_file(cream, kRootInode, "a");
  AttributeChange change;
  change.storage_class = "temporary";
  must(store().set_attributes(a, change));
  EXPECT_EQ(get(a).replica_target, 1);
  EXPECT_TRUE(take(jam).empty());
  change.storage_class = "original";
  must(store().set_attributes(a, change));
  EXPECT_EQ(take(jam).size(), 1U);
  change.storage_class = "nonsense";
  EXPECT_EQ(code_of(run(store().set_attributes(a, change))), make_error_code(errc::invalid_argument));
  change.storage_class = "others";
  EXPECT_EQ(code_of(run(store().set_attributes(kRootInode, change))),
            make_error_code(errc::invalid_argument));
}

TEST_P(Tree, OfManyExclusiveCreatesOneWins) {
  const auto other = open_another();
  for (int round = 0; round < 10; ++round) {
    std::vector<task<result<CreatedFile>>> creates;
    for (int i = 0; i < 4; ++i) {
      creates.push_back(store().create_file(new_file(kRootInode, fmt::format("{}", round), true)));
      creates.push_back(other->create_file(new_file(kRootInode, fmt::format("{}", round), true)));
    }
    int made = 0;
    for (const auto& done : run_all(std::move(creates))) {
      if (done)
        ++made;
      else
        EXPECT_EQ(done.error().code, make_error_code(errc::already_exists)) << done.error().message;
    }
    EXPECT_EQ(made, 1);
  }
  other->close();
}

TEST_P(Tree, CreatesThatAreNotExclusiveFindWhatIsThere) {
  const auto other = open_another();
  std::vector<task<result<CreatedFile>>> creates;
  for (int i = 0; i < 4; ++i) {
    creates.push_back(store().create_file(new_file(kRootInode, "a", false)));
    creates.push_back(other->create_file(new_file(kRootInode, "a", false)));
  }
  int made = 0;
  std::set<InodeId> ids;
  for (const auto& done : run_all(std::move(creates))) {
    ASSERT_TRUE(done) << done.error().message;
    made += done->existed ? 0 : 1;
    ids.insert(done->inode.id);
  }
  EXPECT_EQ(made, 1);
  EXPECT_EQ(ids.size(), 1U);
  other->close();
}

}  // namespace
}  // namespace geogrid::test
