#pragma once
// The volumes this client can read from: in which order, how they fare, and what is told to the operator.

#include <array>
#include <atomic>
#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "base/log.hpp"
#include "meta/records.hpp"
#include "policy/replica_choice.hpp"
#include "vfs/loop_gate.hpp"
#include "vfs/replica_health.hpp"
#include "vfs/watchlist.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// What reading has come to, since the start. Any thread.
struct ReadCounters {
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> failovers{0};  ///< a replica was abandoned for the next
  std::atomic<std::uint64_t> late{0};       ///< of these: it did not answer within the deadline
  std::atomic<std::uint64_t> failed{0};     ///< no copy could be had: EIO
  std::atomic<std::uint64_t> damaged{0};    ///< bytes that did not have their digest
};

struct ReplicaAccessOptions {
  std::chrono::milliseconds deadline{2000};  ///< after which the next replica is tried in parallel
  ReadPreferences preferences;
  NodeSet same_machine;
  bool verify = false;  ///< check digests of what is read from front to back
};

/// Used on the loop, but for answered() and the counters.
class ReplicaAccess : public std::enable_shared_from_this<ReplicaAccess> {
 public:
  ReplicaAccess(asio::any_io_executor loop, std::vector<NodeVolume> volumes, ReplicaAccessOptions options,
                Log log);

  /// nullptr if this client cannot reach the node.
  std::shared_ptr<Volume> volume(NodeIndex node) const { return volumes_[node.value]; }
  const std::vector<NodeVolume>& volumes() const { return reachable_; }
  /// The file's reachable replicas, the best first. `serving`: nodes that metadata lets serve.
  std::vector<NodeIndex> order(const Inode& file, const Path& path, NodeSet serving) const;
  const ReplicaAccessOptions& options() const { return options_; }
  const std::shared_ptr<LoopGate>& gate() const { return gate_; }
  const asio::any_io_executor& loop() const { return loop_; }
  ReadCounters& counters() { return counters_; }
  const Log& log() const { return log_; }

  void answered(NodeIndex node, std::chrono::microseconds took) { health_[node.value].answered(took); }
  /// The replica could not give `path`: counted, logged at a limited rate, and held against the node unless
  /// the error is about the one file.
  void failed(NodeIndex node, const Path& path, const Error& error);
  void late(NodeIndex node, const Path& path);
  /// No replica could give it. Counted, and logged at a limited rate.
  void gave_up(const Path& path, std::string_view why);
  /// Watch reads: for the deadline of one replica, and for the longest that a reader waits at all.
  Watchlist& deadlines() { return deadlines_; }
  Watchlist& patience() { return patience_; }
  static constexpr int kPatience = 5;  ///< deadlines that a reader waits for the last replica
  /// Memory for files that are held as a whole, given back when the answer dies; nullptr if kMostBorrowed
  /// would be passed.
  std::shared_ptr<void> borrow(std::size_t bytes);
  static constexpr std::size_t kMostBorrowed = 64 << 20;
  bool is_shut_out(NodeIndex node) const { return health_[node.value].is_shut_out(); }
  /// No more reading: probes end, threads that come back are ignored.
  void close();

 private:
  void complain(NodeIndex node, const Path& path, std::string_view what);
  void start_probing(NodeIndex node);
  static task<void> probe_until_well(std::shared_ptr<ReplicaAccess> self, NodeIndex node);

  struct Complaints {
    std::chrono::steady_clock::time_point last{};
    std::uint64_t silent = 0;
  };

  asio::any_io_executor loop_;
  std::shared_ptr<LoopGate> gate_;
  std::vector<NodeVolume> reachable_;
  std::array<std::shared_ptr<Volume>, kMaxNodes> volumes_{};
  std::array<ReplicaHealth, kMaxNodes> health_{};
  std::array<Complaints, kMaxNodes> complaints_{};
  Complaints lost_{};
  std::shared_ptr<std::atomic<std::size_t>> borrowed_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::array<asio::cancellation_signal, kMaxNodes> stop_probing_{};
  ReplicaAccessOptions options_;
  Log log_;
  ReadCounters counters_;
  Watchlist deadlines_;
  Watchlist patience_;
  bool closed_ = false;
};

}  // namespace geogrid
