#include "archive.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

class VerifyTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    for (const char* name : {"cream", "jam"}) archive->add_node(name);
    for (int i = 0; i < 10; ++i)
      archive->put(archive->node("cream"), "/f/" + std::to_string(i), "x" + std::to_string(i));
    EXPECT_TRUE(archive->walk(archive->node("cream")).end);
    archive->replicate_all();
  }
  std::uint64_t count(const VerifyReport& report, VerifyKind kind) {
    std::uint64_t sum = 0;
    for (const VerifyNodeReport& node : report.nodes) sum += node.count(kind);
    return sum;
  }
};

TEST_P(VerifyTest, AllIsRight) {
  for (const bool deep : {false, true}) {
    const VerifyReport report = archive->verify_all(deep);
    EXPECT_TRUE(report.good());
    ASSERT_EQ(report.nodes.size(), 2U);
    EXPECT_EQ(report.nodes[0].right, 10U);
    EXPECT_EQ(report.nodes[0].digested_bytes, deep ? 20U : 0U);
  }
}

TEST_P(VerifyTest, EveryKindOfFaultIsNamedAndNothingIsChanged) {
  TestNode& cream = archive->node("cream");
  TestNode& jam = archive->node("jam");
  fs::remove(cream.root / "f/1");
  archive->put(cream, "/f/2", "y2");         // same size and time
  archive->put(cream, "/f/3", "longer", 7);  // changed
  archive->touch(cream, "/f/4", 8);          // touched only
  archive->put(jam, "/unknown/deeper/file", "u");
  fs::remove(jam.root / "f/5");
  fs::create_directory(jam.root / "f/5");
  const auto before = archive->must(archive->store->latest_change());
  const VerifyReport shallow = archive->verify_all(false);
  EXPECT_FALSE(shallow.good());
  EXPECT_EQ(count(shallow, VerifyKind::missing), 1U);
  EXPECT_EQ(count(shallow, VerifyKind::damaged), 0U);
  EXPECT_EQ(count(shallow, VerifyKind::changed), 2U);
  EXPECT_EQ(count(shallow, VerifyKind::unknown), 1U);
  EXPECT_EQ(count(shallow, VerifyKind::type_conflict), 1U);
  const VerifyReport deep = archive->verify_all(true);
  EXPECT_EQ(count(deep, VerifyKind::missing), 1U);
  EXPECT_EQ(count(deep, VerifyKind::damaged), 1U);
  EXPECT_EQ(count(deep, VerifyKind::changed), 1U);  // the touched one has the right bytes
  ASSERT_FALSE(deep.problems.empty());
  EXPECT_EQ(archive->must(archive->store->latest_change()), before);
  EXPECT_TRUE(archive->findings().empty());
}

TEST_P(VerifyTest, OnlyWhatIsAskedFor) {
  fs::remove(archive->node("cream").root / "f/1");
  archive->put(archive->node("cream"), "/g/x", "x");
  EXPECT_TRUE(archive
                  ->walk(archive->node("cream"),
                         [] {
                           auto o = Archive::quick();
                           o.start = path_of("/g");
                           return o;
                         }())
                  .end);
  VerifyOptions options;
  options.start = path_of("/g");
  const auto ask = [&](const VerifyOptions& o) {
    return archive->run(
        verify(*archive->store, archive->volumes(), o, std::make_shared<StopSignal>(), Log()));
  };
  EXPECT_TRUE(ask(options).good());
  options.start = path_of("/f/2");
  EXPECT_TRUE(ask(options).good());
  options.start = path_of("/f/1");
  EXPECT_FALSE(ask(options).good());
  options.start = path_of("/nowhere");
  EXPECT_TRUE(ask(options).end.error().is(errc::not_found));
}

TEST_P(VerifyTest, AnAbsentNodeIsSaidToBeAbsent) {
  fs::rename(archive->node("cream").root, archive->scratch.path() / "away");
  const VerifyReport report = archive->verify_all();
  EXPECT_FALSE(report.good());
  ASSERT_EQ(report.nodes.size(), 2U);
  EXPECT_TRUE(!report.nodes[0].end && report.nodes[0].end.error().is(errc::volume_absent));
  EXPECT_TRUE(report.nodes[1].end);
  EXPECT_TRUE(report.problems.empty());
}

INSTANTIATE_TEST_SUITE_P(Stores, VerifyTest, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
