#include "meta/records.hpp"

#include <array>
#include <utility>

namespace geogrid {
namespace {

constexpr std::array<std::pair<NodeState, std::string_view>, 7> kStates{{{NodeState::joining, "joining"},
                                                                         {NodeState::active, "active"},
                                                                         {NodeState::readonly, "readonly"},
                                                                         {NodeState::draining, "draining"},
                                                                         {NodeState::down, "down"},
                                                                         {NodeState::away, "away"},
                                                                         {NodeState::retired, "retired"}}};

}  // namespace

std::string_view name_of(NodeState state) {
  for (const auto& [s, name] : kStates)
    if (s == state) return name;
  return "unknown";
}

result<NodeState> parse_node_state(std::string_view text) {
  for (const auto& [s, name] : kStates)
    if (name == text) return s;
  return fail(errc::invalid_argument,
              "'{}' is no node state; use joining, active, readonly, draining, down, away or retired", text);
}

std::string_view name_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::damaged:
      return "damaged";
    case FindingKind::changed_outside:
      return "changed outside";
    case FindingKind::missing:
      return "missing";
    case FindingKind::conflict:
      return "conflict";
    case FindingKind::type_conflict:
      return "type conflict";
    case FindingKind::unreadable:
      return "unreadable";
    case FindingKind::special_file:
      return "special file";
  }
  return "unknown";
}

}  // namespace geogrid
