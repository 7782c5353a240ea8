#include "settings.hpp"

#include <cstdlib>

namespace geogrid::test {
namespace {

std::optional<std::uint64_t> number(const char* name) {
  const char* const text = ::getenv(name);
  if (!text || !*text) return std::nullopt;
  return std::stoull(text);
}

Settings read_settings() {
  Settings read;
  if (const auto n = number("GEOGRID_MODEL_SECONDS")) read.duration = std::chrono::seconds(*n);
  read.seed = number("GEOGRID_MODEL_SEED");
  // A run that nobody asked to find something new must not fail on some days only.
  if (!read.seed && !number("GEOGRID_MODEL_SECONDS")) read.seed = 844251;
  if (const auto n = number("GEOGRID_MODEL_OPS")) read.operations = *n;
  if (const char* const file = ::getenv("GEOGRID_MODEL_REPLAY")) read.replay = file;
  if (const auto n = number("GEOGRID_MODEL_PATIENCE_MS")) read.patience = std::chrono::milliseconds(*n);
  if (const auto n = number("GEOGRID_MODEL_SHRINK_SECONDS")) read.shrinking = std::chrono::seconds(*n);
  read.stress = number("GEOGRID_MODEL_STRESS").value_or(0) != 0;
  read.faults = number("GEOGRID_MODEL_FAULTS").value_or(0) != 0;
  read.debug = number("GEOGRID_MODEL_DEBUG").value_or(0) != 0;
  return read;
}

}  // namespace

const Settings& settings() {
  static const Settings read = read_settings();
  return read;
}

}  // namespace geogrid::test
