// Drafts before they have their path.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/volume/volume_contract.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

TEST(DraftNames, AreParsedExactly) {
  const DraftName name{.file = InodeId(12), .owner = 18446744073709551615U, .number = 0};
  EXPECT_EQ(name.str(), "draft.12.18446744073709551615.0");
  const auto parsed = DraftName::parse(name.str());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->file, name.file);
  EXPECT_EQ(parsed->owner, name.owner);
  for (const char* other :
       {"", "draft", "draft.1.2", "draft.1.2.", "draft.1.2.3.4", "draft.01.2.3", "draft.-1.2.3",
        "draft.1.2.3 ", "Draft.1.2.3", "draft.1.2.18446744073709551616", "draft..2.3"})
    EXPECT_FALSE(DraftName::parse(other)) << other;
}

TEST_P(VolumeContract, ADraftIsWrittenAndReadAtOffsets) {
  const auto draft = start_draft();
  EXPECT_EQ(temporaries(), std::vector<std::string>()) << "nothing is made before it is needed";
  EXPECT_EQ(read(*draft).value(), "");
  ASSERT_TRUE(write(*draft, 3, "defg"));
  EXPECT_EQ(temporaries(), std::vector<std::string>{"draft.7.99.1"});
  EXPECT_TRUE(names("/").value().empty()) << "invisible";
  ASSERT_TRUE(write(*draft, 0, "abc"));
  EXPECT_EQ(read(*draft).value(), "abcdefg");
  EXPECT_EQ(read(*draft, 5, 1).value(), "f");
  EXPECT_EQ(read(*draft, 7).value(), "");
  EXPECT_TRUE(run(draft->truncate(2)));
  EXPECT_EQ(read(*draft).value(), "ab");
  EXPECT_TRUE(run(draft->sync()));
  EXPECT_EQ(run(draft->digest(DigestAlgorithm::md5)).value(), digest_of("ab"));
  const auto second = run(volume->start_draft(
      {.name = {.file = InodeId(7), .owner = 99, .number = 1}, .base = {}, .base_size = 0}));
  ASSERT_TRUE(second);
  EXPECT_TRUE(write(**second, 0, "x").error().is(std::errc::file_exists));
}

TEST_P(VolumeContract, ADroppedDraftIsRemovedUnlessItIsKept) {
  {
    const auto dropped = draft_of("unwanted");
    const auto kept = draft_of("wanted");
    kept->keep();
  }
  EXPECT_TRUE(wait_until([&] { return temporaries() == std::vector<std::string>{"draft.7.99.2"}; }));
  EXPECT_EQ(content(".geogrid/tmp/draft.7.99.2"), "wanted");
}

TEST_P(VolumeContract, ADraftBeginsWithTheBytesOfItsBase) {
  put("a", "0123456789");
  const DraftRequest request{.name = draft_name(), .base = path_of("/a"), .base_size = 10};
  const auto draft = run(volume->start_draft(request)).value();
  ASSERT_TRUE(write(*draft, 2, "xx"));
  EXPECT_EQ(read(*draft).value(), "01xx456789");
  EXPECT_EQ(content("a"), "0123456789");
}

TEST_P(VolumeContract, AHardLinkedBaseIsNotWrittenThrough) {
  put("a", "0123456789");
  fs::create_hard_link(at("a"), at("b"));
  const auto draft =
      run(volume->start_draft({.name = draft_name(), .base = path_of("/a"), .base_size = 10})).value();
  ASSERT_TRUE(write(*draft, 0, "x"));
  ASSERT_TRUE(place(*draft, "/a", true));
  EXPECT_EQ(content("a"), "x123456789");
  EXPECT_EQ(content("b"), "0123456789");
}

TEST_P(VolumeContract, ABaseThatIsNotWhatItShouldBeIsStale) {
  put("a", "0123456789");
  fs::create_directory(at("folder"));
  fs::create_symlink("a", at("link"));
  const auto from = [&](std::string_view path, std::uint64_t size) {
    return run(volume->start_draft({.name = draft_name(), .base = path_of(path), .base_size = size}));
  };
  EXPECT_TRUE(from("/a", 9).error().is(errc::stale));
  EXPECT_TRUE(from("/folder", 9).error().is(errc::stale));
  EXPECT_TRUE(from("/link", 10).error().is(errc::stale));
  EXPECT_TRUE(from("/no", 10).error().is(std::errc::no_such_file_or_directory));
  EXPECT_TRUE(wait_until([&] { return temporaries().empty(); }));
}

