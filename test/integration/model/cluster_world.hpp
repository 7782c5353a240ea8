#pragma once
// A real archive: three nodes, a storage process each, two client processes with a mount each.

#include <atomic>
#include <mutex>
#include <thread>

#include "inspector.hpp"
#include "support/cluster.hpp"
#include "world.hpp"

namespace geogrid::test {

class ClusterWorld : public World {
 public:
  struct Options {
    bool mariadb = false;
    std::chrono::seconds settling{60};  ///< how long a rest may take
  };
  explicit ClusterWorld(Options options);
  ~ClusterWorld() override;

  std::string mount(int number) const override { return cluster_.mount(static_cast<std::size_t>(number)); }
  std::string plain() const override { return plain_.path().string(); }
  std::chrono::milliseconds patience() const override { return patience_; }
  Outcome perform(Hand& hand, const Operation& op) override;
  std::optional<std::string> inspect(const Model& model, const std::vector<Discarded>& discarded) override;
  std::optional<std::string> finish() override;
  std::optional<std::string> trouble() override;
  Fault* fault(const std::string& name) override;
  std::string logs() const override { return cluster_.logs(12'000); }

  Cluster& cluster() { return cluster_; }
  Inspector& inspector() { return *inspector_; }
  /// Waits until `look` finds nothing wrong any more; what it said last, if that takes too long.
  std::optional<std::string> settle(const std::function<std::optional<std::string>()>& look,
                                    std::chrono::seconds deadline);
  std::chrono::milliseconds longest_settling() const { return longest_settling_; }
  /// A client was killed: what it held and owed is free when its lease has run out.
  void expect_remains();

 private:
  using Clock = std::chrono::steady_clock;
  void watch();
  bool remains() const { return Clock::now() < remains_until_; }

  const Options options_;
  std::chrono::milliseconds patience_;
  Scratch plain_{"plain"};
  Cluster cluster_;
  std::unique_ptr<Inspector> inspector_;
  std::vector<Discarded> discarded_;
  std::vector<std::unique_ptr<Fault>> faults_;
  Clock::time_point remains_until_{};
  bool had_remains_ = false;
  std::chrono::milliseconds longest_settling_{0};

  // What hangs is killed, or the test would hang too.
  std::atomic<std::int64_t> began_{0};  ///< of the operation under way, in milliseconds; 0: none
  std::vector<pid_t> clients_;          ///< under `guard_`
  std::mutex guard_;
  std::atomic<bool> hung_{false}, ends_{false};
  std::thread watchdog_;
};

}  // namespace geogrid::test
