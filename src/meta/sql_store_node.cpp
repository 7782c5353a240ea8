// The node registry.

#include <cmath>

#include "base/path.hpp"
#include "meta/change_rows.hpp"
#include "meta/job_rows.hpp"
#include "meta/sql_store.hpp"

namespace geogrid {
namespace {

struct Beat {
  NodeIndex node;
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};
struct Alter {
  std::string name;
  NodeChange change;
};

NodeRecord read_node(const SqlRow& row) {
  NodeRecord node;
  node.kind = static_cast<NodeKind>(row.integer(0));
  node.index = NodeIndex(static_cast<std::uint8_t>(row.integer(1)));
  node.name = row.bytes(2);
  node.state = static_cast<NodeState>(row.integer(3));
  node.zone = row.bytes(4);
  node.weight = static_cast<double>(row.integer(5)) / 1e6;
  node.volume_uuid = row.bytes(6);
  if (!row.null(7)) node.first_walk_finished = Timestamp{row.integer(7), 0};
  if (row.null(8)) return node;
  node.last_heartbeat = Timestamp{row.integer(8), 0};
  node.heartbeat_age = std::chrono::seconds(std::max<std::int64_t>(0, row.integer(9)));
  node.free_bytes = static_cast<std::uint64_t>(row.integer(10));
  node.total_bytes = static_cast<std::uint64_t>(row.integer(11));
  return node;
}

task<result<void>> read_nodes(Tx& tx, const NodeKind& kind, std::vector<NodeRecord>& out) {
  const OnRow keep = [&](const SqlRow& row) { out.push_back(read_node(row)); };
  GG_CO_CHECK(co_await tx.each(
      tx.pick("SELECT n.kind, n.number, n.name, n.state, n.zone, n.weight_millionths, n.volume_uuid, "
              "n.first_walk, h.at, "
              "unixepoch() - h.at, h.free_bytes, h.total_bytes FROM node n LEFT JOIN heartbeat h "
              "ON h.kind = n.kind AND h.number = n.number WHERE n.kind = ? ORDER BY n.number",
              "SELECT n.kind, n.number, n.name, n.state, n.zone, n.weight_millionths, n.volume_uuid, "
              "n.first_walk, h.at, "
              "CAST(UNIX_TIMESTAMP() AS SIGNED) - h.at, h.free_bytes, h.total_bytes FROM node n LEFT JOIN "
              "heartbeat h "
              "ON h.kind = n.kind AND h.number = n.number WHERE n.kind = ? ORDER BY n.number"),
      keep, kind));
  co_return result<void>();
}

// Changes of the registry come one after the other.
task<result<void>> lock_registry(Tx& tx) {
  GG_CO_CHECK(co_await tx.run(tx.locking("SELECT value FROM meta WHERE name = ? FOR UPDATE"), "node lock"));
  co_return result<void>();
}

result<NodeIndex> free_bit(const std::vector<NodeRecord>& nodes, const NewStorageNode& node) {
  NodeSet taken;
  for (const NodeRecord& other : nodes) {
    if (other.name == node.name)
      return fail(errc::already_exists, "there is a storage node '{}' already", printable(node.name));
    if (other.volume_uuid == node.volume_uuid)
      return fail(errc::already_exists, "the volume {} belongs to the storage node '{}' already",
                  printable(node.volume_uuid), printable(other.name));
    taken = taken.with(other.index);
  }
  // Bits of retired nodes stay taken: rows may still hold them among older copies.
  const NodeSet free = NodeSet(~std::uint64_t{0}) - taken;
  if (free.empty())
    return fail(errc::refused,
                "a cluster has at most {} storage nodes, retired ones included: '{}' cannot be added",
                kMaxNodes, printable(node.name));
  return free.first();
}

std::int64_t millionths(double weight) {
  return static_cast<std::int64_t>(std::llround(weight * 1e6));
}

task<result<void>> log_node(Tx& tx, std::string_view name) {
  ChangeRows log(tx);
  log.add(ChangeKind::node, InodeId(), InodeId(), name);
  co_return co_await log.flush();
}

task<result<void>> add_row(Tx& tx, const NewStorageNode& in, NodeRecord& out) {
  GG_CO_CHECK(co_await lock_registry(tx));
  std::vector<NodeRecord> nodes;
  GG_CO_CHECK(co_await read_nodes(tx, NodeKind::storage, nodes));
  GG_CO_TRY(out.index, free_bit(nodes, in));
  out.name = in.name;
  out.state = in.empty_volume ? NodeState::active : NodeState::joining;
  out.zone = in.zone;
  out.weight = in.weight;
  out.volume_uuid = in.volume_uuid;
  SqlValue first_walk;
  if (in.empty_volume) {
    GG_CO_TRY(const std::int64_t now, co_await tx.now());
    first_walk = now;
    out.first_walk_finished = Timestamp{now, 0};
  }
  GG_CO_CHECK(co_await put_job(tx, JobKind::requeue, InodeId()));
  GG_CO_CHECK(co_await tx.run(
      "INSERT INTO node (kind,number,name,state,zone,weight_millionths,volume_uuid,first_walk) VALUES "
      "(?,?,?,?,?,?,?,?)",
      NodeKind::storage, out.index, out.name, out.state, out.zone, millionths(out.weight), out.volume_uuid,
      first_walk));
  co_return co_await log_node(tx, out.name);
}

task<result<void>> change_row(Tx& tx, const Alter& in, NodeRecord& out) {
  GG_CO_CHECK(co_await lock_registry(tx));
  std::vector<NodeRecord> nodes;
  GG_CO_CHECK(co_await read_nodes(tx, NodeKind::storage, nodes));
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const NodeRecord& n) { return n.name == in.name; });
  if (found == nodes.end())
    co_return fail(errc::not_found, "there is no storage node '{}'", printable(in.name));
  out = *found;
  if (out.state == NodeState::retired && in.change.state.value_or(out.state) != NodeState::retired)
    co_return fail(errc::refused,
                   "the storage node '{}' is retired for good: add its disk under another name",
                   printable(in.name));
  out.state = in.change.state.value_or(out.state);
  out.zone = in.change.zone.value_or(out.zone);
  out.weight = in.change.weight.value_or(out.weight);
  // In this order: run_jobs() holds its job before it looks at the nodes.
  GG_CO_CHECK(co_await put_job(tx, JobKind::requeue, InodeId()));
  if (out.state == NodeState::retired)
    GG_CO_CHECK(co_await put_job(tx, JobKind::forget, InodeId(out.index.value)));
  GG_CO_CHECK(co_await tx.run(
      "UPDATE node SET state = ?, zone = ?, weight_millionths = ? WHERE kind = ? AND number = ?", out.state,
      out.zone, millionths(out.weight), NodeKind::storage, out.index));
  co_return co_await log_node(tx, out.name);
}

