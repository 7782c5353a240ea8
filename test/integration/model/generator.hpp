#pragma once
// Random operations on a small tree, so that they meet each other.

#include <random>
#include <string>
#include <vector>

#include "model.hpp"
#include "operation.hpp"

namespace geogrid::test {

/// All names there are; of the classes that class_for() tells apart, and of bytes that some programs would
/// trip over.
extern const std::vector<std::string> kNames;

struct GeneratorOptions {
  int rest_every = 40;
  std::vector<std::string> faults = {};  ///< names; none: no faults
  int fault_every = 60;
};

/// The same seed gives the same operations, as long as the model answers the same.
class Generator {
 public:
  Generator(std::uint64_t seed, GeneratorOptions options) : random_(seed), options_(std::move(options)) {}
  /// One that the model admits.
  Operation next(const Model& model);

 private:
  Operation propose(const Model& model);
  void on_path(Operation& op, const Model& model);
  void on_slot(Operation& op, const Model& model);
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool chance(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
  std::string new_path(const Model& model);
  std::string old_path(const Model& model, char type = 0);
  std::string any_path(const Model& model) { return chance(70) ? old_path(model) : new_path(model); }
  std::string file_path(const Model& model) { return chance(85) ? old_path(model, '-') : any_path(model); }
  std::uint64_t length();

  std::mt19937_64 random_;
  GeneratorOptions options_;
  int mount_ = 0;
  int since_rest_ = 0;
};

}  // namespace geogrid::test
