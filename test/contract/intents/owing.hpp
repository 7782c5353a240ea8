#pragma once
// An archive of two nodes whose names are changed as a client changes them.

#include "contract/replication/archive.hpp"
#include "intents/intent_runner.hpp"
#include "support/wait.hpp"

namespace geogrid::test {

inline constexpr LeaseOwner kMe{11};
inline constexpr LeaseOwner kOther{22};

class OwingTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    archive->add_node("cream");
    archive->add_node("jam");
    runner = make_runner(*archive->store, kMe);
  }
  void TearDown() override {
    if (runner) runner->close();
    runner.reset();
    ArchiveTest::TearDown();
  }

  std::shared_ptr<IntentRunner> make_runner(MetadataStore& store, LeaseOwner owner) {
    return std::make_shared<IntentRunner>(archive->loop.get_executor(), store, archive->volumes(), owner,
                                          Log());
  }
  const TestNode& cream() { return archive->node("cream"); }
  const TestNode& jam() { return archive->node("jam"); }

  /// The same file on both nodes, counted.
  Inode put(const std::string& path, const std::string& content) {
    archive->put(cream(), path, content);
    archive->put(jam(), path, content);
    // On MariaDB a removal of the name is taken to be young for some seconds.
    EXPECT_TRUE(wait_until([&] {
      archive->walk(cream());
      archive->walk(jam());
      return archive->known(path) && archive->at(path).replicas.size() == 2;
    }));
    return archive->at(path);
  }
  Timestamp now() const { return system_clock().wall(); }
  std::string today() const { return now().str().substr(0, 10); }
  InodeId folder(const std::string& path) { return archive->at(path).id; }

  Removed unlink(const std::string& path, LeaseOwner by = kMe) {
    const Path at = path_of(path);
    return archive->must(
        archive->store->unlink(archive->at(at.parent().str()).id, std::string(at.filename()), now(), by));
  }
  Renamed rename(const std::string& from, const std::string& to, RenameMode mode = RenameMode::replace,
                 LeaseOwner by = kMe) {
    const Path a = path_of(from), b = path_of(to);
    return archive->must(archive->store->rename(archive->at(a.parent().str()).id, std::string(a.filename()),
                                                archive->at(b.parent().str()).id, std::string(b.filename()),
                                                mode, now(), by, true));
  }
  bool drain(const TestNode& node) { return archive->must(runner->drain(node.index)); }
  std::size_t owed(const TestNode& node) {
    return archive->must(archive->store->owed_by(node.index, IntentId{}, 1000)).size();
  }
  void finish(const std::shared_ptr<IntentRunner>& one) { archive->run(finished(one)); }
  static task<bool> finished(std::shared_ptr<IntentRunner> one) {
    co_await one->finish(std::chrono::seconds(30));
    co_return true;
  }
  std::string in_trash(const std::string& path) { return "/.geogrid/trash/" + today() + path; }

  std::shared_ptr<IntentRunner> runner;
};

}  // namespace geogrid::test
