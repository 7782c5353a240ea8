#pragma once
// Coroutines that live and end together: the roles of a process, and what serves them.

#include <memory>
#include <string>

#include "async/task.hpp"

namespace geogrid {

/// Used from one loop. Runs on until its last coroutine has ended, also when this object is gone.
class ServiceGroup {
 public:
  explicit ServiceGroup(asio::any_io_executor executor);
  ~ServiceGroup();
  ServiceGroup(const ServiceGroup&) = delete;
  ServiceGroup& operator=(const ServiceGroup&) = delete;

  /// Starts `work`. When it ends with an error, or throws, all others are cancelled; `name` goes before the
  /// error's text.
  void spawn(std::string name, task<result<void>> work);
  /// Asks all that run to end (Asio's terminal cancellation). Ending that way is no error.
  void cancel();
  /// Waits until all have ended. The first error, if there was one.
  task<result<void>> wait();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace geogrid
