#pragma once
// Where the tests of POSIX run: on mounts, and on an ordinary folder, which proves that a test asks for
// nothing that the system does not do.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "support/cluster.hpp"
#include "support/scratch.hpp"

namespace geogrid::test {

enum class PlaceKind {
  plain,           ///< a folder of this machine, under $TMPDIR
  client,          ///< a mount; nobody replicates
  client_storage,  ///< a mount in one process with a storage node, a second node beside it
};

/// A folder in which everything may be done, and what keeps it.
class Place {
 public:
  explicit Place(PlaceKind kind);
  ~Place();

  /// Unmounts and looks at the disks (at_rest.hpp); adds test failures.
  void check_at_rest();
  std::string folder() const;
  bool is_mount() const { return archive_ != nullptr; }
  /// Only of mounts.
  Cluster& archive() { return *archive_; }

 private:
  const PlaceKind kind_;
  std::unique_ptr<Scratch> scratch_;
  std::unique_ptr<Cluster> archive_;
};

/// A test of POSIX, in a folder of its own in a place that lasts as long as the test suite.
class Posix : public testing::TestWithParam<PlaceKind> {
 protected:
  static void TearDownTestSuite();
  void SetUp() override;

  Place& place();
  bool on_mount() { return place().is_mount(); }
  /// The test's own folder, and something in it.
  const std::string& folder() const { return folder_; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

std::string name_of_place(const testing::TestParamInfo<PlaceKind>& info);

#define GEOGRID_EVERYWHERE(suite)                                                                           \
  INSTANTIATE_TEST_SUITE_P(Places, suite,                                                                   \
                           testing::Values(PlaceKind::plain, PlaceKind::client, PlaceKind::client_storage), \
                           name_of_place)

// ---- what tests do with paths ----

constexpr uid_t kAlice = 2001, kBob = 2002;

/// The errno of a call that returned -1; 0 of one that did not.
int errno_of(long returned);
/// Of an open(2), which is closed again.
int open_errno(const std::string& path, int flags, mode_t mode = 0644);
/// Throws where it cannot be opened.
UniqueFd open_file(const std::string& path, int flags, mode_t mode = 0644);
std::string get(const std::string& path);
/// Creates or replaces it, in pieces.
void put(const std::string& path, const std::string& content, mode_t mode = 0644);
/// All of it from the beginning, by pread(2).
std::string get(const UniqueFd& file);
/// Writes all of it where the descriptor stands; throws where that fails.
void say(const UniqueFd& file, const std::string& content);
std::string content_for(const std::string& name, std::size_t size);
struct stat stat_of(const std::string& path);  ///< lstat(2); throws
struct stat stat_of(const UniqueFd& file);
bool exists(const std::string& path);
std::vector<std::string> names_in_folder(const std::string& folder);  ///< sorted
void make_folder(const std::string& path, mode_t mode = 0755);        ///< whatever the umask is
/// In a child process: its exit code, 0..97. The function must not touch the test's state.
int in_child(const std::function<int()>& what);
/// The same as another user, who is in no other group.
int as_user(uid_t user, const std::function<int()>& what);
double seconds_of(const struct timespec& time);

}  // namespace geogrid::test
