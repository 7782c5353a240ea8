#include "vfs/replica_access.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "async/backoff.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

constexpr std::chrono::milliseconds kFirstProbe{500};
constexpr std::chrono::milliseconds kSlowestProbe{10'000};
constexpr std::chrono::seconds kBetweenComplaints{5};

/// Whether the error says something of the node, and not only of one file on it.
bool blames_node(const Error& error) {
  return !(error.is(std::errc::no_such_file_or_directory) || error.is(std::errc::not_a_directory) ||
           error.is(std::errc::permission_denied) || error.is(errc::stale) || error.is(errc::corrupt) ||
           error.is(errc::conflict) || error.is(errc::is_a_folder));
}

}  // namespace

ReplicaAccess::ReplicaAccess(asio::any_io_executor loop, std::vector<NodeVolume> volumes,
                             ReplicaAccessOptions options, Log log)
    : loop_(loop),
      gate_(std::make_shared<LoopGate>(loop)),
      reachable_(std::move(volumes)),
      options_(std::move(options)),
      log_(std::move(log)),
      deadlines_(loop_, options_.deadline),
      patience_(loop_, kPatience * options_.deadline) {
  for (const NodeVolume& node : reachable_) volumes_[node.index.value] = node.volume;
}

std::vector<NodeIndex> ReplicaAccess::order(const Inode& file, const Path& path, NodeSet serving) const {
  std::vector<ReplicaCandidate> candidates;
  for (const NodeIndex node : file.replicas) {
    if (!volumes_[node.value]) continue;
    const double penalty = serving.contains(node) ? health_[node.value].penalty() : kUnusable;
    candidates.push_back({node, options_.same_machine.contains(node) && penalty != kUnusable, penalty});
  }
  return replica_order(candidates, options_.preferences.of_path(path), file.id);
}

void ReplicaAccess::failed(NodeIndex node, const Path& path, const Error& error) {
  ++counters_.failovers;
  complain(node, path, error.message);
  ReplicaHealth& health = health_[node.value];
  if (error.is(errc::volume_absent) || error.is(errc::foreign) || error.is(errc::unavailable)
          ? health.late_or_absent()
          : blames_node(error) && health.failed())
    start_probing(node);
}

void ReplicaAccess::late(NodeIndex node, const Path& path) {
  ++counters_.failovers;
  ++counters_.late;
  complain(node, path, fmt::format("no answer for {} ms", options_.deadline.count()));
  if (health_[node.value].late_or_absent()) start_probing(node);
}

void ReplicaAccess::complain(NodeIndex node, const Path& path, std::string_view what) {
  Complaints& complaints = complaints_[node.value];
  const auto now = system_clock().steady();
  if (now - complaints.last < kBetweenComplaints) {
    ++complaints.silent;
    return;
  }
  log_.warning(
      "node {} could not give {}: {}; reading another copy{}", volumes_[node.value]->node(),
      printable(path.str()), what,
      complaints.silent ? fmt::format(" ({} more such failures)", complaints.silent) : std::string());
  complaints = {now, 0};
}

void ReplicaAccess::gave_up(const Path& path, std::string_view why) {
  ++counters_.failed;
  const auto now = system_clock().steady();
  if (now - lost_.last < kBetweenComplaints) {
    ++lost_.silent;
    return;
  }
  log_.error("no copy of {} can be read: {}{}", printable(path.str()), why,
             lost_.silent ? fmt::format(" ({} more such reads)", lost_.silent) : std::string());
  lost_ = {now, 0};
}

void ReplicaAccess::start_probing(NodeIndex node) {
  if (closed_) return;
  log_.warning("node {} is not read from until it answers again", volumes_[node.value]->node());
  asio::co_spawn(loop_, probe_until_well(shared_from_this(), node),
                 asio::bind_cancellation_slot(stop_probing_[node.value].slot(), asio::detached));
}

task<void> ReplicaAccess::probe_until_well(std::shared_ptr<ReplicaAccess> self, NodeIndex node) {
  Backoff backoff(kFirstProbe, kSlowestProbe);
  for (;;) {
    if (const auto slept = co_await sleep_for(backoff.next(system_random().next())); !slept) co_return;
    if (self->closed_) co_return;
    if (const auto well = co_await self->volumes_[node.value]->probe(); well) break;
  }
  if (self->closed_) co_return;
  self->health_[node.value].probed();
  self->log_.info("node {} answers again", self->volumes_[node.value]->node());
}

std::shared_ptr<void> ReplicaAccess::borrow(std::size_t bytes) {
  if (*borrowed_ + bytes > kMostBorrowed) return nullptr;
  *borrowed_ += bytes;
  const auto give_back = [borrowed = borrowed_, bytes](void*) { *borrowed -= bytes; };
  return std::shared_ptr<void>(borrowed_.get(), give_back);
}

void ReplicaAccess::close() {
  closed_ = true;
  deadlines_.stop();
  patience_.stop();
  for (auto& signal : stop_probing_) signal.emit(asio::cancellation_type::terminal);
  gate_->close();
}

}  // namespace geogrid
