#include "stats/health.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace geogrid {
namespace {

std::string files(std::uint64_t count) {
  return count == 1 ? std::string("1 file") : format_count(count) + " files";
}

std::string_view has(std::uint64_t count) {
  return count == 1 ? "has" : "have";
}

}  // namespace

std::string_view name_of(ArchiveVerdict verdict) {
  switch (verdict) {
    case ArchiveVerdict::safe:
      return "safe";
    case ArchiveVerdict::degraded:
      return "degraded";
    case ArchiveVerdict::at_risk:
      return "at risk";
    case ArchiveVerdict::lost:
      return "lost";
  }
  return "unknown";
}

bool is_silent(const NodeRecord& node) {
  const bool expected = node.state != NodeState::retired && node.state != NodeState::down;
  return expected && (!node.heartbeat_age || *node.heartbeat_age > kSilentAfter);
}

Health assess(const Facts& facts) {
  Health health;
  const auto add = [&](ArchiveVerdict severity, std::string text) {
    health.reasons.push_back({severity, std::move(text)});
  };
  const QueueSummary& queue = facts.queue;

  if (queue.without_copy > 0)
    add(ArchiveVerdict::lost, fmt::format("{} {} no good copy on any storage node.",
                                          files(queue.without_copy), has(queue.without_copy)));
  if (queue.last_copy > 0)
    add(ArchiveVerdict::at_risk, fmt::format("{} {} one copy left where the class asks for more.",
                                             files(queue.last_copy), has(queue.last_copy)));
  const std::uint64_t others = queue.files - std::min(queue.files, queue.without_copy + queue.last_copy);
  if (others > 0)
    add(ArchiveVerdict::degraded,
        fmt::format("{} {} fewer copies than the class asks for.", files(others), has(others)));
  if (queue.stuck > 0)
    add(ArchiveVerdict::degraded,
        fmt::format("{} cannot get a further copy: no node that could take one is in use.",
                    files(queue.stuck)));
  for (const NodeRecord& node : facts.nodes) {
    if (node.state == NodeState::down)
      add(ArchiveVerdict::degraded, fmt::format("Node {} is down, as the operator said.", node.name));
    else if (is_silent(node))
      add(ArchiveVerdict::degraded,
          node.heartbeat_age
              ? fmt::format("Node {} has been silent for {}.", node.name,
                            format_duration(*node.heartbeat_age))
              : fmt::format("Node {} has never been heard of: is its storage role running?", node.name));
    if (node.state == NodeState::joining)
      add(ArchiveVerdict::degraded,
          fmt::format("Node {} is joining: its first walk is not complete.", node.name));
  }
  if (!facts.findings.empty())
    add(ArchiveVerdict::degraded,
        fmt::format("{} {} found on the nodes that a person should look at.", files(facts.findings.size()),
                    facts.findings.size() == 1 ? "was" : "were"));

  std::stable_sort(health.reasons.begin(), health.reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.severity > b.severity; });
  if (!health.reasons.empty()) health.verdict = health.reasons.front().severity;
  return health;
}

}  // namespace geogrid
