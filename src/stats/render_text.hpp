#pragma once
// The facts as tables for a terminal.

#include <string>

#include "stats/facts.hpp"
#include "stats/table.hpp"

namespace geogrid {

std::string render_status(const Facts& facts, Style style);
std::string render_nodes(const std::vector<NodeRecord>& nodes, Style style);
std::string render_locate(const FileFacts& facts, Style style);
std::string render_queue(const QueueFacts& facts, Style style);

/// "cream, jam"; "none". Unknown members show as "#7".
std::string names_of(NodeSet set, const std::vector<NodeRecord>& nodes);
Tone tone_of(ArchiveVerdict verdict);

}  // namespace geogrid
