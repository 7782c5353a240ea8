#pragma once
// Does operations to the model and to a world, and compares.

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "model.hpp"
#include "world.hpp"

namespace geogrid::test {

struct RunStatistics {
  std::size_t operations = 0, rests = 0, waits = 0;
  std::chrono::milliseconds longest_wait{0};  ///< until one mount showed what was done through the other
  void add(const RunStatistics& other);
  std::string str() const;
};

/// For one thread: all operations come one after the other, through whichever mount.
class Runner {
 public:
  explicit Runner(World& world);

  const Model& model() const { return model_; }
  const RunStatistics& statistics() const { return statistics_; }
  /// What is wrong; nullopt if all is as it should be. Operations that the model does not admit are left out.
  std::optional<std::string> step(const Operation& op);

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<std::string> plain_step(const Operation& op);
  std::optional<std::string> follow(int mount);
  std::optional<std::string> rest();
  std::optional<std::string> close_all();
  bool may_wait(int mount) const { return Clock::now() < news_.at(static_cast<std::size_t>(mount)); }

  World& world_;
  Model model_;
  Hand hands_[2];
  /// Until when a mount may still show what was before the other mount's last change.
  std::array<Clock::time_point, 2> news_{};
  std::array<bool, 2> follows_{true, true};
  RunStatistics statistics_;
};

/// A run of a given list in a fresh world: what was wrong, and after how many operations.
struct Failure {
  std::size_t at = 0;  ///< index of the operation
  std::string text;
  std::string logs;
};
std::optional<Failure> run(const MakeWorld& make, const Operations& operations);

/// A shorter list that fails too, at an operation of the same kind, found by leaving out parts (delta
/// debugging) until the deadline or until no single operation can be left out.
Operations shrink(const MakeWorld& make, Operations failing, std::chrono::steady_clock::time_point deadline);

}  // namespace geogrid::test
