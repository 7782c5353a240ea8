#pragma once
// The table of all keys: what they are called, which values they take, where these go.

#include <string>
#include <vector>

#include "config/fields.hpp"

namespace geogrid {

Value<Config> config_schema();

/// Every key there is, dotted: "client.mounts.read_only". Names that the user gives, such as those of nodes,
/// are "NAME".
std::vector<std::string> known_keys();

}  // namespace geogrid