task<result<void>> beat_row(Tx& tx, const Beat& in, Nothing&) {
  GG_CO_TRY(const auto known,
            co_await tx.integer("SELECT 1 FROM node WHERE kind = 1 AND number = ?", in.node));
  if (!known) co_return fail(errc::not_found, "no storage node has the index {}", in.node.value);
  GG_CO_CHECK(co_await tx.run(
      tx.pick(
          "INSERT INTO heartbeat (kind,number,at,free_bytes,total_bytes) VALUES (1,?,unixepoch(),?,?) "
          "ON CONFLICT (kind,number) DO UPDATE SET at = excluded.at, free_bytes = excluded.free_bytes, "
          "total_bytes = excluded.total_bytes",
          "INSERT INTO heartbeat (kind,number,at,free_bytes,total_bytes) VALUES (1,?,UNIX_TIMESTAMP(),?,?) "
          "ON DUPLICATE KEY UPDATE at = VALUES(at), free_bytes = VALUES(free_bytes), total_bytes = "
          "VALUES(total_bytes)"),
      in.node, in.free_bytes, in.total_bytes));
  co_return result<void>();
}

task<result<void>> finish_walk_row(Tx& tx, const NodeIndex& node, Nothing&) {
  GG_CO_CHECK(co_await lock_registry(tx));
  std::vector<NodeRecord> nodes;
  GG_CO_CHECK(co_await read_nodes(tx, NodeKind::storage, nodes));
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const NodeRecord& n) { return n.index == node; });
  if (found == nodes.end()) co_return fail(errc::not_found, "no storage node has the index {}", node.value);
  if (found->first_walk_finished && found->state != NodeState::joining) co_return result<void>();
  const NodeState state = found->state == NodeState::joining ? NodeState::active : found->state;
  GG_CO_TRY(const std::int64_t now, co_await tx.now());
  // Joining and active nodes both take copies, so that the queue stays as it is.
  GG_CO_CHECK(co_await tx.run(
      "UPDATE node SET state = ?, first_walk = COALESCE(first_walk, ?) WHERE kind = ? AND number = ?", state,
      now, NodeKind::storage, node));
  co_return co_await log_node(tx, found->name);
}

result<void> check_weight(std::optional<double> weight) {
  if (weight && !(*weight >= 0 && *weight <= 1e6))
    return fail(errc::invalid_argument, "a node's weight lies between 0 and 1000000");
  return result<void>();
}

}  // namespace

task<result<std::vector<NodeRecord>>> SqlStore::nodes(NodeKind kind) {
  return read(read_nodes, kind);
}

task<result<NodeRecord>> SqlStore::add_node(NewStorageNode node) {
  GG_CO_CHECK(check_weight(node.weight));
  if (node.name.empty() || node.name.size() > kMaxNameBytes || node.zone.size() > kMaxNameBytes)
    co_return fail(errc::invalid_argument, "names of nodes and zones have 1 to {} bytes", kMaxNameBytes);
  co_return co_await record({.durable = true, .exactly_once = true}, add_row, std::move(node));
}

task<result<NodeRecord>> SqlStore::change_node(std::string name, NodeChange change) {
  GG_CO_CHECK(check_weight(change.weight));
  if (change.zone && change.zone->size() > kMaxNameBytes)
    co_return fail(errc::invalid_argument, "names of zones have at most {} bytes", kMaxNameBytes);
  if (change.state == NodeState::retired) {
    GG_CO_TRY(const std::vector<NodeRecord> all, co_await nodes(NodeKind::storage));
    for (const NodeRecord& node : all) {
      if (node.name != name) continue;
      GG_CO_TRY(const bool held, co_await any_copy_on(node.index));
      if (held)
        co_return fail(errc::refused,
                       "copies on '{}' still count: drain it first (`geogridd drain {}`), and retire it when "
                       "it is empty",
                       printable(name), printable(name));
    }
  }
  Alter in{std::move(name), std::move(change)};
  co_return co_await record({.durable = true}, change_row, std::move(in));
}

task<result<void>> SqlStore::heartbeat(NodeIndex node, std::uint64_t free_bytes, std::uint64_t total_bytes) {
  Beat in{node, free_bytes, total_bytes};
  GG_CO_CHECK(co_await record({}, beat_row, std::move(in)));
  co_return result<void>();
}

task<result<void>> SqlStore::finish_first_walk(NodeIndex node) {
  GG_CO_CHECK(co_await record({.durable = true}, finish_walk_row, node));
  co_return result<void>();
}

}  // namespace geogrid
