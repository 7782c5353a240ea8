// A disk that answers late, never, or with errors.

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "support/forwarding_env.hpp"
#include "support/scratch.hpp"
#include "support/wait.hpp"
#include "volume/volume.hpp"

namespace geogrid {
namespace {

const VolumeMarker kMarker{.cluster_uuid = "c", .cluster_name = "geograph", .node = "jam", .uuid = "u"};

// Reads of the archive's files (not of the marker) wait while `hangs`, and fail with `error` unless it is 0.
class SickEnv final : public test::ForwardingEnv {
 public:
  result<std::size_t> read(int fd, std::uint64_t offset, std::span<std::byte> buffer) override {
    if (is_sick(fd)) {
      ++waiting;
      hangs.wait(true);
      --waiting;
      if (error != 0) return system_error(error, "read");
    }
    return ForwardingEnv::read(fd, offset, buffer);
  }

  std::atomic<bool> hangs = false;
  std::atomic<int> waiting = 0;
  std::atomic<int> error = 0;

 private:
  static constexpr off_t kSickSize = 7777;
  bool is_sick(int fd) { return status(fd)->st_size == kSickSize; }
};

class SickDisk : public testing::Test {
 protected:
  SickDisk() {
    EXPECT_TRUE(initialise_volume(scratch.path().string(), kMarker));
    std::ofstream(scratch.path() / "sick") << std::string(7777, 's');
    std::ofstream(scratch.path() / "sound") << "sound";
    volume = open_local_volume({.root = scratch.path().string(), .node = "jam", .threads = 2, .env = env},
                               kMarker);
  }
  ~SickDisk() override { heal(); }
  void heal() {
    env->hangs = false;
    env->hangs.notify_all();
  }
  template <typename T>
  T run(task<T> work) {
    return run_to_end(loop, std::move(work));
  }
  Path path(std::string_view text) { return Path::parse(text).value(); }

  test::Scratch scratch{"sick"};
  std::shared_ptr<SickEnv> env = std::make_shared<SickEnv>();
  asio::io_context loop;
  asio::io_context background;
  std::shared_ptr<Volume> volume;
};

TEST_F(SickDisk, HangingDigestsHoldUpNeitherReadersNorTheHeartbeat) {
  env->hangs = true;
  int answered = 0;
  const auto digest = [&]() -> task<void> {
    const std::vector<Path> paths(1, path("/sick"));
    const auto answers = co_await volume->digest(paths, DigestAlgorithm::md5, true);
    answered += answers.at(0) ? 1 : 0;
  };
  for (int i = 0; i < 5; ++i) asio::co_spawn(background, digest(), asio::detached);
  background.poll();
  ASSERT_TRUE(test::wait_until([&] { return env->waiting == 2; }));

  EXPECT_TRUE(run(volume->probe()));
  EXPECT_TRUE(run(volume->stat(path("/sick"))));
  EXPECT_EQ(run(volume->list(Path())).value().size(), 2U);
  EXPECT_TRUE(run(volume->open(path("/sound"))));
  EXPECT_TRUE(run(volume->lock("walk")));
  // Nor writers.
  const auto draft = run(volume->start_draft({.name = {}, .base = {}, .base_size = 0})).value();
  std::atomic<int> written = 0;
  for (int i = 0; i < 5; ++i)
    draft->write(0, std::as_bytes(std::span("text", 4)), [&](const auto& done) { written += done ? 1 : 0; });
  EXPECT_TRUE(test::wait_until([&] { return written == 5; }));
  DraftPlace where{.path = path("/new"), .attributes = {}};
  EXPECT_TRUE(run(draft->place(where)));
  EXPECT_EQ(run(volume->carry_out({{.kind = {},
                                    .id = 0,
                                    .path = path("/no"),
                                    .new_path = {},
                                    .when = {},
                                    .target = {},
                                    .attributes = {}}}))
                .size(),
            1U);

  heal();
  background.run();
  EXPECT_EQ(answered, 5);
}

TEST_F(SickDisk, HangingReadersHoldUpNeitherChangesNorTheHeartbeat) {
  env->hangs = true;
  const auto file = run(volume->open(path("/sick"))).value();
  std::atomic<int> answered = 0;
  for (int i = 0; i < 5; ++i) file->read(0, 100, [&](const auto& bytes) { answered += bytes ? 1 : 0; });
  ASSERT_TRUE(test::wait_until([&] { return env->waiting == 2; }));

  EXPECT_TRUE(run(volume->probe()));
  EXPECT_TRUE(run(volume->digest({path("/sound")}, DigestAlgorithm::md5, true)).at(0));
  EXPECT_TRUE(run(volume->make_folder(path("/folder"), {})));

  heal();
  EXPECT_TRUE(test::wait_until([&] { return answered == 5; }));
}

TEST_F(SickDisk, DroppingTheVolumeDoesNotWaitForTheDisk) {
  env->hangs = true;
  auto file = run(volume->open(path("/sick"))).value();
  auto answered = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < 3; ++i) file->read(0, 100, [answered](const auto&) { ++*answered; });
  ASSERT_TRUE(test::wait_until([&] { return env->waiting == 2; }));
  file.reset();
  volume.reset();  // would never return
  heal();
  EXPECT_TRUE(test::wait_until([&] { return *answered == 3 && env.use_count() == 1; }))
      << "its threads end with what was asked of them";
}

TEST_F(SickDisk, AnErrorIsToldOfTheOneFileThatHasIt) {
  env->error = EIO;
  const auto answers =
      run(volume->digest({path("/sound"), path("/sick"), path("/sound")}, DigestAlgorithm::md5, false));
  EXPECT_TRUE(answers[0]);
  EXPECT_TRUE(answers[1].error().is(std::errc::io_error));
  EXPECT_NE(answers[1].error().message.find("/sick"), std::string::npos) << answers[1].error().message;
  EXPECT_TRUE(answers[2]);
  EXPECT_TRUE(
      run(volume->read_whole(path("/sick"), 10000, DigestAlgorithm::md5)).error().is(std::errc::io_error));
}

}  // namespace
}  // namespace geogrid
