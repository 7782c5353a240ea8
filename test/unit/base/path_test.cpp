#include "base/path.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>

namespace geogrid {
namespace {

Path path(std::string_view text) {
  return Path::parse(text).value();
}

TEST(CheckName, AnyBytesButSlashAndNul) {
  for (const std::string& name :
       {std::string("a"), std::string("..."), std::string(" "), std::string("\xff\xfe\n\t'\""),
        std::string(kMaxNameBytes, 'x'), std::string("-rf"), std::string(".geogrid")})
    EXPECT_TRUE(check_name(name)) << printable(name);
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                                  std::string("/"), std::string("a\0b", 3)})
    EXPECT_TRUE(check_name(name).error().is(errc::invalid_argument)) << printable(name);
  EXPECT_EQ(to_errno(check_name(std::string(kMaxNameBytes + 1, 'x')).error()), ENAMETOOLONG);
}

TEST(Path, ParsesAndShows) {
  EXPECT_EQ(path("/a/b").str(), "/a/b");
  EXPECT_EQ(path("a/b").str(), "/a/b");
  EXPECT_EQ(path("//a///b//").str(), "/a/b");
  for (const char* root : {"", "/", "///"}) {
    EXPECT_TRUE(path(root).is_root());
    EXPECT_EQ(path(root).str(), "/");
    EXPECT_EQ(path(root).relative(), "");
    EXPECT_TRUE(path(root).components().empty());
  }
  EXPECT_EQ(path("/a/b/c").relative(), "a/b/c");
  const Path p = path("/a/b/c");
  EXPECT_EQ(p.components(), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(p.filename(), "c");
  EXPECT_EQ(p.parent().str(), "/a/b");
  EXPECT_TRUE(path("/a").parent().is_root());
  EXPECT_EQ(Path().child("a").child("b"), path("/a/b"));
}

TEST(Path, RefusesWhatCouldLeadElsewhere) {
  for (const std::string& text : {std::string(".."), std::string("/a/../b"), std::string("./a"),
                                  std::string("/a/."), std::string("/a/\0", 4), std::string("/..")})
    EXPECT_TRUE(Path::parse(text).error().is(errc::invalid_argument)) << printable(text);
  EXPECT_EQ(to_errno(Path::parse("/a/" + std::string(256, 'x')).error()), ENAMETOOLONG);
}

TEST(Path, DepthIsNotLimited) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "/folder";
  EXPECT_EQ(path(deep).components().size(), 5000u);
  EXPECT_EQ(path(deep).str(), deep);
}

TEST(Path, IsWithin) {
  EXPECT_TRUE(path("/a/b").is_within(path("/a")));
  EXPECT_TRUE(path("/a").is_within(path("/a")));
  EXPECT_TRUE(path("/a").is_within(Path()));
  EXPECT_TRUE(Path().is_within(Path()));
  EXPECT_FALSE(path("/ab").is_within(path("/a")));
  EXPECT_FALSE(path("/a").is_within(path("/a/b")));
  EXPECT_FALSE(Path().is_within(path("/a")));
}

TEST(Path, OnlyTheTopIsReserved) {
  EXPECT_TRUE(path("/.geogrid").is_reserved());
  EXPECT_TRUE(path("/.geogrid/tmp/x").is_reserved());
  EXPECT_FALSE(path("/.geogrid2").is_reserved());
  EXPECT_FALSE(path("/a/.geogrid").is_reserved());
  EXPECT_FALSE(Path().is_reserved());
}

TEST(BeforeInWalk, IsTheOrderOfADepthFirstTraversal) {
  // '-' and '.' sort before '/', so that comparing whole strings would be wrong.
  const std::vector<Path> order{Path(),       path("/a"),     path("/a/b"), path("/a/c/d"),
                                path("/a-b"), path("/a.b/c"), path("/b")};
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = 0; j < order.size(); ++j)
      EXPECT_EQ(before_in_walk(order[i], order[j]), i < j) << order[i].str() << " " << order[j].str();
}

TEST(BeforeInWalk, ComparesBytesAsUnsigned) {
  EXPECT_TRUE(before_in_walk(path("/z"), path("/\xc3\xa9")));
  EXPECT_TRUE(before_in_walk(path("/a"), path("/\xff")));
}

TEST(Printable, ShowsWhatIsSafeAndEscapesTheRest) {
  EXPECT_EQ(printable("plain name.jpg"), "plain name.jpg");
  EXPECT_EQ(printable("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xb7"),
            "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xb7");
  EXPECT_EQ(printable("a\nb\tc\\d"), "a\\nb\\tc\\\\d");
  EXPECT_EQ(printable("\x1b[31m\x7f\r"), "\\x1b[31m\\x7f\\x0d");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");                    // stray, cut off
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b"
            "31m");  // CSI as a C1 control
}

TEST(Printable, CanBeTakenBackForAnyBytes) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 24, '\0');
    for (char& c : bytes) c = random() % 3 ? static_cast<char>(random()) : "\\nxt0aA\n"[random() % 8];
    const std::string text = printable(bytes);
    for (const unsigned char c : text) ASSERT_TRUE(c >= 0x20 && c != 0x7F);
    ASSERT_EQ(unprintable(text).value(), bytes) << text;
    ASSERT_EQ(printable(unprintable(text).value()), text);
  }
}

TEST(Unprintable, RefusesMalformedEscapes) {
  for (const char* text : {"\\", "a\\", "\\q", "\\x", "\\x1", "\\xg0", "\\x0g"})
    EXPECT_TRUE(unprintable(text).error().is(errc::invalid_argument)) << text;
  EXPECT_EQ(unprintable("\\xFF\\xff").value(), "\xff\xff");
}

}  // namespace
}  // namespace geogrid
