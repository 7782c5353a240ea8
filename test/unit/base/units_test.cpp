#include "base/units.hpp"

#include <gtest/gtest.h>

namespace geogrid {
namespace {

using std::chrono::milliseconds;

TEST(ParseSize, UnitsOfBothKinds) {
  EXPECT_EQ(parse_size("0").value(), 0u);
  EXPECT_EQ(parse_size("512").value(), 512u);
  EXPECT_EQ(parse_size("512B").value(), 512u);
  EXPECT_EQ(parse_size("1KiB").value(), 1024u);
  EXPECT_EQ(parse_size("1kB").value(), 1000u);
  EXPECT_EQ(parse_size("10GiB").value(), std::uint64_t{10} << 30);
  EXPECT_EQ(parse_size("2TB").value(), 2'000'000'000'000u);
  EXPECT_EQ(parse_size("1.5GiB").value(), std::uint64_t{3} << 29);
  EXPECT_EQ(parse_size("4294967297").value(), 4294967297u);
  for (const char* wrong : {"", "x", "-1", "+1", "1 GiB", "1gib", "1GIB", "1KB", "KiB", "1GiBx", "1e3",
                            "0x10", "nan", "inf", "99999999999TiB", " 1", "1 "})
    EXPECT_TRUE(parse_size(wrong).error().is(errc::invalid_argument)) << wrong;
}

TEST(ParseDuration, Units) {
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
  EXPECT_EQ(parse_duration("2s").value(), milliseconds(2000));
  EXPECT_EQ(parse_duration("1.5s").value(), milliseconds(1500));
  EXPECT_EQ(parse_duration("5m").value(), std::chrono::minutes(5));
  EXPECT_EQ(parse_duration("1h").value(), std::chrono::hours(1));
  EXPECT_EQ(parse_duration("30d").value(), std::chrono::hours(720));
  for (const char* wrong : {"", "2", "-2s", "2 s", "2S", "2w", "s", "1h30m", "nans", "99999999999999999d"})
    EXPECT_TRUE(parse_duration(wrong).error().is(errc::invalid_argument)) << wrong;
}

TEST(ParseRate, IsASizeASecond) {
  EXPECT_EQ(parse_rate("100MiB/s").value(), std::uint64_t{100} << 20);
  for (const char* wrong : {"", "/s", "100MiB", "100/h", "-1MB/s", "100MiB/ s"})
    EXPECT_TRUE(parse_rate(wrong).error().is(errc::invalid_argument)) << wrong;
}

TEST(Format, Sizes) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(999), "999 B");
  EXPECT_EQ(format_size(1024), "1.00 KiB");
  EXPECT_EQ(format_size(10'500'000'000), "9.78 GiB");
  EXPECT_EQ(format_size(std::uint64_t{10} << 30), "10.0 GiB");
  EXPECT_EQ(format_size(std::uint64_t{999} << 40), "999 TiB");
  EXPECT_EQ(format_size(~std::uint64_t{0}), "16.0 EiB");
  // Never more than three digits: what would be 1000 KiB is shown in MiB.
  EXPECT_EQ(format_size(1023 * 1024), "1.00 MiB");
}

TEST(Format, Durations) {
  EXPECT_EQ(format_duration(milliseconds(0)), "0 ms");
  EXPECT_EQ(format_duration(milliseconds(999)), "999 ms");
  EXPECT_EQ(format_duration(milliseconds(1200)), "1.2 s");
  EXPECT_EQ(format_duration(std::chrono::seconds(60)), "1 min");
  EXPECT_EQ(format_duration(std::chrono::seconds(125)), "2 min 5 s");
  EXPECT_EQ(format_duration(std::chrono::hours(25)), "1 d 1 h");
  EXPECT_EQ(format_duration(std::chrono::hours(76)), "3 d 4 h");
}

TEST(Format, Counts) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
}

}  // namespace
}  // namespace geogrid
