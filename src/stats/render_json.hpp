#pragma once
// The facts as JSON, for programs. Paths and names are shown by printable(), which is valid UTF-8 and can be
// taken back.

#include <nlohmann/json.hpp>

#include "stats/facts.hpp"

namespace geogrid {

/// Keeps the order in which keys are written.
using Json = nlohmann::ordered_json;

Json status_json(const Facts& facts);
Json nodes_json(const std::vector<NodeRecord>& nodes);
Json locate_json(const FileFacts& facts);
Json queue_json(const QueueFacts& facts);

}  // namespace geogrid
