#include "runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "compare.hpp"
#include "support/wait.hpp"

namespace geogrid::test {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

void RunStatistics::add(const RunStatistics& other) {
  operations += other.operations;
  rests += other.rests;
  waits += other.waits;
  longest_wait = std::max(longest_wait, other.longest_wait);
}

std::string RunStatistics::str() const {
  return fmt::format("{} operations, {} rests; a mount followed the other {} times, after at most {} ms",
                     operations, rests, waits, longest_wait.count());
}

Runner::Runner(World& world)
    : world_(world),
      model_(world.plain(), world.close_to_open()),
      hands_{Hand(world.mount(0)), Hand(world.mount(1))} {}

std::optional<std::string> Runner::step(const Operation& op) {
  ++statistics_.operations;
  std::optional<std::string> problem;
  if (op.kind == OpKind::rest) {
    problem = rest();
  } else if (op.kind == OpKind::close_all) {
    problem = close_all();
  } else if (op.kind == OpKind::fault) {
    if (Fault* const fault = world_.fault(op.a)) {
      fault->strike(world_, model_, hands_);
      news_.fill(Clock::now() + world_.patience());
      follows_.fill(false);
    }
  } else if (model_.admits(op)) {
    problem = plain_step(op);
  }
  if (auto trouble = world_.trouble()) problem = problem.value_or("") + "\n" + *trouble;
  return problem;
}

std::optional<std::string> Runner::plain_step(const Operation& op) {
  const int mount = model_.mount_of(op);
  const auto index = static_cast<std::size_t>(mount);
  // Who only looks may look too early, and again; a name that is taken is taken at once.
  const bool exclusive = op.kind == OpKind::create || op.kind == OpKind::mkdir || op.kind == OpKind::symlink;
  const bool taken = exclusive && model_.hand().look(op.a).has_value();
  bool early = !follows_[index] && op.eager && (op.only_looks() || taken);
  if (!early)
    if (auto behind = follow(mount)) return behind;
  const Expected expected = model_.apply(op);
  for (;;) {
    const Outcome real = world_.perform(hands_[mount], op);
    const auto differs = difference(expected, real);
    if (!differs) break;
    const bool harmless = op.only_looks() || (early && taken && real.error != 0);
    if (!harmless || !may_wait(mount))
      return fmt::format("{}\n  through mount {}: {}", op.str(), mount, *differs);
    if (early && taken)
      if (auto behind = follow(mount)) return behind;
    early = early && !taken;
    std::this_thread::sleep_for(milliseconds(1));
  }
  if (expected.visible) {
    news_[1 - index] = Clock::now() + world_.patience();
    follows_[1 - index] = false;
  }
  return std::nullopt;
}

/// Waits until the mount shows what the other one did.
std::optional<std::string> Runner::follow(int mount) {
  const auto index = static_cast<std::size_t>(mount);
  if (follows_[index]) return std::nullopt;
  const auto began = Clock::now();
  for (;;) {
    // The question before the answer, so that a slow look does not count as a late mount.
    const bool last = !may_wait(mount);
    const auto differs = tree_difference(model_, hands_[mount], hands_[1 - mount], mount);
    if (!differs) break;
    if (last)
      return fmt::format("mount {} does not show in {} ms what was done through the other:\n{}", mount,
                         world_.patience().count(), *differs);
    std::this_thread::sleep_for(milliseconds(2));
  }
  follows_[index] = true;
  ++statistics_.waits;
  statistics_.longest_wait =
      std::max(statistics_.longest_wait, duration_cast<milliseconds>(Clock::now() - began));
  return std::nullopt;
}

std::optional<std::string> Runner::close_all() {
  for (const int slot : model_.slots()) {
    Operation close;
    close.kind = OpKind::close;
    close.slot = slot;
    if (auto problem = plain_step(close)) return problem;
  }
  return std::nullopt;
}

std::optional<std::string> Runner::rest() {
  ++statistics_.rests;
  for (int mount = 0; mount < 2; ++mount)
    if (auto behind = follow(mount)) return "at rest: " + *behind;
  if (auto problem = world_.inspect(model_, model_.take_discarded()))
    return "at rest, behind the mounts: " + *problem;
  // Copies came and went meanwhile; a reader must not have noticed.
  for (int mount = 0; mount < 2; ++mount) {
    auto differs = tree_difference(model_, hands_[mount], hands_[1 - mount], mount);
    if (!differs) differs = content_difference(model_, hands_[mount], mount);
    if (differs) return fmt::format("at rest, through mount {}: {}", mount, *differs);
  }
  return std::nullopt;
}

std::optional<Failure> run(const MakeWorld& make, const Operations& operations) {
  const auto world = make();
  Runner runner(*world);
  for (std::size_t i = 0; i < operations.size(); ++i)
    if (auto problem = runner.step(operations[i])) return Failure{i, std::move(*problem), world->logs()};
  return std::nullopt;
}

Operations shrink(const MakeWorld& make, Operations failing, std::chrono::steady_clock::time_point deadline) {
  std::size_t parts = 2;
  const OpKind kind = failing.back().kind;
  const auto fails = [&](const Operations& candidate) {
    auto failure = run(make, candidate);
    return failure && candidate[failure->at].kind == kind ? failure : std::nullopt;
  };
  while (failing.size() > 1) {
    const std::size_t size = (failing.size() + parts - 1) / parts;
    bool shorter = false;
    for (std::size_t begin = 0; begin < failing.size(); begin += size) {
      if (std::chrono::steady_clock::now() >= deadline) return failing;
      Operations candidate(failing.begin(), failing.begin() + static_cast<std::ptrdiff_t>(begin));
      candidate.insert(candidate.end(),
                       failing.begin() + static_cast<std::ptrdiff_t>(std::min(begin + size, failing.size())),
                       failing.end());
      const auto failure = fails(candidate);
      if (!failure) continue;
      candidate.resize(failure->at + 1);
      failing = std::move(candidate);
      shorter = true;
      break;
    }
    if (shorter)
      parts = std::max<std::size_t>(parts - 1, 2);
    else if (size == 1)
      break;
    else
      parts = std::min(parts * 2, failing.size());
  }
  return failing;
}

}  // namespace geogrid::test
