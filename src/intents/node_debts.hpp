#pragma once
// What one node owes, and who carries it out when.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "async/backoff.hpp"
#include "async/notifier.hpp"
#include "async/standing_error.hpp"
#include "intents/owed_batch.hpp"
#include "os/clock.hpp"

namespace geogrid {

/// One node of an IntentRunner, whose contract it keeps. Used on the loop; held by shared_ptr.
class NodeDebts : public std::enable_shared_from_this<NodeDebts> {
 public:
  NodeDebts(asio::any_io_executor loop, MetadataStore& store, NodeVolume node, LeaseOwner by,
            std::chrono::milliseconds gather, Log log);

  task<result<bool>> drain();
  task<result<void>> carry_out_now(std::vector<Intent> intents);
  void soon();
  task<void> finish(std::chrono::milliseconds most);
  void close();

 private:
  using Time = Clock::SteadyTime;
  struct Step {
    bool progress = false;
    bool more = false;
    std::optional<Error> held_up;  ///< single intents that failed
  };

  void start_run();
  static task<void> run(std::shared_ptr<NodeDebts> self);
  task<result<bool>> round();
  task<result<Step>> step();
  task<result<std::vector<Intent>>> take();
  void struck_off(const std::vector<CarriedOut>& done);
  void ended(bool announced);
  void arm(std::chrono::milliseconds wait);
  bool is_over(IntentId id) const { return carried_.contains(id) || struck_off_.contains(id); }
  bool any_of(const std::set<IntentId>& set, const std::vector<Intent>& intents) const;

  const NodeWork work_;
  const LeaseOwner by_;
  const std::chrono::milliseconds gather_;
  const asio::any_io_executor loop_;

  // Runs in rounds, each of which serves whoever asked before it began.
  bool running_ = false;
  std::uint64_t asked_ = 0;
  std::uint64_t served_ = 0;
  result<bool> outcome_ = true;
  Notifier changed_;

  std::set<IntentId> in_hand_;              // the run carries them out
  std::set<IntentId> now_;                  // carry_out_now() does
  std::map<IntentId, CarriedOut> carried_;  // carry_out_now() did: to be struck off
  std::set<IntentId> struck_off_;           // the newest of them, bounded

  bool announced_ = false;  // by soon(), or left of what was
  std::unique_ptr<asio::steady_timer> timer_;
  Backoff retry_;
  StandingError standing_;
  std::optional<Time> failed_until_;  // callers are given the last error until then
};

}  // namespace geogrid
