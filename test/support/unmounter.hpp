#pragma once
// Takes the tests' mounts away even when the test program dies.

#include <sys/types.h>

#include <string>

namespace geogrid::test {

/// A process beside this one that waits for its end, however it comes, and then unmounts (lazily) whatever is
/// mounted below the folders it was told of. Starts before the first thread.
class Unmounter {
 public:
  Unmounter();
  ~Unmounter();
  Unmounter(const Unmounter&) = delete;
  Unmounter& operator=(const Unmounter&) = delete;

  void watch(const std::string& folder);

 private:
  pid_t child_ = -1;
  int pipe_ = -1;
};

/// Unmounts, lazily, everything mounted below `folder`.
void unmount_below(const std::string& folder);

/// The one of this program.
Unmounter& unmounter();

}  // namespace geogrid::test
