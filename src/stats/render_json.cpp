#include "stats/render_json.hpp"

#include <algorithm>

namespace geogrid {
namespace {

Json names_json(NodeSet set, const std::vector<NodeRecord>& nodes) {
  Json names = Json::array();
  for (const NodeIndex index : set) {
    const auto it =
        std::find_if(nodes.begin(), nodes.end(), [&](const NodeRecord& n) { return n.index == index; });
    names.push_back(it == nodes.end() ? fmt::format("#{}", index.value) : it->name);
  }
  return names;
}

Json time_json(const std::optional<Timestamp>& when) {
  return when ? Json(when->str()) : Json(nullptr);
}

Json queue_summary_json(const QueueSummary& q) {
  return {{"files", q.files},
          {"bytes", q.bytes},
          {"without_copy", q.without_copy},
          {"last_copy", q.last_copy},
          {"stuck", q.stuck}};
}

}  // namespace

Json nodes_json(const std::vector<NodeRecord>& nodes) {
  Json out = Json::array();
  for (const NodeRecord& n : nodes)
    out.push_back({{"name", n.name},
                   {"state", name_of(n.state)},
                   {"silent", is_silent(n)},
                   {"zone", printable(n.zone)},
                   {"weight", n.weight},
                   {"volume_uuid", n.volume_uuid},
                   {"free_bytes", n.free_bytes},
                   {"total_bytes", n.total_bytes},
                   {"last_heartbeat", time_json(n.last_heartbeat)},
                   {"first_walk_finished", time_json(n.first_walk_finished)}});
  return out;
}

Json status_json(const Facts& facts) {
  const Health health = assess(facts);
  Json out = {{"cluster", facts.cluster.name},
              {"uuid", facts.cluster.uuid},
              {"schema", facts.cluster.schema},
              {"verdict", name_of(health.verdict)}};
  out["reasons"] = Json::array();
  for (const Reason& r : health.reasons)
    out["reasons"].push_back({{"severity", name_of(r.severity)}, {"text", r.text}});
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  Json classes = Json::array();
  for (const ClassTotals& c : facts.totals.classes) {
    files += c.files;
    bytes += c.bytes;
    classes.push_back({{"name", printable(c.name)},
                       {"files", c.files},
                       {"bytes", c.bytes},
                       {"under_replicas", c.under_replicas},
                       {"under_backups", c.under_backups}});
  }
  out["files"] = files;
  out["bytes"] = bytes;
  out["folders"] = facts.totals.folders;
  out["symlinks"] = facts.totals.symlinks;
  out["being_written"] = facts.totals.pending;
  out["classes"] = std::move(classes);
  out["queue"] = queue_summary_json(facts.queue);
  out["nodes"] = nodes_json(facts.nodes);
  for (Json& node : out["nodes"]) node["owes"] = 0;
  for (const NodeOwes& owes : facts.owed)
    for (Json& node : out["nodes"])
      if (names_json(NodeSet::of(owes.node), facts.nodes)[0] == node["name"]) node["owes"] = owes.count;
  for (Json& node : out["nodes"])
    for (const NodeTotals& t : facts.totals.nodes)
      if (names_json(NodeSet::of(t.node), facts.nodes)[0] == node["name"])
        node.update({{"files", t.files}, {"bytes", t.bytes}, {"only_here", t.only_here}});
  out["findings"] = Json::array();
  for (const Finding& f : facts.findings)
    out["findings"].push_back({{"kind", name_of(f.kind)},
                               {"node", names_json(NodeSet::of(f.node), facts.nodes)[0]},
                               {"path", printable(f.path.str())},
                               {"detail", printable(f.detail)},
                               {"first_seen", f.first_seen.str()},
                               {"last_seen", f.last_seen.str()}});
  return out;
}

Json locate_json(const FileFacts& facts) {
  const Inode& i = facts.inode;
  Json out = {{"path", printable(facts.path.str())},
              {"type", name_of(i.type)},
              {"id", i.id.value},
              {"mode", fmt::format("{:04o}", i.attributes.mode)},
              {"uid", i.attributes.uid},
              {"gid", i.attributes.gid},
              {"modified", i.attributes.mtime.str()}};
  if (i.type == FileType::symlink) out["target"] = printable(i.link_target);
  if (!i.is_file()) return out;
  out.update({{"size", i.size},
              {"digest", i.digest.str()},
              {"version", i.version.value},
              {"being_written", i.state == ContentState::pending},
              {"class", printable(i.storage_class)},
              {"replica_target", i.replica_target},
              {"backup_target", i.backup_target},
              {"backup_count", i.backups.size()}});
  out["copies"] = Json::array();
  for (const NodeIndex index : i.replicas) {
    std::optional<Timestamp> proved;
    for (const ProvedTime& p : facts.proved)
      if (p.node == index) proved = p.when;
    out["copies"].push_back(
        {{"node", names_json(NodeSet::of(index), facts.nodes)[0]}, {"last_proved", time_json(proved)}});
  }
  out["older_copies"] = names_json(i.older, facts.nodes);
  return out;
}

Json queue_json(const QueueFacts& facts) {
  Json out = queue_summary_json(facts.summary);
  out["entries"] = Json::array();
  for (const QueueEntry& e : facts.entries)
    out["entries"].push_back({{"path", printable(e.path.str())},
                              {"id", e.inode.id.value},
                              {"size", e.inode.size},
                              {"copies", e.inode.replicas.size()},
                              {"target", e.inode.replica_target},
                              {"held_by", names_json(e.inode.replicas, facts.nodes)},
                              {"can_go_to", names_json(e.helpers, facts.nodes)},
                              {"attempts", e.attempts},
                              {"retry_at", time_json(e.retry_at)}});
  return out;
}

}  // namespace geogrid
