// A disk that is full, and one that belongs to an ordinary user.

#include <grp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract/volume/volume_contract.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

class SmallDisk : public VolumeContract {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can mount a small disk";
    root = scratch.path() / "small";
    fs::create_directory(root);
    ASSERT_EQ(mount("none", root.c_str(), "tmpfs", 0, "size=1m"), 0);
    mounted = true;
    ASSERT_TRUE(initialise_volume(root.string(), marker));
    volume = GetParam().open(root.string(), marker);
  }
  void TearDown() override {
    volume.reset();
    if (mounted) umount2(root.c_str(), MNT_DETACH);
  }
  bool mounted = false;
};

TEST_P(SmallDisk, WhatDoesNotFitIsEnospcAndLeavesNothing) {
  const std::string large(2 * 1024 * 1024, 'x');
  EXPECT_TRUE(run(volume->receive_whole(bytes_of(large))).error().is(std::errc::no_space_on_device));
  EXPECT_TRUE(run(volume->receive(large.size())).error().is(std::errc::no_space_on_device))
      << "before any byte came";
  {
    const auto file = run(volume->receive(0)).value();
    EXPECT_TRUE(run(file->append(bytes_of(std::string(512 * 1024, 'x')))));
    EXPECT_TRUE(run(file->append(bytes_of(large))).error().is(std::errc::no_space_on_device));
  }
  EXPECT_TRUE(wait_until([&] { return temporaries().empty(); }));
  // And it goes on.
  EXPECT_EQ(publish("/a", std::string(512 * 1024, 'x')).value(), PublishOutcome::published);
  EXPECT_LT(run(volume->probe()).value().free_bytes, 512U * 1024U);
}

TEST_P(SmallDisk, ReservedSpaceIsGivenBackByADroppedFile) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(wait_until([&] { return temporaries().empty(); }));
    ASSERT_TRUE(run(volume->receive(768 * 1024)));
  }
}

TEST_P(SmallDisk, ADraftThatDoesNotFitIsEnospcAndGoesOn) {
  const std::string large(2 * 1024 * 1024, 'x');
  {
    const auto draft = draft_of("small");
    EXPECT_TRUE(write(*draft, 5, large).error().is(std::errc::no_space_on_device));
    ASSERT_TRUE(run(draft->truncate(5)));
    EXPECT_TRUE(run(draft->allocate(0, 0, large.size())).error().is(std::errc::no_space_on_device));
    EXPECT_TRUE(run(draft->truncate(5)));
    EXPECT_EQ(read(*draft).value(), "small");
    ASSERT_TRUE(place(*draft, "/a"));
  }
  EXPECT_EQ(content("a"), "small");
  put("half", std::string(600 * 1024, 'x'));
  const auto copied =
      run(volume->start_draft({.name = draft_name(), .base = path_of("/half"), .base_size = 600 * 1024}));
  EXPECT_TRUE(copied.error().is(std::errc::no_space_on_device));
  EXPECT_TRUE(wait_until([&] { return temporaries().empty(); }));
  const auto draft = draft_of(std::string(300 * 1024, 'x'));
  ASSERT_TRUE(place(*draft, "/half", true));
  EXPECT_TRUE(run(draft->settle({})));
}

