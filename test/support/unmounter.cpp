#include "support/unmounter.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <mntent.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <system_error>
#include <vector>

namespace geogrid::test {
namespace {

[[noreturn]] void wait_and_clean(int pipe) {
  std::string told;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(pipe, buffer, sizeof buffer)) > 0;)
    told.append(buffer, static_cast<std::size_t>(got));
  std::istringstream folders(told);
  for (std::string folder; std::getline(folders, folder);) unmount_below(folder);
  ::_exit(0);
}

class Environment : public testing::Environment {
 public:
  void SetUp() override { unmounter(); }
};
[[maybe_unused]] const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new Environment);

}  // namespace

Unmounter::Unmounter() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  child_ = ::fork();
  if (child_ == 0) {
    ::close(ends[1]);
    ::setsid();  // a signal for the test program's group is not for this
    wait_and_clean(ends[0]);
  }
  ::close(ends[0]);
  pipe_ = ends[1];
}

Unmounter::~Unmounter() {
  ::close(pipe_);
  ::waitpid(child_, nullptr, 0);
}

void Unmounter::watch(const std::string& folder) {
  const std::string line = folder + "\n";
  if (::write(pipe_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw std::system_error(errno, std::generic_category(), "telling the unmounter");
}

void unmount_below(const std::string& folder) {
  std::vector<std::string> mounted;
  FILE* const table = ::setmntent("/proc/self/mounts", "r");
  if (!table) throw std::system_error(errno, std::generic_category(), "reading /proc/self/mounts");
  while (const mntent* entry = ::getmntent(table)) mounted.emplace_back(entry->mnt_dir);
  ::endmntent(table);
  // The youngest first: mounts lie on mounts.
  for (auto at = mounted.rbegin(); at != mounted.rend(); ++at)
    if (at->rfind(folder + "/", 0) == 0) ::umount2(at->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
}

Unmounter& unmounter() {
  static Unmounter instance;
  return instance;
}

}  // namespace geogrid::test
