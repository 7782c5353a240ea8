#pragma once
// What the environment says about a run of the model test.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace geogrid::test {

struct Settings {
  std::chrono::seconds duration{12};  ///< GEOGRID_MODEL_SECONDS: of each test that runs at random
  std::optional<std::uint64_t> seed;  ///< GEOGRID_MODEL_SEED: of the first run; the next has the next number
  std::size_t operations = 1500;      ///< GEOGRID_MODEL_OPS: in one archive; then a fresh one
  std::string replay;                 ///< GEOGRID_MODEL_REPLAY: a file of operations, instead of random ones
  std::chrono::milliseconds patience{3000};  ///< GEOGRID_MODEL_PATIENCE_MS: how late one mount may be
  std::chrono::seconds shrinking{180};       ///< GEOGRID_MODEL_SHRINK_SECONDS
  bool stress = false;                       ///< GEOGRID_MODEL_STRESS=1
  bool faults = false;                       ///< GEOGRID_MODEL_FAULTS=1
  bool debug = false;                        ///< GEOGRID_MODEL_DEBUG=1: the processes log all
};
const Settings& settings();

}  // namespace geogrid::test
