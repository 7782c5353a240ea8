#include "policy/replica_choice.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "policy/hash.hpp"

namespace geogrid {
namespace {

constexpr std::uint64_t kStepBackSalt = 0x7374657062616b21U;

/// 0 for the first preferred node, rising; the same large number for all that are not in the order.
std::size_t preference(NodeIndex node, std::span<const PreferredNode> preferred, InodeId file) {
  const auto found =
      std::find_if(preferred.begin(), preferred.end(), [&](const auto& p) { return p.node == node; });
  if (found == preferred.end()) return 2 * preferred.size();
  const auto place = static_cast<std::size_t>(found - preferred.begin());
  const double chance = unit_interval(mix64(file.value ^ kStepBackSalt, node.value));
  return chance < found->weight ? place : preferred.size() + place;
}

int magnitude(double penalty) {
  return penalty < 1.0 ? 0 : 1 + std::ilogb(penalty);
}

}  // namespace

std::vector<NodeIndex> replica_order(std::span<const ReplicaCandidate> candidates,
                                     std::span<const PreferredNode> preferred, InodeId file) {
  struct Ranked {
    std::tuple<bool, bool, std::size_t, int, std::uint64_t, NodeIndex> key;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(candidates.size());
  for (const ReplicaCandidate& c : candidates) {
    const bool usable = std::isfinite(c.penalty);  // NaN is no measurement to rely on either
    ranked.push_back({{!usable, !c.same_machine, preference(c.node, preferred, file),
                       usable ? magnitude(c.penalty) : 0, mix64(file.value, c.node.value), c.node}});
  }
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.key < b.key; });

  std::vector<NodeIndex> order;
  order.reserve(ranked.size());
  for (const Ranked& r : ranked) order.push_back(std::get<NodeIndex>(r.key));
  return order;
}

result<ReadPreferences> ReadPreferences::make(std::vector<Rule> rules) {
  ReadPreferences preferences;
  for (Rule& rule : rules) {
    GG_TRY(Pattern pattern, Pattern::make(rule.match));
    preferences.rules_.push_back({std::move(pattern), std::move(rule.order)});
  }
  return preferences;
}

std::span<const PreferredNode> ReadPreferences::of_path(const Path& path) const {
  if (rules_.empty()) return {};
  const std::string text = path.str();
  for (const Compiled& rule : rules_)
    if (rule.pattern.matches(text)) return rule.order;
  return {};
}

}  // namespace geogrid
