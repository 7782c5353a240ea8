#include "os/clock.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <regex>
#include <set>

namespace geogrid {
namespace {

TEST(Clock, TellsTheTimeOfTheMachine) {
  const auto before = std::time(nullptr);
  const Timestamp now = system_clock().wall();
  EXPECT_GE(now.seconds, before);
  EXPECT_LE(now.seconds, std::time(nullptr));
  const auto first = system_clock().steady();
  EXPECT_LE(first, system_clock().steady());
}

TEST(Random, UuidsAreOfVersion4AndDiffer) {
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = system_random().uuid();
    EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

}  // namespace
}  // namespace geogrid
