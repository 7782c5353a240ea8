#include "replication/folder_compare.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "random_folder.hpp"

namespace geogrid::test {
namespace {

constexpr NodeIndex kNode = RandomFolder::kNode;

DiskEntry disk_file(const std::string& name, std::uint64_t size = 5, Timestamp mtime = {10, 3}) {
  DiskEntry entry;
  entry.name = name;
  entry.size = size;
  entry.attributes.mtime = mtime;
  return entry;
}

Inode known_file(const std::string& name, NodeSet replicas, std::uint64_t size = 5,
                 Timestamp mtime = {10, 3}) {
  Inode inode;
  inode.id = InodeId(7);
  inode.name = name;
  inode.size = size;
  inode.attributes.mtime = mtime;
  inode.state = ContentState::published;
  inode.version = Version(1);
  inode.digest = digest_of("x");
  inode.replicas = replicas;
  return inode;
}

Verdict verdict(std::vector<DiskEntry> disk, std::vector<Inode> known, CompareOptions options = {}) {
  options.node = kNode;
  const auto comparison = compare_folder(disk, known, IgnoreRules(), options);
  return comparison.items.empty() ? Verdict::nothing : comparison.items.front().verdict;
}

const NodeSet kHere = NodeSet::of(kNode);
const NodeSet kElsewhere = NodeSet::of(NodeIndex(1));

TEST(FolderCompare, WhatIsAsRecordedCostsNothing) {
  EXPECT_EQ(verdict({disk_file("a")}, {known_file("a", kHere)}), Verdict::nothing);
  CompareOptions deep;
  deep.deep = true;
  EXPECT_EQ(verdict({disk_file("a")}, {known_file("a", kHere)}, deep), Verdict::prove);
}

TEST(FolderCompare, SizeOrTimeThatDiffersIsDigested) {
  EXPECT_EQ(verdict({disk_file("a", 6)}, {known_file("a", kHere)}), Verdict::recheck);
  EXPECT_EQ(verdict({disk_file("a", 5, {11, 3})}, {known_file("a", kHere)}), Verdict::recheck);
  EXPECT_EQ(verdict({disk_file("a", 5, {10, 4})}, {known_file("a", kHere)}), Verdict::recheck);
  EXPECT_EQ(verdict({disk_file("a", 5, {10, 0})}, {known_file("a", kHere)}),
            Verdict::nothing);  // whole seconds
}

TEST(FolderCompare, KnownElsewhere) {
  EXPECT_EQ(verdict({disk_file("a")}, {known_file("a", kElsewhere)}), Verdict::claim);
  EXPECT_EQ(verdict({disk_file("a", 6)}, {known_file("a", kElsewhere)}), Verdict::conflict);
  Inode older = known_file("a", kElsewhere);
  older.older = kHere;
  EXPECT_EQ(verdict({disk_file("a", 6)}, {older}), Verdict::older);
  EXPECT_EQ(verdict({disk_file("a")}, {older}), Verdict::claim);
  EXPECT_EQ(verdict({}, {known_file("a", kElsewhere)}), Verdict::nothing);
}

TEST(FolderCompare, AStrangerDoesNotDefineADigestNobodyKnows) {
  Inode pending = known_file("a", kElsewhere);
  pending.digest = Digest();
  EXPECT_EQ(verdict({disk_file("a")}, {pending}), Verdict::nothing);
  pending.replicas = kHere;
  EXPECT_EQ(verdict({disk_file("a")}, {pending}), Verdict::fill);
  pending.replicas = NodeSet();
  EXPECT_EQ(verdict({disk_file("a")}, {pending}), Verdict::claim);
}

TEST(FolderCompare, FilesBeingWrittenAreLeftAlone) {
  Inode writing = known_file("a", NodeSet());
  writing.state = ContentState::pending;
  EXPECT_EQ(verdict({disk_file("a", 99)}, {writing}), Verdict::nothing);
  EXPECT_EQ(verdict({}, {writing}), Verdict::nothing);
}

TEST(FolderCompare, YoungFilesWait) {
  CompareOptions options;
  options.young_from = {100, 0};
  options.young_to = {104, 0};
  DiskEntry young = disk_file("a");
  young.attributes.ctime = {102, 0};
  EXPECT_EQ(verdict({young}, {}, options), Verdict::young);
  EXPECT_EQ(verdict({young}, {known_file("a", kElsewhere, 9)}, options), Verdict::young);
  EXPECT_EQ(verdict({young}, {known_file("a", kHere)}, options), Verdict::nothing);
  young.attributes.ctime = {99, 0};
  EXPECT_EQ(verdict({young}, {}, options), Verdict::new_file);
  young.attributes.ctime = {1000, 0};  // a clock that is far ahead must not hide files for ever
  EXPECT_EQ(verdict({young}, {}, options), Verdict::new_file);
}

TEST(FolderCompare, TypesThatClash) {
  DiskEntry folder = disk_file("a");
  folder.type = FileType::folder;
  EXPECT_EQ(verdict({folder}, {known_file("a", kHere)}), Verdict::type_conflict);
  Inode known = known_file("a", NodeSet());
  known.type = FileType::folder;
  EXPECT_EQ(verdict({folder}, {known}), Verdict::folder);
  EXPECT_EQ(verdict({}, {known}), Verdict::folder_absent);
  EXPECT_EQ(verdict({disk_file("a")}, {known}), Verdict::type_conflict);
  DiskEntry fifo = disk_file("a");
  fifo.type = FileType::fifo;
  EXPECT_EQ(verdict({fifo}, {}), Verdict::special);
}

TEST(FolderCompare, IgnoredNamesAreNeitherRegisteredNorMissing) {
  const IgnoreRules rules({"*.tmp", "Thumbs.db"});
  CompareOptions options;
  options.node = kNode;
  options.at_top = true;
  const std::vector<DiskEntry> disk{disk_file(".geogrid"), disk_file(".nfs0001"), disk_file("Thumbs.db"),
                                    disk_file("a.tmp"), disk_file("lost+found")};
  const std::vector<Inode> known{known_file("gone.tmp", kHere)};
  const auto comparison = compare_folder(disk, known, rules, options);
  EXPECT_TRUE(comparison.items.empty());
  EXPECT_EQ(comparison.ignored, 5U);
  options.at_top = false;
  EXPECT_EQ(compare_folder(disk, {}, rules, options).items.size(),
            2U);  // .geogrid and lost+found mean nothing below the top
}

// What must hold of any two folders.
TEST(FolderCompare, ThousandsOfFolders) {
  const IgnoreRules rules({"*7x"});
  std::set<Verdict> met;
  for (unsigned seed = 0; seed < 6000; ++seed) {
    SCOPED_TRACE(seed);
    RandomFolder folder(seed);
    CompareOptions options;
    options.node = kNode;
    options.at_top = seed % 2 == 0;
    options.deep = seed % 3 == 0;
    if (seed % 5 == 0) {
      options.young_from = {40, 0};
      options.young_to = {60, 0};
    }
    const auto comparison = compare_folder(folder.disk, folder.known, rules, options);
    const auto seen_disk =
        std::ranges::count_if(comparison.items, [](const Comparison& c) { return c.disk != nullptr; });
    ASSERT_EQ(static_cast<std::uint64_t>(seen_disk) + comparison.ignored, folder.disk.size());
    ASSERT_TRUE(std::ranges::is_sorted(comparison.items, {}, [](const Comparison& c) { return c.name(); }));
    for (const Comparison& item : comparison.items) {
      met.insert(item.verdict);
      ASSERT_FALSE(rules.ignores(item.name(), options.at_top));
      if (item.disk != nullptr && item.known != nullptr) {
        ASSERT_EQ(item.disk->name, item.known->name);
      }
      const bool counted = item.known != nullptr && item.known->is_file() &&
                           item.known->state == ContentState::published &&
                           item.known->replicas.contains(kNode);
      switch (item.verdict) {
        case Verdict::missing:
          ASSERT_TRUE(counted && item.disk == nullptr);
          break;
        case Verdict::new_file:
        case Verdict::new_entry:
        case Verdict::special:
          ASSERT_EQ(item.known, nullptr);
          break;
        case Verdict::claim:
        case Verdict::conflict:
        case Verdict::older:
          ASSERT_FALSE(counted);
          ASSERT_TRUE(item.known != nullptr && item.disk != nullptr && item.disk->type == item.known->type);
          break;
        case Verdict::recheck:
        case Verdict::prove:
        case Verdict::fill:
          ASSERT_TRUE(counted && item.disk != nullptr && item.disk->type == FileType::file);
          break;
        case Verdict::young:
          ASSERT_FALSE(counted);
          ASSERT_TRUE(seed % 5 == 0);
          break;
        case Verdict::nothing:
          // Only what is exactly as recorded, or none of our business, is passed over.
          if (counted) {
            ASSERT_FALSE(options.deep && !item.known->digest.pending());
            ASSERT_EQ(item.disk->size, item.known->size);
            ASSERT_TRUE(same_mtime(item.disk->attributes.mtime, item.known->attributes.mtime));
          }
          break;
        default:
          break;
      }
    }
  }
  EXPECT_EQ(met.size(), 16U);  // every verdict came up
}

}  // namespace
}  // namespace geogrid::test
