// Two processes that change names and drain the same nodes at once.

#include <random>

#include "contract/intents/owing.hpp"

namespace geogrid::test {
namespace {

using namespace std::chrono_literals;

class Drainers : public OwingTest {
 protected:
  void SetUp() override {
    OwingTest::SetUp();
    other_store_ = archive->must(open_store(Archive::store_options(archive->address)));
    other_ = make_runner(*other_store_, kOther);
  }
  void TearDown() override {
    other_->close();
    other_.reset();
    other_store_->close();
    other_store_.reset();
    OwingTest::TearDown();
  }
  std::unique_ptr<MetadataStore> other_store_;
  std::shared_ptr<IntentRunner> other_;
};

// A random change by one of two clients; false if it could not be.
task<void> change_at_random(MetadataStore& store, IntentRunner& runner, LeaseOwner by, unsigned seed,
                            int changes) {
  std::mt19937 random(seed);
  for (int i = 0; i < changes; ++i) {
    const auto folders = co_await store.list(kRootInode, InodeId{}, 100);
    if (!folders || folders->empty()) continue;
    const Inode folder = (*folders)[random() % folders->size()];
    if (!folder.is_folder()) continue;
    const auto files = co_await store.list(folder.id, InodeId{}, 100);
    const Timestamp now = system_clock().wall();
    if (random() % 4 == 0) {
      const auto renamed =
          co_await store.rename(kRootInode, folder.name, kRootInode, "f" + std::to_string(random() % 6),
                                RenameMode::no_replace, now, by, true);
      if (renamed && !renamed->intents.empty()) runner.soon(renamed->intents.front().owed);
    } else if (files && !files->empty() && random() % 3 == 0) {
      const auto removed = co_await store.unlink(folder.id, (*files)[random() % files->size()].name, now, by);
      if (removed) runner.soon(removed->owed);
    } else if (files && !files->empty()) {
      const std::string name = (*files)[random() % files->size()].name;
      const std::string to = "n" + std::to_string(random() % 12);
      const auto mode = random() % 3 == 0 ? RenameMode::exchange : RenameMode::replace;
      const auto renamed = co_await store.rename(folder.id, name, folder.id, to, mode, now, by, true);
      if (!renamed || renamed->intents.empty()) continue;
      const NodeSet owed = renamed->intents.front().owed;
      for (const NodeIndex node : owed & renamed->at_once) {
        std::vector<Intent> intents = renamed->intents;
        (void)co_await runner.carry_out_now(node, std::move(intents));
      }
      runner.soon(owed);
    }
    if (random() % 8 == 0) (void)co_await runner.drain(NodeIndex(static_cast<std::uint8_t>(random() % 2)));
  }
}

TEST_P(Drainers, TwoProcessesLoseNothingAndDoNothingTwice) {
  for (int f = 0; f < 3; ++f)
    for (int i = 0; i < 8; ++i)
      for (const TestNode* node : {&cream(), &jam()})
        archive->put(*node, "/f" + std::to_string(f) + "/n" + std::to_string(i),
                     "content " + std::to_string(f * 100 + i));
  archive->walk(cream());
  archive->walk(jam());
  int ended = 0;
  const auto on_end = [&](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
    ++ended;
  };
  asio::co_spawn(archive->loop, change_at_random(*archive->store, *runner, kMe, 1, 60), on_end);
  asio::co_spawn(archive->loop, change_at_random(*other_store_, *other_, kOther, 2, 60), on_end);
  archive->run_until([&] { return ended == 2; });
  finish(runner);
  finish(other_);
  // Each comes as far as the first that the other has taken.
  for (int i = 0; i < 300 && owed(cream()) + owed(jam()) > 0; ++i)
    for (const TestNode* node : {&cream(), &jam()}) {
      (void)archive->run(runner->drain(node->index));
      (void)archive->run(other_->drain(node->index));
    }
  EXPECT_EQ(owed(cream()), 0U);
  EXPECT_EQ(owed(jam()), 0U);
  std::vector<std::string> recorded;
  for (const auto& [path, inode] : archive->all_files()) recorded.push_back(path);
  EXPECT_EQ(archive->files_on(cream()), recorded);
  EXPECT_EQ(archive->files_on(jam()), recorded);
  archive->expect_sound();
}

INSTANTIATE_TEST_SUITE_P(Stores, Drainers, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
