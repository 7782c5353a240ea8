#include "cluster_world.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <iostream>

#include "faults.hpp"
#include "settings.hpp"

namespace geogrid::test {
namespace {

constexpr std::chrono::seconds kHang{45};
constexpr std::chrono::seconds kSlow{8};
constexpr std::chrono::seconds kRemains{
    150};  // a lease, and the rounds of who looks for those that have run out

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

ClusterSetup setup_for(const ClusterWorld::Options& options) {
  ClusterSetup setup;
  setup.mariadb = options.mariadb;
  setup.classes = kClasses;
  setup.walk_cycle = "2s";
  if (settings().debug) setup.more = "log: { level: debug }\n";
  return setup;
}

}  // namespace

ClusterWorld::ClusterWorld(Options options)
    : options_(options), patience_(settings().patience), cluster_(setup_for(options)) {
  cluster_.start();
  inspector_ = std::make_unique<Inspector>(cluster_);
  faults_ = make_faults();
  for (std::size_t client = 0; client < 2; ++client) clients_.push_back(cluster_.client_pid(client));
  watchdog_ = std::thread([this] { watch(); });
}

ClusterWorld::~ClusterWorld() {
  ends_ = true;
  watchdog_.join();
}

void ClusterWorld::watch() {
  while (!ends_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::int64_t began = began_;
    if (began == 0 || now_ms() - began < std::chrono::milliseconds(kHang).count()) continue;
    hung_ = true;
    const std::lock_guard lock(guard_);
    for (const pid_t client : clients_) ::kill(client, SIGKILL);
    return;
  }
}

Outcome ClusterWorld::perform(Hand& hand, const Operation& op) {
  began_ = now_ms();
  Outcome done = hand.perform(op);
  began_ = 0;
  return done;
}

std::optional<std::string> ClusterWorld::trouble() {
  if (hung_) return fmt::format("an operation took longer than {} s; the clients were killed", kHang.count());
  try {
    cluster_.expect_alive();
  } catch (const std::exception& ended) {
    return ended.what();
  }
  return std::nullopt;
}

void ClusterWorld::expect_remains() {
  remains_until_ = Clock::now() + kRemains;
  had_remains_ = true;
  const std::lock_guard lock(guard_);
  clients_.clear();
  for (std::size_t client = 0; client < 2; ++client) clients_.push_back(cluster_.client_pid(client));
}

Fault* ClusterWorld::fault(const std::string& name) {
  for (const auto& fault : faults_)
    if (fault->name() == name) return fault.get();
  return nullptr;
}

std::optional<std::string> ClusterWorld::settle(const std::function<std::optional<std::string>()>& look,
                                                std::chrono::seconds deadline) {
  const auto began = Clock::now();
  std::optional<std::string> before;
  for (;;) {
    const bool last = Clock::now() - began > deadline;
    auto wrong = look();
    if (!wrong && Clock::now() - began > kSlow) std::cerr << "slow to come to rest: " << *before << std::endl;
    before = wrong;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    longest_settling_ = std::max(longest_settling_, took);
    if (!wrong) return std::nullopt;
    if (last) return fmt::format("{} (after {} s)", *wrong, took.count() / 1000);
    if (auto ended = trouble()) return *wrong + "\n" + *ended;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// What the test looked at, the program can prove by itself as well.
std::optional<std::string> ClusterWorld::finish() {
  try {
    cluster_.stop();
    if (const CommandDone verified = cluster_.run({"verify", "--deep"}); verified.status != 0)
      return "geogridd verify --deep:\n" + verified.out + verified.err;
  } catch (const std::exception& problem) {
    return problem.what();
  }
  return std::nullopt;
}

std::optional<std::string> ClusterWorld::inspect(const Model& model,
                                                 const std::vector<Discarded>& discarded) {
  discarded_.insert(discarded_.end(), discarded.begin(), discarded.end());
  const auto look = [&]() -> std::optional<std::string> {
    if (auto busy = inspector_->busy()) return busy;
    if (auto wrong = inspector_->metadata(model)) return wrong;
    if (auto wrong = inspector_->disks(model.any_writer() || remains() || had_remains_)) return wrong;
    if (auto wrong = inspector_->trash(discarded_)) return wrong;
    return inspector_->findings();
  };
  auto wrong = settle(look, remains() ? kRemains : options_.settling);
  discarded_.clear();
  return wrong;
}

}  // namespace geogrid::test
