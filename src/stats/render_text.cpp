#include "stats/render_text.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace geogrid {
namespace {

const NodeRecord* find(const std::vector<NodeRecord>& nodes, NodeIndex index) {
  const auto it =
      std::find_if(nodes.begin(), nodes.end(), [&](const NodeRecord& n) { return n.index == index; });
  return it == nodes.end() ? nullptr : &*it;
}

std::string heartbeat_of(const NodeRecord& node) {
  if (!node.heartbeat_age) return "never";
  return format_duration(*node.heartbeat_age) + " ago";
}

Table::Cell state_cell(const NodeRecord& node) {
  const Tone tone = node.state == NodeState::active ? Tone::good
                    : node.state == NodeState::down ? Tone::bad
                                                    : Tone::warning;
  return {std::string(name_of(node.state)), tone};
}

Table::Cell count_cell(std::uint64_t count, Tone when_not_zero) {
  return {format_count(count), count == 0 ? Tone::plain : when_not_zero};
}

// Deletions and renames that its disk still has to do.
Table::Cell owes_cell(const Facts& facts, NodeIndex node) {
  for (const NodeOwes& owes : facts.owed)
    if (owes.node == node) return {format_count(owes.count) + (owes.more ? "+" : ""), Tone::warning};
  return {"0"};
}

void field(std::string& out, std::string_view name, const std::string& value, Style style) {
  out += toned(fmt::format("{:<10}", name), Tone::faint, style) + " " + value + "\n";
}

std::string type_of(const Inode& inode) {
  std::string type(name_of(inode.type));
  if (inode.type == FileType::symlink) type += " to " + printable(inode.link_target);
  return type;
}

}  // namespace

Tone tone_of(ArchiveVerdict verdict) {
  switch (verdict) {
    case ArchiveVerdict::safe:
      return Tone::good;
    case ArchiveVerdict::degraded:
      return Tone::warning;
    case ArchiveVerdict::at_risk:
    case ArchiveVerdict::lost:
      return Tone::bad;
  }
  return Tone::plain;
}

std::string names_of(NodeSet set, const std::vector<NodeRecord>& nodes) {
  std::string names;
  for (const NodeIndex index : set) {
    const NodeRecord* node = find(nodes, index);
    if (!names.empty()) names += ", ";
    names += node ? node->name : fmt::format("#{}", index.value);
  }
  return names.empty() ? "none" : names;
}

std::string render_nodes(const std::vector<NodeRecord>& nodes, Style style) {
  Table table({{"node"},
               {"state"},
               {"zone"},
               {"weight", Align::right},
               {"free", Align::right},
               {"of", Align::right},
               {"heard", Align::right},
               {"first walk"}});
  for (const NodeRecord& node : nodes)
    table.add({node.name,
               state_cell(node),
               node.zone.empty() ? "–" : printable(node.zone),
               fmt::format("{:g}", node.weight),
               format_size(node.free_bytes),
               format_size(node.total_bytes),
               {heartbeat_of(node), is_silent(node) ? Tone::bad : Tone::plain},
               node.first_walk_finished ? node.first_walk_finished->str() : "not yet"});
  return table.render(style);
}