// Runs the test body as the user "nobody", in a process of its own.
class OrdinaryUser : public VolumeContract {
 protected:
  static constexpr uid_t kNobody = 65534;

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
    VolumeContract::SetUp();
  }
  template <typename Body>
  void as_nobody(Body body) {
    volume.reset();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(2);
      asio::io_context own_loop;
      volume = GetParam().open(root.string(), marker);
      _exit(body() && !HasFailure() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  // The volume is made by root in a tree that belongs to nobody.
  void give_tree_to_nobody() {
    fs::permissions(scratch.path(), fs::perms(0755));
    fs::remove_all(root);
    fs::create_directory(root);
    ASSERT_EQ(chown(root.c_str(), kNobody, kNobody), 0);
    ASSERT_TRUE(initialise_volume(root.string(), marker));
  }
};

TEST_P(OrdinaryUser, WhoOwnsTheTreeCanDoEverything) {
  give_tree_to_nobody();
  as_nobody([&] {
    Attributes roots = own();
    roots.uid = 0;  // cannot be given to root: stays this user's
    Attributes unwritable = own();
    unwritable.mode = 0555;
    return run(volume->make_folder(path_of("/unwritable"), unwritable)).has_value() &&
           publish("/photos/a", "picture", roots).has_value() && read("/photos/a").value() == "picture" &&
           run(volume->stat(path_of("/photos/a"))).value().attributes.uid == kNobody &&
           run(volume->make_folder(path_of("/f"), own())).has_value() &&
           run(volume->make_symlink(path_of("/l"), "t", roots)).has_value() &&
           run(volume->set_mtime(path_of("/photos/a"), {7, 0})).has_value() &&
           run(volume->put_aside(path_of("/photos/a"), AsideReason::stale_version, {})).has_value() &&
           run(volume->lock("walk")).has_value() && run(volume->clean_temporary()).has_value();
  });
}

TEST_P(OrdinaryUser, WhoOwnsTheTreeCanWriteAndTidyUp) {
  give_tree_to_nobody();
  as_nobody([&] {
    Attributes roots = own();
    roots.uid = 0;  // cannot be given to root: stays this user's
    roots.mode = 0444;
    bool fine = true;
    for (const char* text : {"first", "second"}) {
      const auto draft = draft_of(text);
      fine = fine &&
             run(draft->place({.path = path_of("/photos/a"), .attributes = roots, .replaces = true}))
                 .has_value() &&
             run(draft->settle({})).has_value() && read("/photos/a").value() == text;
    }
    const auto copy =
        run(volume->start_draft({.name = draft_name(), .base = path_of("/photos/a"), .base_size = 6}));
    roots.mode = 0600;
    DiskChange remove;
    remove.path = path_of("/photos/a");
    return fine && copy && read(**copy).value() == "second" && run(volume->drafts()).value().size() == 1 &&
           run(volume->set_attributes(path_of("/photos/a"), roots)).has_value() &&
           run(volume->carry_out({remove})).at(0).has_value() &&
           run(volume->trash_dates()).value().size() == 2 &&
           run(volume->restore_from_trash("1970-01-01", path_of("/photos/a"), path_of("/back")))
               .has_value() &&
           run(volume->purge_trash("1970-01-01.1", Path(), 100)).value().files == 1;
  });
}

TEST_P(OrdinaryUser, ReadsWhatOthersOwnAndIsToldWhatItMayNot) {
  fs::permissions(scratch.path(), fs::perms(0755));
  put("readable", "yes");
  put("secret", "no");
  fs::permissions(at("secret"), fs::perms(0600));
  put("closed/inner", "no");
  fs::permissions(at("closed"), fs::perms(0700));
  as_nobody([&] {
    const auto denied = [](const auto& outcome) {
      return !outcome && outcome.error().is(std::errc::permission_denied);
    };
    return read("/readable").value() == "yes" && denied(read("/secret")) &&
           denied(run(volume->list(path_of("/closed")))) &&
           denied(run(volume->stat(path_of("/closed/inner")))) &&
           run(volume->digest({path_of("/readable")}, DigestAlgorithm::md5, false)).at(0).has_value() &&
           denied(run(volume->receive(1)));
  });
}

TEST_P(OrdinaryUser, WhatRootPublishesBelongsToWhomItShould) {
  give_tree_to_nobody();
  volume = GetParam().open(root.string(), marker);
  Attributes attributes = own();
  attributes.uid = 1234;
  attributes.gid = 5678;
  ASSERT_TRUE(publish("/photos/new/a", "picture", attributes));
  const DiskEntry file = run(volume->stat(path_of("/photos/new/a"))).value();
  EXPECT_EQ(file.attributes.uid, 1234U);
  EXPECT_EQ(file.attributes.gid, 5678U);
  // Folders that a path needs belong to whom the folder above belongs, so that its owner can go on in them.
  EXPECT_EQ(run(volume->stat(path_of("/photos/new"))).value().attributes.uid, kNobody);
  EXPECT_EQ(run(volume->stat(path_of("/.geogrid/tmp"))).value().attributes.uid, kNobody);
}

INSTANTIATE_TEST_SUITE_P(All, SmallDisk, testing::ValuesIn(volume_makers()), name_of_maker);
INSTANTIATE_TEST_SUITE_P(All, OrdinaryUser, testing::ValuesIn(volume_makers()), name_of_maker);

}  // namespace
}  // namespace geogrid::test
