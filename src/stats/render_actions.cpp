#include "stats/render_actions.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace geogrid {
namespace {

std::string rate_of(std::uint64_t files, std::chrono::milliseconds duration) {
  const double seconds = std::max(0.001, static_cast<double>(duration.count()) / 1e3);
  return fmt::format("in {}, {} files/s", format_duration(duration),
                     format_count(static_cast<std::uint64_t>(static_cast<double>(files) / seconds)));
}

/// "  12,345  registered" for each count that is not zero.
class CountLines {
 public:
  explicit CountLines(Style style) : style_(style) {}
  void add(std::uint64_t count, std::string_view what, Tone tone = Tone::plain) {
    if (count > 0) text_ += toned(fmt::format("  {:>12}  {}\n", format_count(count), what), tone, style_);
  }
  const std::string& text() const { return text_; }

 private:
  Style style_;
  std::string text_;
};

std::string findings_table(const std::vector<Finding>& findings, Style style) {
  if (findings.empty()) return {};
  Table table({{"found"}, {"path"}, {"what"}});
  for (std::size_t i = 0; i < std::min(findings.size(), kListedFindings); ++i)
    table.add({{std::string(name_of(findings[i].kind)), Tone::warning},
               printable(findings[i].path.str()),
               printable(findings[i].detail)});
  std::string out = table.render(style, 2);
  if (findings.size() > kListedFindings)
    out +=
        fmt::format("  and {} more (--json lists them)\n", format_count(findings.size() - kListedFindings));
  return out;
}

Json findings_json(const std::vector<Finding>& findings) {
  Json out = Json::array();
  for (const Finding& f : findings)
    out.push_back(
        {{"kind", name_of(f.kind)}, {"path", printable(f.path.str())}, {"detail", printable(f.detail)}});
  return out;
}

Json end_json(const result<void>& end) {
  return end ? Json(nullptr) : Json(printable(end.error().message));
}

}  // namespace

std::string render_walk(const std::string& node, const WalkReport& r, Style style) {
  std::string out =
      fmt::format("{} {}: {} files in {} folders, {}, {}{}\n", r.dry_run ? "Would walk" : "Walked", node,
                  format_count(r.files), format_count(r.folders), format_size(r.bytes),
                  rate_of(r.files, r.duration), r.resumed ? " (resumed)" : "");
  CountLines lines(style);
  lines.add(r.registered_files, "files registered", Tone::good);
  lines.add(r.registered_folders, "folders registered");
  lines.add(r.registered_symlinks, "symlinks registered");
  lines.add(r.made_symlinks, "recorded symlinks made", Tone::good);
  lines.add(r.claimed, "copies of known files counted", Tone::good);
  lines.add(r.filled, "missing digests filled");
  lines.add(r.proved, "copies proved by their digest");
  lines.add(r.unchanged, "unchanged since the last walk");
  lines.add(r.aligned, "modification times set to the archive's");
  lines.add(r.older, "older versions, which replication replaces");
  lines.add(r.ignored, "names ignored");
  lines.add(r.removed_meanwhile, "removed meanwhile");
  lines.add(r.changed_meanwhile, "changed meanwhile: the next walk looks again", Tone::warning);
  lines.add(r.missing, "copies missing: no longer counted", Tone::bad);
  lines.add(r.changed_outside, "copies changed from outside: no longer counted", Tone::bad);
  lines.add(r.damaged, "copies damaged: no longer counted", Tone::bad);
  lines.add(r.held_back, "missing, but still counted: the brake held them back", Tone::bad);
  lines.add(r.conflicts, "conflicts: other content where a copy belongs", Tone::bad);
  lines.add(r.type_conflicts, "names of another type than the archive's", Tone::bad);
  lines.add(r.specials, "special files left alone", Tone::warning);
  lines.add(r.unreadable_folders, "folders that could not be read", Tone::bad);
  lines.add(r.unreadable_files, "files that could not be read", Tone::bad);
  return out + lines.text() + findings_table(r.findings, style);
}

Json walk_json(const std::string& node, const WalkReport& r) {
  return {{"node", node},
          {"dry_run", r.dry_run},
          {"complete", r.complete},
          {"resumed", r.resumed},
          {"error", end_json(r.end)},
          {"milliseconds", r.duration.count()},
          {"folders", r.folders},
          {"files", r.files},
          {"bytes", r.bytes},
          {"unchanged", r.unchanged},
          {"digested_files", r.digested_files},
          {"digested_bytes", r.digested_bytes},
          {"ignored", r.ignored},
          {"registered_files", r.registered_files},
          {"registered_folders", r.registered_folders},
          {"registered_symlinks", r.registered_symlinks},
          {"made_symlinks", r.made_symlinks},
          {"claimed", r.claimed},
          {"filled", r.filled},
          {"proved", r.proved},
          {"aligned", r.aligned},
          {"removed_meanwhile", r.removed_meanwhile},
          {"changed_meanwhile", r.changed_meanwhile},
          {"older", r.older},
          {"missing", r.missing},
          {"changed_outside", r.changed_outside},
          {"damaged", r.damaged},
          {"held_back", r.held_back},
          {"conflicts", r.conflicts},
          {"type_conflicts", r.type_conflicts},
          {"specials", r.specials},
          {"unreadable_folders", r.unreadable_folders},
          {"unreadable_files", r.unreadable_files},
          {"findings", findings_json(r.findings)}};
}

