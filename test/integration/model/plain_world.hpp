#pragma once
// Two mounts that are one ordinary directory: what the test itself is tested with.

#include <functional>

#include "support/scratch.hpp"
#include "world.hpp"

namespace geogrid::test {

class PlainWorld : public World {
 public:
  /// `bug` may change an operation before it is done through a mount.
  using Bug = std::function<Operation(Operation)>;
  explicit PlainWorld(Bug bug = {});

  std::string mount(int) const override { return scratch_.file("mounts"); }
  std::string plain() const override { return scratch_.file("plain"); }
  bool close_to_open() const override { return false; }
  std::chrono::milliseconds patience() const override { return std::chrono::milliseconds(50); }
  Outcome perform(Hand& hand, const Operation& op) override;

 private:
  Scratch scratch_{"model"};
  Bug bug_;
};

}  // namespace geogrid::test
