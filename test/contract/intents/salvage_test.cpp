// Writers that die: what they left is found, and nothing is half-counted. The writer is a process of its own,
// killed in mid-publication.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "contract/intents/owing.hpp"
#include "replication/salvager.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// What the other process is to do with a draft.
struct Writing {
  std::string root, cluster_uuid, node, uuid;
  std::uint64_t inode = 0;
  std::string path;
  std::string bytes;
  bool place = false;
};

bool write_draft(const Writing& what) {
  asio::io_context loop(1);
  LocalVolumeOptions options;
  options.root = what.root;
  options.node = what.node;
  const auto volume =
      open_local_volume(std::move(options), VolumeMarker{what.cluster_uuid, "test", what.node, what.uuid});
  DraftRequest request;
  request.name = {InodeId{what.inode}, kOther.value, 1};
  auto draft = run_to_end(loop, volume->start_draft(std::move(request)));
  if (!draft) return false;
  std::atomic<int> written{0};
  (*draft)->write(0, std::as_bytes(std::span(what.bytes)),
                  [&](const result<void>& done) { written = done ? 1 : -1; });
  while (written == 0) usleep(1000);
  if (written != 1) return false;
  // Kept for ever: it dies with the process.
  const auto* kept = new std::pair(*draft, volume);
  if (!what.place) return kept != nullptr;
  DraftPlace place;
  place.path = Path::parse(what.path).value();
  place.attributes.mtime = {1500000000, 0};
  place.replaces = true;
  return run_to_end(loop, (*draft)->place(std::move(place))).has_value();
}

