#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "async/backoff.hpp"
#include "async/throttle.hpp"

namespace geogrid {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST(Backoff, DoublesUpToTheMost) {
  Backoff backoff(milliseconds(100), milliseconds(1000));
  for (const int whole : {100, 200, 400, 800, 1000, 1000}) {
    Backoff copy = backoff;
    EXPECT_EQ(copy.next(0), milliseconds(whole / 2));
    EXPECT_EQ(backoff.next(static_cast<std::uint64_t>(whole) / 2), milliseconds(whole));
  }
  backoff.reset();
  EXPECT_EQ(backoff.next(0), milliseconds(50));
}

TEST(Backoff, WaitsLieBetweenHalfAndWhole) {
  for (const int first : {0, 1, 2, 3, 7, 1000})
    for (std::uint64_t random :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{999}, kMost}) {
      const milliseconds wait = Backoff(milliseconds(first), seconds(10)).next(random);
      EXPECT_GE(wait.count(), first / 2) << first << ' ' << random;
      EXPECT_LE(wait.count(), first) << first << ' ' << random;
    }
}

TEST(Backoff, NeverOverflowsOrExceedsTheMost) {
  Backoff backoff(milliseconds::max() / 3, milliseconds::max());
  for (int i = 0; i < 5; ++i) EXPECT_GT(backoff.next(kMost).count(), 0);
  EXPECT_LE(Backoff(seconds(9), seconds(1)).next(kMost), seconds(1));
}

const Throttle::Time kStart{std::chrono::hours(1000)};

TEST(Throttle, NoRateIsNoLimit) {
  Throttle throttle(0);
  EXPECT_EQ(throttle.take(kMost, kStart), nanoseconds::zero());
}

TEST(Throttle, HalfASecondPassesAtOnce) {
  Throttle throttle(1000);
  EXPECT_EQ(throttle.take(500, kStart), nanoseconds::zero());
  EXPECT_EQ(throttle.take(250, kStart), milliseconds(250));
}

TEST(Throttle, KeepsTheMeanRate) {
  Throttle throttle(1'000'000);
  Throttle::Time now = kStart;
  for (int i = 0; i < 10'000; ++i) now += throttle.take(10'000, now);
  EXPECT_GE(now - kStart, milliseconds(99'500));
  EXPECT_LE(now - kStart, milliseconds(100'000));
}

TEST(Throttle, UnusedTimeIsNotSavedBeyondTheBurst) {
  Throttle throttle(1000);
  (void)throttle.take(1, kStart);
  const auto later = kStart + std::chrono::hours(5);
  EXPECT_EQ(throttle.take(500, later), nanoseconds::zero());
  EXPECT_EQ(throttle.take(1000, later), seconds(1));
}

TEST(Throttle, AFileLargerThanTheBucketPasses) {
  Throttle throttle(1000);
  EXPECT_EQ(throttle.take(10'000, kStart), milliseconds(9500));
  EXPECT_EQ(throttle.take(0, kStart + milliseconds(9500)), nanoseconds::zero());
}

TEST(Throttle, HugeTakesDoNotOverflow) {
  Throttle throttle(1);
  for (int i = 0; i < 1000; ++i) EXPECT_GT(throttle.take(kMost, kStart), std::chrono::hours(1));
}

}  // namespace
}  // namespace geogrid
