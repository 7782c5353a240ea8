#pragma once
// A program that a test runs beside itself.

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace geogrid::test {

/// Killed (SIGKILL) by the destructor, and by the kernel if the thread that started it ends first, however it
/// ends.
class ChildProcess {
 public:
  /// `output` takes what it prints, appended. Throws if it cannot be started.
  ChildProcess(const std::vector<std::string>& command, const std::string& output);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Its wait status (waitpid(2)) once it has ended.
  std::optional<int> ended();
  /// Waits; kills it if it has not ended by the deadline. Returns its wait status.
  int wait(std::chrono::milliseconds deadline);

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace geogrid::test
