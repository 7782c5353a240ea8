// What a node owes, carried out.

#include <sys/stat.h>

#include "contract/volume/volume_contract.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;
using Kind = DiskChange::Kind;
constexpr Timestamp kDay{1375696800, 0};  // 2013-08-05

class Owed : public VolumeContract {
 protected:
  static DiskChange change(Kind kind, std::string_view path, std::string_view new_path = "/",
                           std::uint64_t id = 0) {
    return {.kind = kind,
            .id = id,
            .path = path_of(path),
            .new_path = path_of(new_path),
            .when = kDay,
            .target = {},
            .attributes = own()};
  }
  static DiskChange symlink(std::string_view path, std::string target) {
    DiskChange made = change(Kind::make_symlink, path);
    made.target = std::move(target);
    return made;
  }
  std::vector<result<DiskChanged>> carry_out(std::vector<DiskChange> changes) {
    return run(volume->carry_out(std::move(changes)));
  }
  DiskChanged carry_out_one(DiskChange owed) {
    auto answers = carry_out({std::move(owed)});
    EXPECT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0]) << answers[0].error().message;
    return answers[0] ? *answers[0] : DiskChanged{};
  }
};

TEST_P(Owed, RemovesToTrashAndBack) {
  put("photos/a", "1");
  const DiskChanged removed = carry_out_one(change(Kind::remove, "/photos/a"));
  EXPECT_TRUE(removed.changed);
  EXPECT_EQ(removed.from, "photos/a");
  EXPECT_EQ(removed.to, ".geogrid/trash/2013-08-05/photos/a");
  EXPECT_EQ(content(removed.to), "1");
  EXPECT_FALSE(carry_out_one(change(Kind::remove, "/photos/a")).changed);
  EXPECT_FALSE(carry_out_one(change(Kind::remove, "/no/such/folder")).changed);
  EXPECT_FALSE(carry_out_one(change(Kind::remove, "/photos")).changed) << "a folder";
  ASSERT_TRUE(run(volume->make_power_safe({removed})));
  put("photos/a", "another");
  EXPECT_TRUE(run(volume->undo(removed)).error().is(std::errc::file_exists));
  fs::remove_all(at("photos"));
  ASSERT_TRUE(run(volume->undo(removed)));
  EXPECT_EQ(content("photos/a"), "1");
}

TEST_P(Owed, RemovesSymlinksThemselves) {
  put("a", "1");
  fs::create_symlink("a", at("link"));
  const DiskChanged removed = carry_out_one(change(Kind::remove, "/link"));
  EXPECT_TRUE(fs::is_symlink(at(removed.to)));
  EXPECT_EQ(content("a"), "1");
  fs::create_directory(at("folder"));
  put("folder/b", "1");
  fs::create_symlink("folder", at("link"));
  EXPECT_FALSE(carry_out_one(change(Kind::remove, "/link/b")).changed);
  EXPECT_EQ(content("folder/b"), "1");
}

TEST_P(Owed, RemovesEmptyFoldersOnly) {
  fs::create_directories(at("empty"));
  put("full/foreign", "1");
  put("file", "1");
  const DiskChanged removed = carry_out_one(change(Kind::remove_folder, "/empty"));
  EXPECT_TRUE(removed.changed);
  EXPECT_FALSE(exists("empty"));
  for (const char* path : {"/empty", "/full", "/file", "/no/such"})
    EXPECT_FALSE(carry_out_one(change(Kind::remove_folder, path)).changed) << path;
  EXPECT_EQ(content("full/foreign") + content("file"), "11");
  ASSERT_TRUE(run(volume->make_power_safe({removed})));
  ASSERT_TRUE(run(volume->undo(removed)));
  EXPECT_TRUE(fs::is_directory(at("empty")));
}

TEST_P(Owed, RenamesFilesAndFolders) {
  put("a", "1");
  put("photos/01/b", "2");
  const DiskChanged file = carry_out_one(change(Kind::rename, "/a", "/new/deep/a"));
  EXPECT_TRUE(file.changed);
  EXPECT_EQ(content("new/deep/a"), "1");
  const DiskChanged folder = carry_out_one(change(Kind::rename, "/photos", "/pictures"));
  EXPECT_EQ(content("pictures/01/b"), "2");
  EXPECT_FALSE(carry_out_one(change(Kind::rename, "/photos", "/pictures")).changed) << "done before";
  ASSERT_TRUE(run(volume->make_power_safe({file, folder})));
  ASSERT_TRUE(run(volume->undo(folder)));
  ASSERT_TRUE(run(volume->undo(file)));
  EXPECT_EQ(content("photos/01/b") + content("a"), "21");
}

TEST_P(Owed, PutsAsideWhatIsInARenamesWay) {
  put("a", "1");
  put("b", "foreign");
  EXPECT_TRUE(carry_out_one(change(Kind::rename, "/a", "/b")).changed);
  EXPECT_EQ(content("b"), "1");
  EXPECT_EQ(content(".geogrid/conflicts/2013-08-05/b"), "foreign");

  put("folder/x", "2");
  fs::create_directories(at("empty"));
  EXPECT_TRUE(carry_out_one(change(Kind::rename, "/folder", "/empty")).changed);
  EXPECT_EQ(content("empty/x"), "2");
  EXPECT_FALSE(exists(".geogrid/conflicts/2013-08-05/empty"));

  put("folder/x", "3");
  EXPECT_TRUE(carry_out_one(change(Kind::rename, "/folder", "/empty")).changed);
  EXPECT_EQ(content("empty/x"), "3");
  EXPECT_EQ(content(".geogrid/conflicts/2013-08-05/empty/x"), "2");

  // A file and a symlink where folders are needed.
  put("way", "not a folder");
  fs::create_symlink("/tmp", at("out"));
  EXPECT_TRUE(carry_out_one(change(Kind::rename, "/b", "/way/to/b")).changed);
  EXPECT_TRUE(carry_out_one(change(Kind::rename, "/way/to/b", "/out/b")).changed);
  EXPECT_EQ(content("out/b"), "1");
  EXPECT_FALSE(fs::is_symlink(at("out")));
  EXPECT_EQ(content(".geogrid/conflicts/2013-08-05/way"), "not a folder");
}

