#include "config/nearest.hpp"

#include <gtest/gtest.h>

namespace geogrid {
namespace {

TEST(EditDistance, CountsSlipsOfTheFinger) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("replicas", "replicas"), 0u);
  EXPECT_EQ(edit_distance("relpicas", "replicas"), 1u);  // swapped
  EXPECT_EQ(edit_distance("replcas", "replicas"), 1u);
  EXPECT_EQ(edit_distance("replicass", "replicas"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3u);
}

TEST(Nearest, OnlyWhatIsNear) {
  const std::vector<std::string> known{"path", "url", "min_free", "listen"};
  EXPECT_EQ(nearest("lisen", known), "listen");
  EXPECT_EQ(nearest("minfree", known), "min_free");
  EXPECT_EQ(nearest("ulr", known), "url");
  EXPECT_EQ(nearest("xyz", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), known), "");
  EXPECT_EQ(nearest("path", {}), "");
}

}  // namespace
}  // namespace geogrid
