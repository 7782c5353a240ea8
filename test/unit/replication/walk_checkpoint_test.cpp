#include "replication/walk_checkpoint.hpp"

#include <gtest/gtest.h>

namespace geogrid::test {
namespace {

TEST(WalkCheckpoint, KeepsAnyPath) {
  for (const std::string name : {"/a b/c", "/\n\xff /x", "/", "/1 2 3"}) {
    WalkCheckpoint checkpoint;
    checkpoint.started = {1385000000, 0};
    checkpoint.position = *Path::parse(name);
    checkpoint.withdrawn = 7;
    checkpoint.files = 123456789012;
    checkpoint.bytes = 99;
    checkpoint.whole = false;
    const auto back = WalkCheckpoint::parse(checkpoint.text());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->position, checkpoint.position);
    EXPECT_EQ(back->started, checkpoint.started);
    EXPECT_EQ(back->withdrawn, 7U);
    EXPECT_EQ(back->files, 123456789012U);
    EXPECT_EQ(back->bytes, 99U);
    EXPECT_FALSE(back->whole);
  }
}

TEST(WalkCheckpoint, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"", "1", "1 2 3", "2 1 1 1 1 1 /a", "1 x 1 1 1 1 /a", "1 1 1 1 1 1 /a/../b", "1 1 1 1 1  "})
    EXPECT_FALSE(WalkCheckpoint::parse(text).has_value()) << text;
  for (const char* text : {"", "1 2", "1 2 x 1", "2 2 2 2", "1 2 3 4 5"})
    EXPECT_FALSE(WalkTotals::parse(text).has_value()) << text;
  EXPECT_EQ(WalkTotals::parse(WalkTotals{5, 6, {7, 0}}.text())->finished.seconds, 7);
}

TEST(WalkCheckpoint, EstimatesByTheLastWalkOrTheSpaceUsed) {
  EXPECT_DOUBLE_EQ(*walk_fraction(50, 1, WalkTotals{100, 1000, {}}, 9), 0.5);
  EXPECT_DOUBLE_EQ(*walk_fraction(200, 1, WalkTotals{100, 1000, {}}, 9), 1.0);
  EXPECT_DOUBLE_EQ(*walk_fraction(5, 25, std::nullopt, 100), 0.25);
  EXPECT_FALSE(walk_fraction(5, 25, std::nullopt, 0).has_value());
}

}  // namespace
}  // namespace geogrid::test