TEST_P(VolumeContract, ATerabyteOfHolesTakesNoSpace) {
  constexpr std::uint64_t kTerabyte = std::uint64_t{1} << 40U;
  const auto draft = start_draft();
  ASSERT_TRUE(run(draft->truncate(kTerabyte)));
  ASSERT_TRUE(write(*draft, kTerabyte / 2, "in the middle"));
  ASSERT_TRUE(place(*draft, "/sparse"));
  const DraftRequest request{.name = draft_name(), .base = path_of("/sparse"), .base_size = kTerabyte};
  const auto copy = run(volume->start_draft(request)).value();
  EXPECT_EQ(read(*copy, kTerabyte / 2, 13).value(), "in the middle");
  EXPECT_EQ(read(*copy, kTerabyte - 4, 10).value(), std::string(4, '\0'));
  struct stat found {};
  ASSERT_EQ(stat(at(".geogrid/tmp/draft.7.99.2").c_str(), &found), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(found.st_size), kTerabyte);
  EXPECT_LT(found.st_blocks, 1024);
  EXPECT_LE(run(copy->seek(0, SEEK_DATA)).value(), kTerabyte / 2);
  EXPECT_GT(run(copy->seek(0, SEEK_DATA)).value(), kTerabyte / 4);
  EXPECT_EQ(run(copy->seek(0, SEEK_HOLE)).value(), 0U);
  EXPECT_TRUE(run(copy->seek(kTerabyte / 2 + 1024 * 1024 * 1024, SEEK_DATA))
                  .error()
                  .is(std::errc::no_such_device_or_address));
}

TEST_P(VolumeContract, SpaceIsAllocatedAndPunched) {
  const auto draft = draft_of(std::string(8192, 'x'));
  ASSERT_TRUE(run(draft->allocate(0, 0, 20000)));
  EXPECT_EQ(read(*draft, 19999, 10).value(), std::string(1, '\0'));
  ASSERT_TRUE(run(draft->allocate(FALLOC_FL_KEEP_SIZE, 0, 100000)));
  EXPECT_EQ(read(*draft, 20000, 10).value(), "");
  ASSERT_TRUE(run(draft->allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096)));
  EXPECT_EQ(read(*draft, 4095, 2).value(), std::string("\0x", 2));
  EXPECT_TRUE(run(draft->allocate(0x4000, 0, 1)).error().is(std::errc::operation_not_supported));
}

TEST_P(VolumeContract, DraftsAreFoundSalvagedAndNeverCleaned) {
  put(".geogrid/tmp/draft.5.6.7", "left behind");
  put(".geogrid/tmp/draft.05.6.7", "no draft");
  const auto mine = draft_of("mine");
  auto found = run(volume->drafts()).value();
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name.file < b.name.file; });
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name.number, 7U);
  EXPECT_EQ(found[0].size, 11U);
  EXPECT_FALSE(found[0].in_use);
  EXPECT_LT(found[0].age, std::chrono::seconds(60));
  EXPECT_EQ(found[1].name.owner, 99U);
  EXPECT_TRUE(found[1].in_use);

  EXPECT_EQ(run(volume->clean_temporary()).value(), 1U);
  EXPECT_EQ(temporaries().size(), 2U);
  const Timestamp day{1375696800, 0};
  EXPECT_EQ(run(volume->salvage(found[0].name, path_of("/photos/a"), day)).value(),
            ".geogrid/lost+found/2013-08-05/photos/a");
  EXPECT_EQ(content(".geogrid/lost+found/2013-08-05/photos/a"), "left behind");
  EXPECT_TRUE(run(volume->salvage(found[0].name, path_of("/photos/a"), day))
                  .error()
                  .is(std::errc::no_such_file_or_directory));
  put(".geogrid/tmp/draft.5.6.8", "once more");
  EXPECT_EQ(
      run(volume->salvage({.file = InodeId(5), .owner = 6, .number = 8}, path_of("/photos/a"), day)).value(),
      ".geogrid/lost+found/2013-08-05.1/photos/a");
  EXPECT_EQ(fs::status(at(".geogrid/lost+found")).permissions(), fs::perms(0700));
  EXPECT_EQ(read(*mine).value(), "mine");
}

TEST_P(VolumeContract, ADraftThatIsEmptyAndYoungIsInUse) {
  put(".geogrid/tmp/draft.5.6.7", "");
  EXPECT_TRUE(run(volume->drafts()).value().at(0).in_use) << "it may be about to be held";
}

TEST_P(VolumeContract, ADraftByItsNameIsDigestedAndExchanged) {
  const DraftName name{.file = InodeId(5), .owner = 6, .number = 7};
  put(".geogrid/tmp/" + name.str(), "new");
  put("photos/a", "old");
  const auto whole = run(volume->digest_draft(name, DigestAlgorithm::sha256)).value();
  EXPECT_EQ(whole.digest, digest_of("new", DigestAlgorithm::sha256));
  EXPECT_EQ(whole.entry.size, 3U);
  ASSERT_TRUE(run(volume->exchange_draft(name, path_of("/photos/a"))));
  EXPECT_EQ(content("photos/a"), "new");
  EXPECT_EQ(content(".geogrid/tmp/" + name.str()), "old");
  // Where nothing is at the path, the draft moves there.
  ASSERT_TRUE(run(volume->exchange_draft(name, path_of("/other/b"))));
  EXPECT_EQ(content("other/b"), "old");
  EXPECT_TRUE(temporaries().empty());
  EXPECT_TRUE(run(volume->exchange_draft(name, path_of("/other/b")))
                  .error()
                  .is(std::errc::no_such_file_or_directory));
  EXPECT_TRUE(
      run(volume->digest_draft(name, DigestAlgorithm::md5)).error().is(std::errc::no_such_file_or_directory));
  put(".geogrid/tmp/" + name.str(), "new");
  EXPECT_TRUE(run(volume->exchange_draft(name, path_of("/other"))).error().is(errc::is_a_folder));
}

}  // namespace
}  // namespace geogrid::test