TEST_P(Owed, ExchangesOnceHoweverOftenItIsCarriedOut) {
  put("a", "1");
  put("folder/b", "2");
  const DiskChange owed = change(Kind::exchange, "/a", "/folder", 77);
  DiskChanged first = carry_out_one(owed);
  EXPECT_TRUE(first.changed);
  EXPECT_FALSE(carry_out_one(owed).changed);
  ASSERT_TRUE(run(volume->make_power_safe({first})));
  EXPECT_FALSE(carry_out_one(owed).changed) << "also later: somebody may have been slow";
  EXPECT_EQ(content("folder") + content("a/b"), "12");
  ASSERT_TRUE(run(volume->undo(first)));
  EXPECT_EQ(content("a") + content("folder/b"), "12");
  EXPECT_TRUE(carry_out_one(owed).changed) << "it was not done, then";
  EXPECT_EQ(content("folder") + content("a/b"), "12");
  // Another change is another exchange.
  EXPECT_TRUE(carry_out_one(change(Kind::exchange, "/a", "/folder", 78)).changed);
  EXPECT_EQ(content("a") + content("folder/b"), "12");
}

TEST_P(Owed, AnExchangeOfOneMovesIt) {
  put("a", "1");
  const DiskChange owed = change(Kind::exchange, "/a", "/new/b", 77);
  DiskChanged moved = carry_out_one(owed);
  EXPECT_TRUE(moved.changed);
  EXPECT_EQ(content("new/b"), "1");
  EXPECT_FALSE(carry_out_one(owed).changed);
  ASSERT_TRUE(run(volume->make_power_safe({moved})));
  ASSERT_TRUE(run(volume->undo(moved)));
  EXPECT_EQ(content("a"), "1");
  moved = carry_out_one(change(Kind::exchange, "/x", "/a", 78));
  EXPECT_EQ(content("x"), "1");
  ASSERT_TRUE(run(volume->undo(moved)));
  EXPECT_EQ(content("a"), "1");
  EXPECT_FALSE(carry_out_one(change(Kind::exchange, "/y", "/z", 79)).changed);
}

TEST_P(Owed, AnExchangeIsDoneEvenIfOneWasReplacedSince) {
  put("a", "1");
  put("b", "2");
  const DiskChange owed = change(Kind::exchange, "/a", "/b", 77);
  ASSERT_TRUE(carry_out_one(owed).changed);
  const auto draft = draft_of("3");
  ASSERT_TRUE(place(*draft, "/a", true));
  EXPECT_FALSE(carry_out_one(owed).changed);
  EXPECT_EQ(content("a") + content("b"), "31");
}

TEST_P(Owed, MakesSymlinks) {
  put("taken/x", "foreign");
  for (const char* path : {"/new/link", "/taken"}) {
    const DiskChanged made = carry_out_one(symlink(path, "../to"));
    EXPECT_TRUE(made.changed);
    EXPECT_EQ(fs::read_symlink(at(std::string(path).substr(1))), "../to");
    EXPECT_FALSE(carry_out_one(symlink(path, "../to")).changed);
    ASSERT_TRUE(run(volume->make_power_safe({made})));
    ASSERT_TRUE(run(volume->undo(made)));
    EXPECT_FALSE(exists(std::string(path).substr(1)));
  }
  EXPECT_EQ(content(".geogrid/conflicts/2013-08-05/taken/x"), "foreign");
}

TEST_P(Owed, StopsAtTheFirstThatFails) {
  put("a", "1");
  put("b", "2");
  put("c", "3");
  const auto answers = carry_out(
      {change(Kind::remove, "/a"), change(Kind::rename, "/b", "/.geogrid/b"), change(Kind::remove, "/c")});
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_TRUE(answers[0]);
  EXPECT_TRUE(answers[1].error().is(errc::invalid_argument));
  EXPECT_FALSE(exists("a"));
  EXPECT_EQ(content("b") + content("c"), "23");
  fs::rename(at(".geogrid/volume"), at(".geogrid/gone"));
  const auto absent = carry_out({change(Kind::remove, "/c"), change(Kind::remove, "/b")});
  ASSERT_EQ(absent.size(), 1U);
  EXPECT_TRUE(absent[0].error().is(errc::volume_absent));
}

TEST_P(Owed, FoldersThatMovedOnAreMadePowerSafeWhereTheyAre) {
  put("x/a", "1");
  std::vector<DiskChanged> done;
  for (auto& answer : carry_out({change(Kind::rename, "/x/a", "/x/b"), change(Kind::rename, "/x", "/y"),
                                 change(Kind::remove, "/y/b"), change(Kind::remove_folder, "/y")}))
    done.push_back(answer.value());
  EXPECT_TRUE(run(volume->make_power_safe(done)));
  EXPECT_TRUE(run(volume->make_power_safe({})));
}

INSTANTIATE_TEST_SUITE_P(All, Owed, testing::ValuesIn(volume_makers()), name_of_maker);

}  // namespace
}  // namespace geogrid::test
