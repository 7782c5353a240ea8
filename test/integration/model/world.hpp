#pragma once
// Where the operations are done: two mounts, and what stands behind them.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hand.hpp"
#include "model.hpp"

namespace geogrid::test {

class World;

/// Something that breaks. Its operation is OpKind::fault with its name.
class Fault {
 public:
  virtual ~Fault() = default;
  virtual std::string name() const = 0;
  /// Breaks it, and makes `model` what it has to be afterwards. `hands` are the two mounts' sides.
  virtual void strike(World& world, Model& model, Hand (&hands)[2]) = 0;
};

/// A fresh one for each run, so that a run can be repeated.
class World {
 public:
  virtual ~World() = default;
  /// The folder of mount 0 or 1: empty in the beginning.
  virtual std::string mount(int number) const = 0;
  /// An empty folder on an ordinary filesystem, for the model.
  virtual std::string plain() const = 0;
  /// Whether one mount sees what is written through the other only when it is closed.
  virtual bool close_to_open() const { return true; }
  /// How soon one mount shows what was done through the other.
  virtual std::chrono::milliseconds patience() const { return std::chrono::seconds(3); }
  /// Does the operation through one of the mounts.
  virtual Outcome perform(Hand& hand, const Operation& op) { return hand.perform(op); }
  /// At rest: waits until nothing is left to be done, then looks at what lies behind the mounts. Says what is
  /// wrong. `discarded` is what should be found in the trash.
  virtual std::optional<std::string> inspect(const Model&, const std::vector<Discarded>&) {
    return std::nullopt;
  }
  /// Ends it in good order. Says what is wrong.
  virtual std::optional<std::string> finish() { return std::nullopt; }
  /// Whether all that should run still does; else what happened.
  virtual std::optional<std::string> trouble() { return std::nullopt; }
  /// What this world can suffer; by name. Null: not known here.
  virtual Fault* fault(const std::string&) { return nullptr; }
  /// What helps to find out why a test failed.
  virtual std::string logs() const { return {}; }
};
using MakeWorld = std::function<std::unique_ptr<World>()>;

}  // namespace geogrid::test
