#include "policy/storage_class.hpp"

#include <gtest/gtest.h>

namespace geogrid {
namespace {

StorageClass matching(std::string name, std::string match) {
  return {.name = std::move(name), .match = std::move(match)};
}
StorageClass rest(std::string name) {
  return {.name = std::move(name), .match = std::nullopt};
}

StorageClasses geograph() {
  return StorageClasses::make({matching("original.jpg", "_original\\.jpg$"),
                               matching("thumb.jpg", "_\\d+x\\d+\\.jpg$"), rest("others")})
      .value();
}

std::string class_of(const StorageClasses& classes, std::string_view path) {
  return classes.of_path(Path::parse(path).value()).name;
}

TEST(StorageClasses, FirstMatchWinsAndTheLastTakesTheRest) {
  const StorageClasses classes = geograph();
  EXPECT_EQ(class_of(classes, "/photos/01/02/010203_deadbeef_original.jpg"), "original.jpg");
  EXPECT_EQ(class_of(classes, "/photos/01/02/010203_deadbeef_213x160.jpg"), "thumb.jpg");
  EXPECT_EQ(class_of(classes, "/photos/01/02/010203_deadbeef.jpg"), "others");
  EXPECT_EQ(class_of(classes, "/"), "others");

  const StorageClasses overlapping =
      StorageClasses::make({matching("a", "jpg"), matching("b", "photo"), rest("c")}).value();
  EXPECT_EQ(class_of(overlapping, "/photo.jpg"), "a");
  EXPECT_EQ(class_of(overlapping, "/photo.png"), "b");
}

TEST(StorageClasses, PatternsSeeTheFullPath) {
  const StorageClasses classes = StorageClasses::make({matching("top", "^/photos/"), rest("r")}).value();
  EXPECT_EQ(class_of(classes, "/photos/a.jpg"), "top");
  EXPECT_EQ(class_of(classes, "/old/photos/a.jpg"), "r");
}

TEST(StorageClasses, PatternsMatchAnyBytes) {
  const StorageClasses classes = StorageClasses::make({matching("all", "^/x.*\\.jpg$"), rest("r")}).value();
  EXPECT_EQ(class_of(classes, "/x\xff\xfe\n\xc3.jpg"), "all");
  // A pattern written in UTF-8 finds those bytes.
  const StorageClasses utf8 = StorageClasses::make({matching("e", "caf\xc3\xa9$"), rest("r")}).value();
  EXPECT_EQ(class_of(utf8, "/caf\xc3\xa9"), "e");
  EXPECT_EQ(class_of(utf8, "/caf\xe9"), "r");
}

TEST(StorageClasses, DollarIsTheEndOfThePathOnly) {
  EXPECT_EQ(class_of(geograph(), "/a_original.jpg\nb"), "others");
}

TEST(StorageClasses, FindsByName) {
  const StorageClasses classes = geograph();
  ASSERT_NE(classes.find("thumb.jpg"), nullptr);
  EXPECT_EQ(classes.find("thumb.jpg")->name, "thumb.jpg");
  EXPECT_EQ(classes.find("thumb"), nullptr);
  EXPECT_EQ(classes.default_class().name, "others");
  EXPECT_EQ(classes.all().size(), 3u);
}

TEST(StorageClasses, RefusesWhatCannotBeMeant) {
  const std::vector<std::vector<StorageClass>> wrong = {
      {},
      {rest("")},
      {matching("a", "x")},
      {rest("a"), rest("b")},
      {matching("a", "x"), rest("a")},
      {matching("a", "("), rest("b")},
  };
  for (const auto& classes : wrong) {
    auto made = StorageClasses::make(classes);
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error().is(errc::invalid_argument)) << made.error().message;
  }
}

TEST(StorageClasses, CopiesShareTheRules) {
  const StorageClass* seen = nullptr;
  std::optional<StorageClasses> copy;
  {
    const StorageClasses first = geograph();
    seen = first.find("others");
    copy = first;
  }
  EXPECT_EQ(copy->find("others"), seen);
}

}  // namespace
}  // namespace geogrid
