#include "at_rest.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "support/wait.hpp"

namespace geogrid::test {
namespace {

using Pictures = std::map<std::string, TreePicture>;

Pictures pictures_of_nodes(const Cluster& archive) {
  Pictures pictures;
  for (std::size_t node = 0; node < archive.setup().nodes; ++node)
    pictures.emplace(Cluster::name(node), picture_of(archive.root(node)));
  return pictures;
}

bool same_file(const PictureEntry& a, const PictureEntry& b) {
  return S_ISREG(a.mode) && S_ISREG(b.mode) && a.size == b.size && a.digest == b.digest &&
         a.mtime_sec == b.mtime_sec && a.mtime_nsec == b.mtime_nsec;
}

std::vector<std::string> nodes_among(const Pictures& nodes, const std::string& path,
                                     const PictureEntry& entry) {
  std::vector<std::string> found;
  for (const auto& [node, tree] : nodes) {
    const auto lies = tree.find(path);
    if (lies != tree.end() && same_file(lies->second, entry)) found.push_back(node);
  }
  return found;
}

std::string where(const Pictures& nodes, const std::string& path) {
  std::string text;
  for (const auto& [node, tree] : nodes) {
    const auto lies = tree.find(path);
    text += "\n  " + node + ": " + (lies == tree.end() ? "nothing" : lies->second.str());
  }
  return text;
}

void expect_held(const Pictures& nodes, const TreePicture& picture, std::size_t copies) {
  for (const auto& [path, entry] : picture) {
    if (!S_ISREG(entry.mode)) continue;
    EXPECT_GE(nodes_among(nodes, path, entry).size(), copies)
        << testing::PrintToString(path) << " is " << entry.str() << where(nodes, path);
  }
}

void expect_belongs(const PictureEntry& lies, const std::string& path, const TreePicture& picture) {
  const auto known = picture.find(path);
  if (known == picture.end() || (known->second.mode & S_IFMT) != (lies.mode & S_IFMT)) {
    ADD_FAILURE() << "the tree has no " << lies.str();
    return;
  }
  EXPECT_EQ(lies.link_target, known->second.link_target);
  if (!S_ISREG(lies.mode)) return;
  EXPECT_TRUE(same_file(lies, known->second)) << lies.str() << " should be " << known->second.str();
  EXPECT_EQ(lies.mode & (S_ISUID | S_ISGID), 0U) << "set-id bits never come to a disk";
}

/// Files, links and folders on disks that the tree does not have.
void expect_nothing_else(const Pictures& nodes, const TreePicture& picture) {
  for (const auto& [node, tree] : nodes)
    for (const auto& [path, entry] : tree) {
      SCOPED_TRACE(testing::PrintToString(path) + " on " + node);
      expect_belongs(entry, path, picture);
    }
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none))
    names.push_back(entry.path().string());
  return names;
}

}  // namespace

std::vector<std::string> nodes_with(const Cluster& archive, const std::string& path,
                                    const PictureEntry& entry) {
  return nodes_among(pictures_of_nodes(archive), path, entry);
}

std::vector<std::string> left_in_tmp(const Cluster& archive) {
  std::vector<std::string> left;
  wait_until(
      [&] {
        left.clear();
        for (std::size_t node = 0; node < archive.setup().nodes; ++node)
          for (std::string& name : names_in(archive.root(node) + "/.geogrid/tmp"))
            left.push_back(std::move(name));
        return left.empty();
      },
      std::chrono::seconds(5));
  return left;
}

void expect_at_rest(const Cluster& archive, const TreePicture& picture, std::size_t copies) {
  EXPECT_EQ(left_in_tmp(archive), std::vector<std::string>());
  const Pictures nodes = pictures_of_nodes(archive);
  expect_held(nodes, picture, copies);
  expect_nothing_else(nodes, picture);
  const auto verified = archive.run({"verify", "--deep"});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

std::vector<std::string> kept_aside(const Cluster& archive, const std::string& room,
                                    const std::string& path) {
  std::vector<std::string> found;
  struct stat status {};
  for (std::size_t node = 0; node < archive.setup().nodes; ++node)
    for (const std::string& date : names_in(archive.root(node) + "/.geogrid/" + room))
      if (::lstat((date + path).c_str(), &status) == 0) found.push_back(date + path);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace geogrid::test