std::string render_status(const Facts& facts, Style style) {
  const Health health = assess(facts);
  std::string verdict(name_of(health.verdict));
  std::transform(verdict.begin(), verdict.end(), verdict.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  std::string out =
      fmt::format("{}: {}\n", facts.cluster.name, toned(verdict, tone_of(health.verdict), style));
  for (const Reason& reason : health.reasons)
    out += "  " + toned("• ", tone_of(reason.severity), style) + reason.text + "\n";

  Table classes({{"class"},
                 {"files", Align::right},
                 {"size", Align::right},
                 {"under copies", Align::right},
                 {"under backups", Align::right}});
  for (const ClassTotals& c : facts.totals.classes)
    classes.add({printable(c.name), format_count(c.files), format_size(c.bytes),
                 count_cell(c.under_replicas, Tone::warning), format_count(c.under_backups)});
  if (!classes.empty()) out += "\n" + classes.render(style);

  Table nodes({{"node"},
               {"state"},
               {"files", Align::right},
               {"size", Align::right},
               {"only here", Align::right},
               {"owes", Align::right},
               {"free", Align::right},
               {"heard", Align::right}});
  for (const NodeRecord& node : facts.nodes) {
    NodeTotals totals;
    for (const NodeTotals& t : facts.totals.nodes)
      if (t.node == node.index) totals = t;
    nodes.add({node.name,
               state_cell(node),
               format_count(totals.files),
               format_size(totals.bytes),
               count_cell(totals.only_here, Tone::warning),
               owes_cell(facts, node.index),
               format_size(node.free_bytes),
               {heartbeat_of(node), is_silent(node) ? Tone::bad : Tone::plain}});
  }
  if (!nodes.empty()) out += "\n" + nodes.render(style);

  if (!facts.findings.empty()) {
    constexpr std::size_t shown = 10;
    Table findings({{"found"}, {"node"}, {"path"}, {"what"}});
    for (std::size_t i = 0; i < std::min(shown, facts.findings.size()); ++i) {
      const Finding& f = facts.findings[i];
      findings.add({{std::string(name_of(f.kind)), Tone::warning},
                    names_of(NodeSet::of(f.node), facts.nodes),
                    printable(f.path.str()),
                    printable(f.detail)});
    }
    out += "\n" + findings.render(style);
    if (facts.findings.size() > shown)
      out += fmt::format("and {} more (--json lists them)\n", format_count(facts.findings.size() - shown));
  }
  return out;
}

std::string render_locate(const FileFacts& facts, Style style) {
  const Inode& inode = facts.inode;
  std::string out;
  field(out, "path", printable(facts.path.str()), style);
  field(out, "type", type_of(inode), style);
  field(out, "id", std::to_string(inode.id.value), style);
  field(out, "mode",
        fmt::format("{:04o}, owner {}:{}", inode.attributes.mode, inode.attributes.uid, inode.attributes.gid),
        style);
  field(out, "modified", inode.attributes.mtime.str(), style);
  if (!inode.is_file()) return out;
  field(out, "size", fmt::format("{} ({} bytes)", format_size(inode.size), format_count(inode.size)), style);
  field(out, "digest", inode.digest.str(), style);
  field(out, "version",
        inode.state == ContentState::pending ? "being written" : std::to_string(inode.version.value), style);
  field(out, "class", printable(inode.storage_class), style);
  const bool enough = inode.replicas.size() >= inode.replica_target;
  field(out, "copies",
        toned(fmt::format("{} of {}", inode.replicas.size(), inode.replica_target),
              enough ? Tone::good : Tone::warning, style),
        style);
  field(out, "backups", fmt::format("{} of {}", inode.backups.size(), inode.backup_target), style);

  Table copies({{"node"}, {"state"}, {"holds"}, {"last proved"}});
  for (const NodeIndex index : inode.replicas | inode.older) {
    const NodeRecord* node = find(facts.nodes, index);
    std::string proved = "not yet";
    for (const ProvedTime& p : facts.proved)
      if (p.node == index) proved = p.when.str();
    const bool current = inode.replicas.contains(index);
    copies.add({names_of(NodeSet::of(index), facts.nodes), node ? state_cell(*node) : Table::Cell("unknown"),
                current ? "this version" : "an older version", current ? proved : "–"});
  }
  return copies.empty() ? out : out + "\n" + copies.render(style);
}

std::string render_queue(const QueueFacts& facts, Style style) {
  const QueueSummary& summary = facts.summary;
  if (summary.files == 0)
    return toned("Every file has the copies that its class asks for.", Tone::good, style) + "\n";
  std::string out = fmt::format(
      "{} files ({}) are under their target; {} without a copy, {} with one copy left, {} that no node can "
      "help.\n\n",
      format_count(summary.files), format_size(summary.bytes), format_count(summary.without_copy),
      format_count(summary.last_copy), format_count(summary.stuck));
  Table table({{"copies", Align::right},
               {"size", Align::right},
               {"held by"},
               {"can go to"},
               {"tries", Align::right},
               {"path"}});
  for (const QueueEntry& e : facts.entries) {
    const int have = e.inode.replicas.size();
    table.add({{fmt::format("{}/{}", have, e.inode.replica_target), have == 0 ? Tone::bad : Tone::warning},
               format_size(e.inode.size),
               names_of(e.inode.replicas, facts.nodes),
               e.helpers.empty() ? Table::Cell("nowhere", Tone::bad)
                                 : Table::Cell(names_of(e.helpers, facts.nodes)),
               std::to_string(e.attempts),
               printable(e.path.str())});
  }
  out += table.render(style);
  if (summary.files > facts.entries.size())
    out += fmt::format("and {} more\n", format_count(summary.files - facts.entries.size()));
  return out;
}

}  // namespace geogrid