// A process that was forked before this one had threads. Does one Writing, then lives until it is killed.
class Writer {
 public:
  Writer() {
    if (pipe2(to_, O_CLOEXEC) != 0 || pipe2(from_, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    child_ = fork();
    if (child_ != 0) return;
    const Writing what = receive();
    const char answer = write_draft(what) ? 'y' : 'n';
    if (::write(from_[1], &answer, 1) != 1) _exit(1);
    for (;;) pause();
  }
  ~Writer() {
    kill_it();
    for (const int end : {to_[0], to_[1], from_[0], from_[1]}) close(end);
  }
  bool carry_out(const Writing& what) {
    for (const std::string& field :
         {what.root, what.cluster_uuid, what.node, what.uuid, std::to_string(what.inode), what.path,
          what.bytes, std::string(what.place ? "1" : "0")}) {
      const std::string line = field + "\n";
      if (::write(to_[1], line.data(), line.size()) != static_cast<ssize_t>(line.size())) return false;
    }
    char answer = 'n';
    return ::read(from_[0], &answer, 1) == 1 && answer == 'y';
  }
  void kill_it() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
  }

 private:
  std::string line() {
    std::string text;
    for (char c = 0; ::read(to_[0], &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }
  Writing receive() {
    Writing what;
    what.root = line();
    what.cluster_uuid = line();
    what.node = line();
    what.uuid = line();
    what.inode = std::stoull(line());
    what.path = line();
    what.bytes = line();
    what.place = line() == "1";
    return what;
  }
  int to_[2];
  int from_[2];
  pid_t child_ = -1;
};

class Salvaging : public OwingTest {
 protected:
  void SetUp() override {
    writer_ = std::make_unique<Writer>();  // no threads before the fork
    OwingTest::SetUp();
  }
  bool write(const TestNode& node, InodeId inode, const std::string& path, const std::string& bytes,
             bool place) {
    return writer_->carry_out({node.root.string(), archive->must(archive->store->cluster()).uuid, node.name,
                               "uuid of " + node.name, inode.value, path, bytes, place});
  }
  // The writer dies, and its leases run out.
  void die() {
    writer_->kill_it();
    EXPECT_TRUE(wait_until([&] { return !archive->must(archive->store->is_alive(kOther)); }, 30s));
  }
  SalvageReport salvage(const TestNode& node) {
    SalvageOptions options;
    options.min_age = 0s;
    return archive->must(salvage_drafts(*archive->store, node.node_volume(), options, Log()));
  }
  Inode create(const std::string& name) {
    NewFile file;
    file.parent = kRootInode;
    file.name = name;
    file.owner = kOther;
    file.lease = 1s;
    return archive->must(archive->store->create_file(std::move(file))).inode;
  }
  void begin(const Inode& inode, const TestNode& node) {
    archive->must(archive->store->renew_leases(kOther, 1s));
    archive->must(archive->store->begin_publication(inode.id, kOther, NodeSet::of(node.index), 1s));
  }
  std::string lost(const std::string& path) { return "/.geogrid/lost+found/" + today() + path; }
  bool nothing_left(const TestNode& node) {
    return archive->must(node.volume->drafts()).empty() &&
           archive->must(archive->store->owed_by(node.index, IntentId{}, 10)).empty();
  }
  std::unique_ptr<Writer> writer_;
};

TEST_P(Salvaging, OfAFileThatWasNeverRecorded) {
  archive->must(archive->store->renew_leases(kOther, 1s));
  const Inode made = create("new");
  ASSERT_TRUE(write(cream(), made.id, "/new", "half a file", false));
  EXPECT_EQ(salvage(cream()).salvaged, 0U);  // it is alive
  die();
  std::vector<Inode> gone;
  EXPECT_TRUE(wait_until(
      [&] {
        gone = archive->must(archive->store->expire_leases(10));
        return !gone.empty();
      },
      30s));
  EXPECT_TRUE(drain(cream()));
  EXPECT_TRUE(drain(jam()));
  EXPECT_EQ(archive->content(cream(), lost("/new")), "half a file");
  EXPECT_FALSE(archive->known("/new"));
  EXPECT_TRUE(nothing_left(cream()));
}

TEST_P(Salvaging, OfAFileThatTookItsPathAndWasNeverRecorded) {
  archive->must(archive->store->renew_leases(kOther, 1s));
  const Inode made = create("new");
  ASSERT_TRUE(write(cream(), made.id, "/new", "a whole file", true));
  EXPECT_TRUE(archive->exists(cream(), "/new"));
  archive->walk(cream());  // never registered half-written
  EXPECT_EQ(archive->at("/new").state, ContentState::pending);
  die();
  EXPECT_TRUE(wait_until([&] { return !archive->must(archive->store->expire_leases(10)).empty(); }, 30s));
  EXPECT_TRUE(drain(cream()));
  EXPECT_EQ(archive->content(cream(), lost("/new")), "a whole file");
  EXPECT_FALSE(archive->exists(cream(), "/new"));
  EXPECT_TRUE(nothing_left(cream()));
}

TEST_P(Salvaging, ADraftOfAFileWhoseCopyCountsLeavesItAlone) {
  const Inode file = put("/a", "recorded");
  archive->must(archive->store->renew_leases(kOther, 1s));
  ASSERT_TRUE(write(cream(), file.id, "/a", "being written", false));
  die();
  EXPECT_EQ(salvage(cream()).salvaged, 1U);
  EXPECT_EQ(archive->content(cream(), "/a"), "recorded");
  EXPECT_EQ(archive->content(cream(), lost("/a")), "being written");
  archive->expect_sound();
}

TEST_P(Salvaging, DeathBeforeTheDraftTookThePathCountsTheOldCopyAgain) {
  const Inode file = put("/a", "recorded");
  begin(file, cream());
  ASSERT_TRUE(write(cream(), file.id, "/a", "being written", false));
  EXPECT_FALSE(archive->at("/a").replicas.contains(cream().index));
  die();
  archive->must(archive->store->expire_leases(10));
  const SalvageReport report = salvage(cream());
  EXPECT_EQ(report.salvaged, 1U);
  EXPECT_EQ(report.claimed, 1U);
  EXPECT_TRUE(archive->at("/a").replicas.contains(cream().index));
  EXPECT_EQ(archive->content(cream(), lost("/a")), "being written");
  archive->expect_sound();
}

TEST_P(Salvaging, DeathBetweenThePathAndTheRecordBringsTheRecordedBytesBack) {
  const Inode file = put("/a", "recorded");
  begin(file, cream());
  ASSERT_TRUE(write(cream(), file.id, "/a", "never recorded", true));
  EXPECT_EQ(archive->content(cream(), "/a"), "never recorded");
  const WalkReport walked = archive->walk(cream());  // says nothing of it
  EXPECT_EQ(walked.withdrawn(), 0U);
  EXPECT_EQ(walked.claimed, 0U);
  die();
  archive->must(archive->store->expire_leases(10));
  const SalvageReport report = salvage(cream());
  EXPECT_EQ(report.salvaged, 1U);
  EXPECT_EQ(report.claimed, 1U);
  EXPECT_EQ(archive->content(cream(), "/a"), "recorded");
  EXPECT_EQ(archive->content(cream(), lost("/a")), "never recorded");
  archive->expect_sound();
}

TEST_P(Salvaging, DraftsOfFilesThatAreGoneGoByTheirNumber) {
  archive->must(archive->store->renew_leases(kOther, 1s));
  ASSERT_TRUE(write(cream(), InodeId{4711}, "/a", "whose?", false));
  die();
  EXPECT_EQ(salvage(cream()).salvaged, 1U);
  EXPECT_EQ(archive->content(cream(), lost("/#4711")), "whose?");
}

INSTANTIATE_TEST_SUITE_P(Stores, Salvaging, testing::ValuesIn(archive_backends()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace geogrid::test
