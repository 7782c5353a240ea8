// A filesystem that can neither exchange names nor share bytes, and tells nothing of holes: NFS, older FUSE.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

#include "support/forwarding_env.hpp"
#include "support/scratch.hpp"
#include "volume/volume.hpp"

namespace geogrid {
namespace {

namespace fs = std::filesystem;
const VolumeMarker kMarker{.cluster_uuid = "c", .cluster_name = "geograph", .node = "jam", .uuid = "u"};
constexpr Timestamp kDay{1375696800, 0};

class OldEnv final : public test::ForwardingEnv {
 public:
  result<void> rename(int from_folder, const std::string& from, int to_folder, const std::string& to,
                      IfTaken if_taken) override {
    if (if_taken == IfTaken::exchange) return system_error(EINVAL, "rename");
    if (renames_left-- == 0) return system_error(EIO, "rename");
    return ForwardingEnv::rename(from_folder, from, to_folder, to, if_taken);
  }
  result<void> clone(int /*from*/, int /*to*/) override { return system_error(EOPNOTSUPP, "clone"); }
  result<std::uint64_t> seek(int /*fd*/, std::uint64_t /*offset*/, int /*whence*/) override {
    return system_error(EINVAL, "lseek");
  }

  int renames_left = -1;
};

class OldFilesystem : public testing::Test {
 protected:
  OldFilesystem() {
    EXPECT_TRUE(initialise_volume(scratch.path().string(), kMarker));
    volume = open_local_volume({.root = scratch.path().string(), .node = "jam", .threads = 2, .env = env},
                               kMarker);
  }
  template <typename T>
  T run(task<T> work) {
    return run_to_end(loop, std::move(work));
  }
  static Path path(std::string_view text) { return Path::parse(text).value(); }
  void put(const std::string& name, const std::string& content) const {
    std::ofstream(scratch.path() / name) << content;
  }
  std::string content(const std::string& name) const {
    std::ifstream file(scratch.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::shared_ptr<Draft> draft_of(const std::string& text) {
    DraftRequest request{
        .name = {.file = InodeId(7), .owner = 9, .number = ++number}, .base = {}, .base_size = 0};
    const auto draft = run(volume->start_draft(request)).value();
    std::promise<bool> written;
    draft->write(0, std::as_bytes(std::span(text)),
                 [&](const auto& done) { written.set_value(done.has_value()); });
    EXPECT_TRUE(written.get_future().get());
    return draft;
  }
  static DraftPlace at(std::string_view text) {
    return {.path = path(text), .attributes = {}, .power_safe = false, .replaces = true};
  }
  static DiskChange exchange(std::uint64_t id) {
    return {.kind = DiskChange::Kind::exchange,
            .id = id,
            .path = path("/a"),
            .new_path = path("/b"),
            .when = kDay,
            .target = {},
            .attributes = {}};
  }

  test::Scratch scratch{"old"};
  std::shared_ptr<OldEnv> env = std::make_shared<OldEnv>();
  asio::io_context loop;
  std::shared_ptr<Volume> volume;
  std::uint64_t number = 0;
};

TEST_F(OldFilesystem, DraftsChangePlacesInSteps) {
  put("a", "old");
  auto draft = draft_of("new");
  ASSERT_TRUE(run(draft->place(at("/a"))));
  EXPECT_EQ(content("a"), "new");
  ASSERT_TRUE(run(draft->take_back()));
  EXPECT_EQ(content("a"), "old");
  ASSERT_TRUE(run(draft->place(at("/a"))));
  ASSERT_TRUE(run(draft->settle(kDay)));
  EXPECT_EQ(content("a") + content(".geogrid/trash/2013-08-05/a"), "newold");
  EXPECT_TRUE(fs::is_empty(scratch.path() / ".geogrid/tmp"));
}

TEST_F(OldFilesystem, AStepThatFailsLosesNothing) {
  for (int steps = 0; steps < 3; ++steps) {
    put("a", "old");
    const auto draft = draft_of("new");
    draft->keep();
    env->renames_left = steps;
    EXPECT_FALSE(run(draft->place(at("/a"))));
    env->renames_left = -1;
    std::string all = content("a");
    for (const auto& entry : fs::directory_iterator(scratch.path() / ".geogrid/tmp"))
      all += content(".geogrid/tmp/" + entry.path().filename().string());
    EXPECT_EQ(all.size(), 6U) << steps << all;
    for (const DraftFound& found : run(volume->drafts()).value())
      EXPECT_TRUE(run(volume->salvage(found.name, path("/x"), kDay)));
    EXPECT_TRUE(fs::is_empty(scratch.path() / ".geogrid/tmp"));
  }
}

TEST_F(OldFilesystem, AnExchangeInStepsIsFinishedAfterACrash) {
  for (int steps = 0; steps < 4; ++steps) {
    put("a", "1");
    put("b", "2");
    const DiskChange owed = exchange(100U + static_cast<unsigned>(steps));
    env->renames_left = steps;  // the first is the note's
    EXPECT_FALSE(run(volume->carry_out({owed})).at(0));
    env->renames_left = -1;
    EXPECT_TRUE(run(volume->carry_out({owed})).at(0));
    EXPECT_EQ(content("a") + content("b"), "21") << steps;
    EXPECT_FALSE(run(volume->carry_out({owed})).at(0).value().changed);
    EXPECT_EQ(content("a") + content("b"), "21") << steps;
  }
}

TEST_F(OldFilesystem, BasesAreCopied) {
  put("a", std::string(3'000'000, 'x'));
  DraftRequest request{
      .name = {.file = InodeId(7), .owner = 9, .number = 1}, .base = path("/a"), .base_size = 3'000'000};
  const auto draft = run(volume->start_draft(request)).value();
  EXPECT_EQ(run(draft->digest(DigestAlgorithm::md5)).value(), digest_of(std::string(3'000'000, 'x')));
}

}  // namespace
}  // namespace geogrid
