// Several threads on both mounts at once, in a small name space: no model can say what comes of it, but much
// must hold.

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "cluster_world.hpp"
#include "settings.hpp"

namespace geogrid::test {
namespace {

constexpr int kThreads = 4;  // two a mount
constexpr int kFolders = 4;
constexpr int kShared = 3;
constexpr std::size_t kContests = 4000;

/// A content that says which it is: whole or recognisably not.
std::string content_number(std::uint64_t number) {
  const std::string body = bytes_of(number, number * 7919 % 30'000);
  return fmt::format("{:020}", number) + body;
}
bool is_whole(const std::string& bytes) {
  return bytes.size() >= 20 && content_number(std::stoull(bytes.substr(0, 20))) == bytes;
}

/// What the threads found out; each has its own, put together at the end.
struct Record {
  std::map<std::string, std::uint64_t>
      kept;                        ///< closed and not removed: the name of the file, its content's number
  std::set<std::string> doubtful;  ///< whose removal was under way when something failed
  std::vector<std::string> problems;
  std::size_t operations = 0;
};

class Hammer {
 public:
  Hammer(std::string root, int thread, std::uint64_t seed, std::array<std::atomic<int>, kContests>& contests)
      : root_(std::move(root)), thread_(thread), random_(seed), contests_(contests) {}

  Record run(std::chrono::steady_clock::time_point deadline) {
    while (std::chrono::steady_clock::now() < deadline && record_.problems.size() < 5) {
      ++record_.operations;
      switch (below(10)) {
        case 0:
        case 1:
        case 2:
          make_own();
          break;
        case 3:
        case 4:
          move_folder();
          break;
        case 5:
          replace_shared();
          break;
        case 6:
          overwrite_shared();
          break;
        case 7:
          remove_something();
          break;
        case 8:
          contend();
          break;
        default:
          look();
      }
    }
    return std::move(record_);
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::string at(const std::string& path) const { return root_ + "/" + path; }
  /// Where a folder may lie just now: at the top, or in another one.
  std::string folder() {
    const std::string top = fmt::format("k{}", below(kFolders));
    return below(3) == 0 ? top + fmt::format("/k{}", below(kFolders)) : top;
  }
  std::uint64_t next_number() { return ++count_ * kThreads + static_cast<std::uint64_t>(thread_); }

  /// Notes an errno that no race explains.
  bool fine(const std::string& what, int error) {
    for (const int expected : {0, ENOENT, EEXIST, ENOTEMPTY, EINVAL, ENOTDIR, EISDIR})
      if (error == expected) return true;
    record_.problems.push_back(fmt::format("{}: {}", what, ::strerror(error)));
    return false;
  }

  /// 0 or an errno. Once it is open, nothing may fail.
  int write_file(const std::string& path, int flags, std::uint64_t number) {
    const int fd = ::open(at(path).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    if (fd < 0) return errno;
    const std::string bytes = content_number(number);
    std::size_t done = 0;
    while (done < bytes.size()) {
      const std::size_t part = std::min<std::size_t>(bytes.size() - done, 1 + below(20'000));
      const ssize_t n = ::write(fd, bytes.data() + done, part);
      if (n < 0) {
        record_.problems.push_back(fmt::format("writing {}: {}", path, ::strerror(errno)));
        break;
      }
      done += static_cast<std::size_t>(n);
    }
    if (::close(fd) != 0) record_.problems.push_back(fmt::format("closing {}: {}", path, ::strerror(errno)));
    return 0;
  }

  /// A file whose name nobody else uses, in a folder that may move meanwhile.
  void make_own() {
    const std::uint64_t number = next_number();
    const std::string name = fmt::format("own{}", number);
    const std::string path = folder() + "/" + name;
    const int error = write_file(path, O_EXCL, number);
    if (error == 0) {
      record_.kept[name] = number;
      mine_.emplace_back(path, name);
    } else {
      fine("creating " + path, error);
      if (error == EEXIST)
        record_.problems.push_back(path + " is there already, and only one thread uses that name");
    }
  }

  void move_folder() {
    static constexpr unsigned kFlags[] = {0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
    const std::string from = folder(), to = folder();
    const unsigned flags = kFlags[below(4)];
    const int moved = ::renameat2(AT_FDCWD, at(from).c_str(), AT_FDCWD, at(to).c_str(), flags);
    const int error = moved == 0 ? 0 : errno;
    // The kernel's own word where it learns in the middle of a rename that a folder lies elsewhere
    // (d_splice_alias): it cannot take the lock that it holds.
    if (error != ESTALE) fine(fmt::format("renaming {} to {} ({})", from, to, flags), error);
  }

  /// As careful programs write: a new file, renamed over the old one.
  void replace_shared() {
    const std::uint64_t number = next_number();
    const std::string draft = fmt::format("shared/new{}", thread_);
    const std::string path = fmt::format("shared/s{}", below(kShared));
    if (!fine("creating " + draft, write_file(draft, O_TRUNC, number))) return;
    const int moved = ::rename(at(draft).c_str(), at(path).c_str());
    fine("renaming over " + path, moved == 0 ? 0 : errno);
  }

  /// One writer a mount, since writers on one mount share what they write, as anywhere.
  void overwrite_shared() {
    if (thread_ >= 2) return look();
    const std::string path = fmt::format("shared/w{}", below(kShared));
    fine("overwriting " + path, write_file(path, O_TRUNC, next_number()));
  }

  void remove_something() {
    if (below(2) == 0) {
      const std::string path = fmt::format("shared/s{}", below(kShared));
      fine("removing " + path, ::unlink(at(path).c_str()) == 0 ? 0 : errno);
    } else if (!mine_.empty()) {
      const auto [path, name] = mine_[below(mine_.size())];
      if (record_.kept.count(name) == 0) return;
      const int removed = ::unlink(at(path).c_str()) == 0 ? 0 : errno;
      if (fine("removing " + path, removed) && removed == 0) record_.kept.erase(name);
      if (removed != 0 && removed != ENOENT) record_.doubtful.insert(name);
    }
  }

  /// All threads go through the same names.
  void contend() {
    const std::size_t round = contest_++;
    if (round >= kContests) return;
    const std::string path = fmt::format("contest/c{}", round);
    const int error = write_file(path, O_EXCL, next_number());
    if (error == 0) ++contests_[round];
    if (error != 0 && error != EEXIST) fine("contending for " + path, error == ENOENT ? EIO : error);
  }

  void look() {
    const std::string path = below(2) == 0 ? folder() : "shared";
    const Hand hand(root_);
    const Outcome names = hand.list(path);
    fine("listing " + path, names.error);
    if (names.names.empty()) return;
    const std::string& name = names.names[below(names.names.size())];
    if (name[0] == '-')
      fine("reading " + path + "/" + name.substr(1), hand.read_whole(path + "/" + name.substr(1)).error);
  }

  const std::string root_;
  const int thread_;
  std::mt19937_64 random_;
  std::array<std::atomic<int>, kContests>& contests_;
  std::size_t contest_ = 0;
  std::uint64_t count_ = 0;
  std::vector<std::pair<std::string, std::string>> mine_;
  Record record_;
};

class Stress : public testing::TestWithParam<bool> {
 public:
  static std::string name(const testing::TestParamInfo<bool>& info) {
    return info.param ? "mariadb" : "sqlite";
  }

 protected:
  void prepare() {
    for (const char* name : {"shared", "contest"})
      ASSERT_EQ(::mkdir((world_.mount(0) + "/" + name).c_str(), 0755), 0);
    for (int i = 0; i < kFolders; ++i)
      ASSERT_EQ(::mkdir(fmt::format("{}/k{}", world_.mount(0), i).c_str(), 0755), 0);
    const auto seen = [&]() -> std::optional<std::string> {
      if (Hand(world_.mount(1)).list("").names.size() == kFolders + 2) return std::nullopt;
      return "mount 1 does not show the new folders";
    };
    const auto wrong = world_.settle(seen, std::chrono::seconds(3));
    ASSERT_FALSE(wrong) << *wrong;
  }

  /// Every name below a mount, with its attributes and content.
  std::map<std::string, std::pair<Seen, std::string>> everything(int mount) const {
    const Hand hand(world_.mount(mount));
    std::map<std::string, std::pair<Seen, std::string>> found;
    std::vector<std::string> folders{""};
    while (!folders.empty()) {
      const std::string folder = folders.back();
      folders.pop_back();
      for (const std::string& name : hand.list(folder).names) {
        const std::string path = (folder.empty() ? "" : folder + "/") + name.substr(1);
        if (name[0] == 'd') folders.push_back(path);
        found[path] = {hand.look(path).value_or(Seen{}), name[0] == '-' ? hand.read_whole(path).bytes : ""};
      }
    }
    return found;
  }

  std::optional<std::string> mounts_differ() const {
    const auto one = everything(0), other = everything(1);
    for (const auto& [path, entry] : one) {
      const auto twin = other.find(path);
      if (twin == other.end()) return path + " is not on mount 1";
      if (twin->second != entry)
        return fmt::format("{}: {} and {} bytes; {} and {} bytes", path, entry.first.str(),
                           entry.second.size(), twin->second.first.str(), twin->second.second.size());
    }
    if (one.size() != other.size()) return "mount 1 has more names";
    return std::nullopt;
  }

  void expect_all_whole(const std::map<std::string, std::uint64_t>& kept,
                        const std::set<std::string>& doubtful) const {
    std::map<std::string, int> seen;
    for (const auto& [path, entry] : everything(0)) {
      if (!entry.first.is_file()) continue;
      EXPECT_TRUE(is_whole(entry.second))
          << path << ": " << entry.second.size() << " bytes that nobody wrote";
      const std::string name = path.substr(path.rfind('/') + 1);
      if (name.compare(0, 3, "own") != 0) continue;
      ++seen[name];
      const auto wanted = kept.find(name);
      if (wanted == kept.end())
        EXPECT_TRUE(doubtful.count(name)) << path << " was removed, or never closed";
      else
        EXPECT_EQ(entry.second, content_number(wanted->second)) << path;
    }
    for (const auto& [name, number] : kept) EXPECT_EQ(seen[name], 1) << name << " is lost, or there twice";
  }

  ClusterWorld world_{ClusterWorld::Options{GetParam(), std::chrono::seconds(60)}};
};

TEST_P(Stress, LosesNothingAndEndsInAgreement) {
  // Folder renames, writes and removals of four threads at once do not come to rest reliably yet
  // (CONTRIBUTING.md).
  if (!settings().stress) GTEST_SKIP() << "GEOGRID_MODEL_STRESS=1 runs it";
  ASSERT_NO_FATAL_FAILURE(prepare());
  const std::uint64_t seed = settings().seed.value_or(std::random_device{}());
  const auto deadline = std::chrono::steady_clock::now() + settings().duration;
  static std::array<std::atomic<int>, kContests> contests;
  for (auto& contest : contests) contest = 0;
  std::array<Record, kThreads> records;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      records[static_cast<std::size_t>(i)] =
          Hammer(world_.mount(i % 2), i, seed + static_cast<std::uint64_t>(i), contests).run(deadline);
    });
  for (std::thread& thread : threads) thread.join();

  std::map<std::string, std::uint64_t> kept;
  std::set<std::string> doubtful;
  std::size_t operations = 0;
  for (Record& record : records) {
    kept.merge(record.kept);
    doubtful.merge(record.doubtful);
    operations += record.operations;
    for (const std::string& problem : record.problems) ADD_FAILURE() << problem;
  }
  std::cerr << "seed " << seed << ": " << operations << " operations, " << kept.size() << " files kept\n";

  const auto look = [&]() -> std::optional<std::string> {
    if (auto busy = world_.inspector().busy()) return busy;
    if (auto wrong = mounts_differ()) return wrong;
    if (auto wrong = world_.inspector().disks(false)) return wrong;
    return world_.inspector().findings();
  };
  if (const auto wrong = world_.settle(look, std::chrono::seconds(90))) ADD_FAILURE() << *wrong;
  expect_all_whole(kept, doubtful);
  const Outcome won = Hand(world_.mount(1)).list("contest");
  std::size_t winners = 0;
  for (std::size_t round = 0; round < kContests; ++round) {
    EXPECT_LE(contests[round], 1) << "contest " << round << " was won more than once";
    winners += static_cast<std::size_t>(contests[round]);
  }
  EXPECT_EQ(won.names.size(), winners);
  if (const auto wrong = world_.trouble()) ADD_FAILURE() << *wrong;
  if (const auto wrong = world_.finish()) ADD_FAILURE() << *wrong;
  if (HasFailure()) std::cerr << world_.cluster().logs(20'000) << std::endl;
}

INSTANTIATE_TEST_SUITE_P(Stores, Stress, testing::Bool(), Stress::name);

}  // namespace
}  // namespace geogrid::test
