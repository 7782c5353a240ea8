// Drafts that take their path, and give it back.

#include <sys/stat.h>
#include <unistd.h>

#include "contract/volume/volume_contract.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;
constexpr Timestamp kDay{1375696800, 0};  // 2013-08-05

TEST_P(VolumeContract, ANewFileTakesItsPathWithItsAttributes) {
  const auto draft = draft_of("picture");
  DraftPlace where{.path = path_of("/photos/01/a"), .attributes = own()};
  where.attributes.mode = 06640;
  ASSERT_TRUE(run(draft->place(where)));
  EXPECT_TRUE(temporaries().empty());
  const DiskEntry entry = run(volume->stat(path_of("/photos/01/a"))).value();
  EXPECT_EQ(entry.attributes.mode, 0640U) << "set-id bits are never set";
  EXPECT_EQ(entry.attributes.mtime, own().mtime);
  EXPECT_EQ(run(volume->stat(path_of("/photos"))).value().attributes.mode, 0755U);
  EXPECT_TRUE(run(draft->settle(kDay)));
  EXPECT_EQ(content("photos/01/a"), "picture");
  EXPECT_EQ(read(*draft).value(), "picture");
  EXPECT_EQ(run(draft->digest(DigestAlgorithm::md5)).value(), digest_of("picture"));
  EXPECT_TRUE(run(draft->sync()));
  fs::remove(at("photos/01/a"));
  EXPECT_EQ(read(*draft).value(), "picture") << "also after its name is gone";
}

TEST_P(VolumeContract, WhatIsPlacedIsChangedNoMore) {
  const auto draft = draft_of("picture");
  ASSERT_TRUE(place(*draft, "/a"));
  EXPECT_TRUE(write(*draft, 0, "x").error().is(errc::invalid_argument));
  EXPECT_TRUE(run(draft->truncate(0)).error().is(errc::invalid_argument));
  EXPECT_TRUE(run(draft->allocate(0, 0, 100)).error().is(errc::invalid_argument));
  EXPECT_TRUE(place(*draft, "/b").error().is(errc::invalid_argument));
  EXPECT_EQ(content("a"), "picture");
}

TEST_P(VolumeContract, AnOlderVersionGoesToTrashWhenItIsSettled) {
  put("photos/a", "old");
  auto draft = draft_of("new");
  ASSERT_TRUE(place(*draft, "/photos/a", true));
  EXPECT_EQ(content("photos/a"), "new");
  EXPECT_EQ(content(".geogrid/tmp/draft.7.99.1"), "old");
  ASSERT_TRUE(run(draft->settle(kDay)));
  EXPECT_EQ(content(".geogrid/trash/2013-08-05/photos/a"), "old");
  EXPECT_TRUE(temporaries().empty());
  ASSERT_TRUE(run(draft->settle(kDay))) << "once more";
  // And every later one beside it.
  for (int i = 1; i < 20; ++i) {
    draft = draft_of(std::to_string(i));
    ASSERT_TRUE(place(*draft, "/photos/a", true));
    ASSERT_TRUE(run(draft->settle(kDay)));
    ASSERT_EQ(content(fmt::format(".geogrid/trash/2013-08-05.{}/photos/a", i)),
              i == 1 ? "new" : std::to_string(i - 1));
  }
}

TEST_P(VolumeContract, WhatIsForeignGoesToConflicts) {
  put("a", "somebody's");
  fs::create_symlink("/etc/passwd", at("link"));
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  for (const char* name : {"a", "link", "fifo"}) {
    const auto draft = draft_of("new");
    ASSERT_TRUE(place(*draft, std::string("/") + name, name[0] != 'a'));
    EXPECT_EQ(content(name), "new");
    ASSERT_TRUE(run(draft->settle(kDay)));
    EXPECT_TRUE(exists(std::string(".geogrid/conflicts/2013-08-05/") + name)) << name;
  }
  EXPECT_EQ(content(".geogrid/conflicts/2013-08-05/a"), "somebody's");
  EXPECT_EQ(fs::read_symlink(at(".geogrid/conflicts/2013-08-05/link")), "/etc/passwd");
}

TEST_P(VolumeContract, AFolderInTheWayStays) {
  put("folder/inner", "x");
  const auto draft = draft_of("new");
  EXPECT_TRUE(place(*draft, "/folder", false).error().is(errc::is_a_folder));
  EXPECT_TRUE(place(*draft, "/folder", true).error().is(errc::is_a_folder));
  EXPECT_EQ(content("folder/inner"), "x");
  ASSERT_TRUE(write(*draft, 3, "er")) << "it goes on";
  ASSERT_TRUE(place(*draft, "/file"));
  EXPECT_EQ(content("file"), "newer");
}

TEST_P(VolumeContract, NothingIsPlacedThroughASymlinkOrOverWhatIsOurs) {
  fs::create_directory(scratch.path() / "outside");
  fs::create_symlink(scratch.path() / "outside", at("link"));
  const auto draft = draft_of("new");
  EXPECT_TRUE(place(*draft, "/link/a").error().is(std::errc::not_a_directory));
  EXPECT_TRUE(place(*draft, "/link/x/a").error().is(std::errc::too_many_symbolic_link_levels));
  EXPECT_TRUE(fs::is_empty(scratch.path() / "outside"));
  EXPECT_TRUE(place(*draft, "/.geogrid/volume").error().is(errc::invalid_argument));
  EXPECT_TRUE(place(*draft, "/").error().is(errc::invalid_argument));
}

