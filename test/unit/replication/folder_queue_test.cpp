#include "replication/folder_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace geogrid::test {
namespace {

Path path(const std::string& text) {
  return *Path::parse(text);
}

// A random tree of folders, and all of it in walk order.
std::vector<Path> random_tree(std::mt19937& random) {
  std::vector<Path> all{Path()};
  const auto count = random() % 60;
  for (std::size_t i = 0; i < count; ++i) {
    const Path parent = all[random() % all.size()];
    char first = static_cast<char>('!' + random() % 90);
    if (first == '/') first = ' ';
    all.push_back(parent.child(first + std::to_string(i)));
  }
  std::ranges::sort(all, before_in_walk);
  return all;
}

TEST(FolderQueue, VisitsEachFolderOnceAndItsPositionIsHonest) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto tree = random_tree(random);
    FolderQueue queue;
    queue.add({Path(), kRootInode, false, 0, nullptr});
    std::vector<FolderJob> under_way;
    std::vector<Path> done;
    while (!queue.finished()) {
      if (queue.waiting() && (under_way.empty() || (random() % 2 != 0U && under_way.size() < 4))) {
        under_way.push_back(*queue.take());
        continue;
      }
      // Finish any of those under way: its children become known first.
      const std::size_t which = random() % under_way.size();
      const Path at = under_way[which].path;
      for (const Path& one : tree)
        if (!one.is_root() && one.parent() == at) queue.add({one, InodeId{}, false, 0, nullptr});
      queue.done(at);
      done.push_back(at);
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(which));
      const auto position = queue.position();
      ASSERT_EQ(position.has_value(), !queue.finished());
      if (!position) continue;
      for (const Path& one : tree)
        if (before_in_walk(one, *position)) {
          ASSERT_TRUE(std::ranges::find(done, one) != done.end());
        }
      // What a resumed walk visits covers everything that is not done.
      for (const Path& one : tree)
        if (std::ranges::find(done, one) == done.end()) {
          ASSERT_TRUE(to_visit(one, *position));
        }
    }
    ASSERT_EQ(done.size(), tree.size());
  }
}

TEST(FolderQueue, ResumingGoesDownToThePosition) {
  EXPECT_TRUE(to_visit(Path(), path("/b/c")));
  EXPECT_TRUE(to_visit(path("/b"), path("/b/c")));
  EXPECT_TRUE(to_visit(path("/b/c"), path("/b/c")));
  EXPECT_TRUE(to_visit(path("/b/c/d"), path("/b/c")));
  EXPECT_TRUE(to_visit(path("/c"), path("/b/c")));
  EXPECT_FALSE(to_visit(path("/a"), path("/b/c")));
  EXPECT_FALSE(to_visit(path("/b/a"), path("/b/c")));
}

}  // namespace
}  // namespace geogrid::test
