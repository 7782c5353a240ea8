// The disk and metadata change while a walk is under way.

#include <fstream>

#include "archive.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

class RaceTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    archive->add_node("cream");
  }
  TestNode& cream() { return archive->node("cream"); }
  // Does `something` after so many steps of the loop.
  WalkReport walk_with(unsigned steps, const std::function<void()>& something) {
    std::optional<WalkReport> report;
    asio::co_spawn(archive->loop,
                   geogrid::walk(*archive->store, cream().node_volume(), Archive::quick(),
                                 std::make_shared<StopSignal>(), Log()),
                   [&](std::exception_ptr failure, WalkReport done) {
                     if (failure) std::rethrow_exception(failure);
                     report = std::move(done);
                   });
    archive->loop.restart();
    for (unsigned i = 0; i < steps && !report; ++i) archive->loop.run_one();
    something();
    archive->run_until([&] { return report.has_value() && running_ == 0; });
    return std::move(*report);
  }
  int running_ = 0;
  // Starts something in metadata without waiting for it.
  template <typename T>
  void start(task<result<T>> work) {
    ++running_;
    asio::co_spawn(archive->loop, std::move(work), [this](std::exception_ptr failure, const result<T>&) {
      --running_;
      if (failure) std::rethrow_exception(failure);
    });
  }
};

TEST_P(RaceTest, ANameRemovedDuringTheWalkIsNotBroughtBack) {
  for (unsigned steps = 1; steps < 120; steps += 7) {
    SCOPED_TRACE(steps);
    const std::string folder = "/f" + std::to_string(steps);
    for (int i = 0; i < 10; ++i) archive->put(cream(), folder + "/" + std::to_string(i), "x");
    ASSERT_TRUE(archive->walk(cream()).end);
    const Inode parent = archive->at(folder);
    // The rows go, the file stays on the disk: the node owes the removal.
    const WalkReport report = walk_with(steps, [&] {
      start(archive->store->unlink(parent.id, "3", system_clock().wall(), LeaseOwner()));
      start(archive->store->unlink(parent.id, "4", system_clock().wall(), LeaseOwner()));
    });
    EXPECT_TRUE(report.end) << report.end.error().message;
    ASSERT_TRUE(archive->walk(cream()).end);
    EXPECT_FALSE(archive->known(folder + "/3"));
    EXPECT_FALSE(archive->known(folder + "/4"));
    EXPECT_TRUE(archive->known(folder + "/5"));
  }
  EXPECT_TRUE(archive->findings().empty());
}

TEST_P(RaceTest, AFolderMovedDuringTheWalkDoesNotAppearTwice) {
  for (unsigned steps = 1; steps < 100; steps += 9) {
    SCOPED_TRACE(steps);
    const std::string from = "m" + std::to_string(steps), to = "n" + std::to_string(steps);
    for (int i = 0; i < 10; ++i) archive->put(cream(), "/" + from + "/below/" + std::to_string(i), "x");
    ASSERT_TRUE(archive->walk(cream()).end);
    archive->put(cream(), "/" + from + "/below/new", "new");
    const WalkReport report = walk_with(steps, [&] {
      start(archive->store->rename(kRootInode, from, kRootInode, to, RenameMode::replace,
                                   system_clock().wall(), LeaseOwner(), false));
    });
    EXPECT_TRUE(report.end) << report.end.error().message;
    EXPECT_FALSE(archive->known("/" + from));
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(archive->at("/" + to + "/below/" + std::to_string(i)).replicas.size(), 1)
          << "its removal is owed, not done";
  }
}

TEST_P(RaceTest, FilesThatAppearVanishAndGrowUnderTheWalk) {
  for (unsigned steps = 1; steps < 200; steps += 11) {
    SCOPED_TRACE(steps);
    const std::string folder = "/g" + std::to_string(steps) + "/";
    for (int i = 0; i < 30; ++i) archive->put(cream(), folder + std::to_string(i), std::string(20'000, 'x'));
    const WalkReport report = walk_with(steps, [&] {
      for (int i = 0; i < 30; i += 3) fs::remove(cream().root / folder.substr(1) / std::to_string(i));
      for (int i = 1; i < 30; i += 3)
        std::ofstream(cream().root / folder.substr(1) / std::to_string(i), std::ios::app) << "more";
      for (int i = 0; i < 5; ++i) archive->put(cream(), folder + "late" + std::to_string(i), "late");
    });
    EXPECT_TRUE(report.end) << report.end.error().message;
    WalkOptions accept = Archive::quick();
    accept.accept_missing = true;
    ASSERT_TRUE(archive->walk(cream(), accept).end);
    archive->expect_sound();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(archive->known(folder + "late" + std::to_string(i)));
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, RaceTest, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