TEST_P(VolumeContract, TakenBackItIsADraftAgain) {
  put("a", "old");
  for (const bool power_safe : {false, true}) {
    for (const char* path : {"/a", "/new/b"}) {
      const auto draft = draft_of("first");
      ASSERT_TRUE(place(*draft, path, true, power_safe));
      ASSERT_TRUE(run(draft->take_back()));
      EXPECT_EQ(content("a"), "old");
      EXPECT_FALSE(exists("new/b"));
      ASSERT_TRUE(run(draft->take_back())) << "once more";
      ASSERT_TRUE(write(*draft, 5, " and more"));
      ASSERT_TRUE(place(*draft, "/c"));
      EXPECT_EQ(content("c"), "first and more");
      EXPECT_TRUE(temporaries().empty());
      fs::remove(at("c"));
    }
  }
}

TEST_P(VolumeContract, WhatHasMovedWithItsFolderIsTakenBackFromThere) {
  put("folder/a", "old");
  const auto draft = draft_of("mine");
  ASSERT_TRUE(place(*draft, "/folder/a", true));
  fs::rename(at("folder"), at("renamed"));
  put("folder/a", "another");
  EXPECT_TRUE(run(draft->take_back()));
  EXPECT_EQ(content("folder/a"), "another");
  EXPECT_EQ(content("renamed/a"), "old") << "as if it had never been there";
  EXPECT_EQ(content(".geogrid/tmp/draft.7.99.1"), "mine");
  ASSERT_TRUE(place(*draft, "/renamed/a", true));
  EXPECT_EQ(content("renamed/a"), "mine");
}

TEST_P(VolumeContract, WhatAnotherPutThereIsNotTakenBack) {
  put("a", "old");
  const auto draft = draft_of("mine");
  ASSERT_TRUE(place(*draft, "/a", true));
  fs::remove(at("a"));
  put("a", "theirs");
  EXPECT_TRUE(run(draft->take_back()).error().is(errc::stale));
  EXPECT_EQ(content("a"), "theirs");
  // It is a copy now.
  ASSERT_TRUE(write(*draft, 0, "MINE"));
  EXPECT_EQ(content(".geogrid/tmp/draft.7.99.1"), "MINE");
  const auto dates = run(volume->trash_dates()).value();
  ASSERT_EQ(dates.size(), 1U) << "what it displaced is kept";
  EXPECT_EQ(content(".geogrid/trash/" + dates[0].name + "/a"), "old");
  ASSERT_TRUE(place(*draft, "/b"));
  EXPECT_EQ(content("b"), "MINE");
}

TEST_P(VolumeContract, WhatIsGoneIsCopiedBack) {
  const auto draft = draft_of("mine");
  ASSERT_TRUE(place(*draft, "/folder/a"));
  fs::remove_all(at("folder"));
  EXPECT_TRUE(run(draft->take_back()).error().is(errc::stale));
  EXPECT_FALSE(exists("folder"));
  ASSERT_TRUE(place(*draft, "/a"));
  EXPECT_EQ(content("a"), "mine");
}

TEST_P(VolumeContract, ADraftThatWasSalvagedMeanwhileIsNotPlaced) {
  const auto draft = draft_of("mine");
  ASSERT_TRUE(run(volume->salvage({.file = InodeId(7), .owner = 99, .number = 1}, path_of("/a"), kDay)));
  EXPECT_TRUE(place(*draft, "/a").error().is(errc::stale));
  EXPECT_EQ(read(*draft).value(), "mine");
}

TEST_P(VolumeContract, WhatADeadProcessDisplacedStays) {
  put("a", "old");
  {
    const auto draft = draft_of("new");
    ASSERT_TRUE(place(*draft, "/a", true));
  }
  EXPECT_EQ(run(volume->clean_temporary()).value(), 0U);
  const auto found = run(volume->drafts()).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].in_use);
  ASSERT_TRUE(run(volume->exchange_draft(found[0].name, path_of("/a"))));
  EXPECT_EQ(content("a"), "old");
}

TEST_P(VolumeContract, NamesOf255BytesAndDeepPathsArePlaced) {
  std::string path;
  for (int i = 0; i < 30; ++i) path += "/" + std::string(255, static_cast<char>('a' + i % 26));
  for (const char* text : {"one", "two"}) {
    const auto draft = draft_of(text);
    ASSERT_TRUE(place(*draft, path, true));
    ASSERT_TRUE(run(draft->settle(kDay)));
    EXPECT_EQ(read(path).value(), text);
  }
  const auto entries = run(volume->list_trash("2013-08-05", path_of(path).parent())).value();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, std::string(255, 'd'));
}

TEST_P(VolumeContract, AttributesAreSetAsFarAsTheyGo) {
  put("a", "x");
  fs::create_directory(at("folder"));
  fs::create_symlink("nowhere", at("link"));
  Attributes attributes = own();
  attributes.mode = 07711;
  for (const char* path : {"/a", "/folder", "/link", "/"}) {
    EXPECT_TRUE(run(volume->set_attributes(path_of(path), attributes))) << path;
  }
  EXPECT_EQ(run(volume->stat(path_of("/a"))).value().attributes.mode, 01711U);
  EXPECT_EQ(run(volume->stat(path_of("/folder"))).value().attributes.mode, 01711U);
  EXPECT_EQ(run(volume->stat(path_of("/link"))).value().attributes.mtime, own().mtime);
  EXPECT_TRUE(run(volume->set_attributes(path_of("/no"), attributes))
                  .error()
                  .is(std::errc::no_such_file_or_directory));
}

}  // namespace
}  // namespace geogrid::test
