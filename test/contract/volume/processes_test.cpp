// Several processes on one volume.

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract/volume/volume_contract.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;

// Another process that has the volume open, runs `body`, says so, and lives until it is killed.
class OtherProcess {
 public:
  template <typename Body>
  explicit OtherProcess(Body body) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    child_ = fork();
    if (child_ == 0) {
      const bool done = body();
      const char answer = done ? 'y' : 'n';
      if (write(ends[1], &answer, 1) != 1) _exit(1);
      for (;;) pause();
    }
    char answer = 'n';
    if (::read(ends[0], &answer, 1) == 1) ready_ = answer == 'y';
    close(ends[0]);
    close(ends[1]);
  }
  ~OtherProcess() { kill_it(); }
  bool ready() const { return ready_; }
  void kill_it() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
  }

 private:
  pid_t child_ = -1;
  bool ready_ = false;
};

class Processes : public VolumeContract {
 protected:
  void SetUp() override {
    VolumeContract::SetUp();
    volume.reset();  // no threads before the fork
  }
  void open_here() { volume = GetParam().open(root.string(), marker); }
};

TEST_P(Processes, ALockIsHeldByOneUntilItDies) {
  std::shared_ptr<void> held;
  OtherProcess other([&] {
    open_here();
    auto lock = run(volume->lock("walk"));
    if (lock) held = *lock;
    return lock.has_value();
  });
  ASSERT_TRUE(other.ready());
  open_here();
  EXPECT_TRUE(run(volume->lock("walk")).error().is(errc::busy));
  EXPECT_TRUE(run(volume->lock("scrub"))) << "another name is another lock";
  other.kill_it();
  EXPECT_TRUE(run(volume->lock("walk")));
}

TEST_P(Processes, ALockIsFreeOnceItIsGivenBack) {
  open_here();
  for (int i = 0; i < 20; ++i) {
    const auto lock = run(volume->lock("walk"));
    ASSERT_TRUE(lock) << i;
    EXPECT_TRUE(run(volume->lock("walk")).error().is(errc::busy)) << "not twice in one process either";
  }
  EXPECT_TRUE(run(volume->lock("a/b")).error().is(errc::invalid_argument));
  EXPECT_TRUE(run(volume->lock("..")).error().is(errc::invalid_argument));
}

TEST_P(Processes, OnlyTheFilesOfDeadWritersAreCleaned) {
  std::vector<std::shared_ptr<IncomingFile>> theirs;
  OtherProcess other([&] {
    open_here();
    theirs = {receive("one"), receive("two")};
    return true;
  });
  ASSERT_TRUE(other.ready());
  open_here();
  const auto mine = receive("mine");
  put(".geogrid/tmp/folder/file", "not of our making");
  EXPECT_EQ(temporaries().size(), 4U);
  EXPECT_EQ(run(volume->clean_temporary()).value(), 0U);
  EXPECT_EQ(temporaries().size(), 4U);
  other.kill_it();
  EXPECT_EQ(run(volume->clean_temporary()).value(), 2U);
  EXPECT_EQ(temporaries().size(), 2U);
  EXPECT_EQ(run(volume->publish({{.file = mine, .path = path_of("/a"), .attributes = own()}})).at(0).value(),
            PublishOutcome::published);
  EXPECT_EQ(content("a"), "mine");
}

TEST_P(Processes, ADroppedFileIsRemoved) {
  open_here();
  { const auto dropped = receive("unwanted"); }
  EXPECT_TRUE(wait_until([&] { return temporaries().empty(); }));
}

// One process cleans as fast as it can while this one publishes: nothing that lives is ever taken.
TEST_P(Processes, CleaningNeverTakesALivingFile) {
  OtherProcess cleaner([&] {
    if (fork() != 0) return true;
    open_here();
    for (int i = 0; i < 400 && getppid() != 1; ++i)
      if (!run(volume->clean_temporary())) _exit(1);
    _exit(0);
  });
  ASSERT_TRUE(cleaner.ready());
  open_here();
  for (int i = 0; i < 100; ++i) {
    const auto outcome = publish(fmt::format("/p/{}", i), "x");
    ASSERT_TRUE(outcome) << outcome.error().message;
    ASSERT_EQ(*outcome, PublishOutcome::published);
  }
}

TEST_P(Processes, ADraftIsInUseAsLongAsItsProcessLives) {
  std::shared_ptr<Draft> theirs;
  OtherProcess other([&] {
    open_here();
    theirs = draft_of("half of it");
    return true;
  });
  ASSERT_TRUE(other.ready());
  open_here();
  // Two that look at once do not mislead each other.
  OtherProcess prober([&] {
    if (fork() != 0) return true;
    open_here();
    for (int i = 0; i < 300 && getppid() != 1; ++i)
      if (!run(volume->drafts())) _exit(1);
    _exit(0);
  });
  ASSERT_TRUE(prober.ready());
  for (int i = 0; i < 100; ++i) {
    const auto found = run(volume->drafts()).value();
    ASSERT_EQ(found.size(), 1U);
    ASSERT_TRUE(found[0].in_use) << i;
  }
  EXPECT_TRUE(run(volume->clean_temporary()));  // perhaps of what the prober asks the time with
  other.kill_it();
  EXPECT_TRUE(wait_until([&] { return !run(volume->drafts()).value().at(0).in_use; }));
  EXPECT_TRUE(run(volume->clean_temporary()));  // perhaps of what the prober asks the time with
  const DraftFound left = run(volume->drafts()).value().at(0);
  EXPECT_EQ(left.size, 10U);
  EXPECT_TRUE(run(volume->salvage(left.name, path_of("/a"), {})));
}

// One process looks for drafts as fast as it can while this one makes them.
TEST_P(Processes, ADraftBeingMadeIsNeverTakenForAbandoned) {
  OtherProcess prober([&] {
    if (fork() != 0) return true;
    open_here();
    for (int i = 0; i < 2000 && getppid() != 1; ++i) {
      const auto found = run(volume->drafts());
      if (!found) _exit(1);
      for (const DraftFound& draft : *found)
        if (!draft.in_use && draft.name.owner == 99) put("misjudged", "x");
    }
    _exit(0);
  });
  ASSERT_TRUE(prober.ready());
  open_here();
  for (int i = 0; i < 200; ++i) {
    const auto draft = draft_of("x");
    ASSERT_TRUE(place(*draft, fmt::format("/p/{}", i)));
  }
  EXPECT_FALSE(exists("misjudged"));
}

INSTANTIATE_TEST_SUITE_P(All, Processes, testing::ValuesIn(volume_makers()), name_of_maker);

}  // namespace
}  // namespace geogrid::test
