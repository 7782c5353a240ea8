#pragma once
// Waiting for what will happen soon, without guessing how soon.

#include <chrono>
#include <thread>

namespace geogrid::test {

/// Asks until it is true, every millisecond; false if it is not by the deadline.
template <typename Condition>
bool wait_until(Condition condition, std::chrono::milliseconds deadline = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace geogrid::test