std::string render_replication(const std::string& node, const ReplicateReport& r, Style style) {
  std::string out =
      fmt::format("Replicated to {}: {} copies, {}, {}\n", node, format_count(r.copied + r.adopted),
                  format_size(r.copied_bytes), rate_of(r.copied, r.duration));
  CountLines lines(style);
  lines.add(r.copied, "copied, verified and recorded", Tone::good);
  lines.add(r.adopted, "already there with the right bytes", Tone::good);
  lines.add(r.dropped, "dropped: changed, moved or removed meanwhile");
  lines.add(r.stale_aside, "older versions moved to trash");
  lines.add(r.conflicts, "other contents moved to .geogrid/conflicts", Tone::warning);
  lines.add(r.bad_sources, "sources with wrong bytes: no longer counted", Tone::bad);
  lines.add(r.source_errors, "reads that failed; another source was tried", Tone::warning);
  lines.add(r.failed, "failed: tried again later", Tone::bad);
  lines.add(r.without_source, "of these, no node that holds them could be read", Tone::bad);
  lines.add(r.too_large, "of these, there was no room", Tone::bad);
  return out + lines.text() + findings_table(r.findings, style);
}

Json replication_json(const std::string& node, const ReplicateReport& r) {
  return {{"node", node},
          {"error", end_json(r.end)},
          {"milliseconds", r.duration.count()},
          {"taken", r.taken},
          {"copied", r.copied},
          {"copied_bytes", r.copied_bytes},
          {"adopted", r.adopted},
          {"dropped", r.dropped},
          {"failed", r.failed},
          {"without_source", r.without_source},
          {"too_large", r.too_large},
          {"conflicts", r.conflicts},
          {"stale_aside", r.stale_aside},
          {"bad_sources", r.bad_sources},
          {"source_errors", r.source_errors},
          {"findings", findings_json(r.findings)}};
}

std::string render_verification(const VerifyReport& report, Style style) {
  Table nodes({{"node"},
               {"copies", Align::right},
               {"right", Align::right},
               {"missing", Align::right},
               {"damaged", Align::right},
               {"changed", Align::right},
               {"unknown", Align::right},
               {"uncounted", Align::right},
               {""}});
  const auto bad = [](std::uint64_t count) {
    return Table::Cell(format_count(count), count > 0 ? Tone::bad : Tone::plain);
  };
  for (const VerifyNodeReport& n : report.nodes)
    nodes.add({n.name, format_count(n.files), format_count(n.right), bad(n.count(VerifyKind::missing)),
               bad(n.count(VerifyKind::damaged)), bad(n.count(VerifyKind::changed)),
               format_count(n.count(VerifyKind::unknown)), format_count(n.count(VerifyKind::uncounted)),
               n.end ? Table::Cell("") : Table::Cell(printable(n.end.error().message), Tone::bad)});
  std::string out = nodes.render(style);
  if (report.problems.empty()) return out;
  Table problems({{"found"}, {"node"}, {"path"}, {"what"}});
  const auto name_of_node = [&](NodeIndex index) {
    for (const VerifyNodeReport& n : report.nodes)
      if (n.node == index) return n.name;
    return fmt::format("#{}", index.value);
  };
  for (std::size_t i = 0; i < std::min(report.problems.size(), kListedFindings); ++i) {
    const VerifyProblem& p = report.problems[i];
    problems.add({{std::string(name_of(p.kind)), Tone::warning},
                  name_of_node(p.node),
                  printable(p.path.str()),
                  printable(p.detail)});
  }
  out += "\n" + problems.render(style);
  if (report.problems.size() > kListedFindings)
    out += fmt::format("and {} more (--json lists them)\n",
                       format_count(report.problems.size() - kListedFindings));
  return out;
}

Json verification_json(const VerifyReport& report) {
  Json out = {{"good", report.good()},
              {"error", end_json(report.end)},
              {"nodes", Json::array()},
              {"problems", Json::array()}};
  std::vector<std::pair<NodeIndex, std::string>> names;
  for (const VerifyNodeReport& n : report.nodes) {
    Json node = {{"name", n.name},
                 {"copies", n.files},
                 {"bytes", n.bytes},
                 {"right", n.right},
                 {"digested_bytes", n.digested_bytes},
                 {"error", end_json(n.end)}};
    for (std::size_t kind = 0; kind < kVerifyKinds; ++kind)
      node[std::string(name_of(static_cast<VerifyKind>(kind)))] = n.counts[kind];
    out["nodes"].push_back(std::move(node));
    names.emplace_back(n.node, n.name);
  }
  for (const VerifyProblem& p : report.problems) {
    const auto it =
        std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == p.node; });
    out["problems"].push_back({{"kind", name_of(p.kind)},
                               {"node", it == names.end() ? "" : it->second},
                               {"path", printable(p.path.str())},
                               {"detail", printable(p.detail)}});
  }
  return out;
}

}  // namespace geogrid
