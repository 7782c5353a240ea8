#include "os/publish.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/lossy_env.hpp"
#include "support/scratch.hpp"

namespace geogrid {
namespace {

namespace fs = std::filesystem;

result<void> publish(Env& env, int folder, const std::string& text, IfTaken if_taken) {
  return publish_bytes(env, folder, folder, "state", std::as_bytes(std::span(text)), 0640, if_taken);
}

TEST(Publish, WritesReplacesOrRefuses) {
  const test::Scratch scratch("publish");
  const auto env = make_posix_env();
  const UniqueFd folder =
      env->open(env->open_root(scratch.path().string())->get(), "", O_RDONLY | O_DIRECTORY).value();
  const auto content = [&] { return read_small_file(*env, folder.get(), "state", 10).value(); };
  ASSERT_TRUE(publish(*env, folder.get(), "one", IfTaken::fail));
  EXPECT_EQ(content(), "one");
  EXPECT_EQ(env->status_at(folder.get(), "state").value().st_mode & 07777U, 0640U);
  EXPECT_TRUE(publish(*env, folder.get(), "two", IfTaken::fail).error().is(std::errc::file_exists));
  EXPECT_EQ(content(), "one");
  ASSERT_TRUE(publish(*env, folder.get(), "three", IfTaken::replace));
  EXPECT_EQ(content(), "three");
  EXPECT_EQ(env->list(folder.get()).value().size(), 1U) << "no temporary file stays";
}

TEST(Publish, SmallFilesAreReadWithABoundAndOnlyIfOrdinary) {
  const test::Scratch scratch("publish");
  const auto env = make_posix_env();
  const UniqueFd folder = env->open_root(scratch.path().string()).value();
  std::ofstream(scratch.path() / "ten") << "0123456789";
  fs::create_symlink("ten", scratch.path() / "link");
  ASSERT_EQ(mkfifo(scratch.file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_small_file(*env, folder.get(), "ten", 10).value(), "0123456789");
  EXPECT_TRUE(read_small_file(*env, folder.get(), "ten", 9).error().is(std::errc::file_too_large));
  EXPECT_TRUE(
      read_small_file(*env, folder.get(), "link", 10).error().is(std::errc::too_many_symbolic_link_levels));
  EXPECT_TRUE(read_small_file(*env, folder.get(), "fifo", 10).error().is(errc::not_supported));
  EXPECT_TRUE(
      read_small_file(*env, folder.get(), "none", 10).error().is(std::errc::no_such_file_or_directory));
}

// At each step of a replacement: the old content or the new, whole; the new once it was acknowledged.
TEST(Publish, APowerLossLeavesTheOldOrTheNew) {
  const std::string old_text(5000, 'o');
  const std::string new_text(7000, 'n');
  for (std::size_t steps = 0, came_through = 0; came_through == 0; ++steps)
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      SCOPED_TRACE(testing::Message() << steps << " changes, seed " << seed);
      const test::Scratch scratch("publish");
      fs::create_directory(scratch.path() / "attic");
      fs::create_directory(scratch.path() / "place");
      test::LossyEnv env(scratch.file("attic"));
      const UniqueFd folder =
          env.open(env.open_root(scratch.file("place"))->get(), "", O_RDONLY | O_DIRECTORY, 0).value();
      ASSERT_TRUE(publish(env, folder.get(), old_text, IfTaken::fail));
      env.cut_power_after(steps);
      const bool done = publish(env, folder.get(), new_text, IfTaken::replace).has_value();
      came_through = env.power_is_cut() ? 0 : 1;
      env.crash(seed);
      const std::string found = read_small_file(env, folder.get(), "state", 10000).value();
      ASSERT_TRUE(found == new_text || (found == old_text && !done)) << found.size();
    }
}

}  // namespace
}  // namespace geogrid
