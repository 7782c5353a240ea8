#include "config/config.hpp"

#include <algorithm>

namespace geogrid {

std::string ConfigFault::str() const {
  if (line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

const NodeConfig* Config::find_node(std::string_view name) const {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const NodeConfig& n) { return n.name == name; });
  return found == nodes.end() ? nullptr : &*found;
}

ConfigFault Config::fault(std::string_view key, std::string message) const {
  while (!key.empty()) {
    if (const auto place = places.find(key); place != places.end())
      return {file, place->second.first, place->second.second, std::move(message)};
    key = key.substr(0, std::max(key.rfind('.') + 1, std::size_t{1}) - 1);
  }
  return {file, 0, 0, std::move(message)};
}

}  // namespace geogrid
