#include "stats/render_trash.hpp"

#include <algorithm>
#include <set>

#include "base/units.hpp"
#include "stats/render_text.hpp"

namespace geogrid {
namespace {

NodeSet nodes_with(const TrashFile& file) {
  NodeSet nodes;
  for (const TrashPlace& place : file.places) nodes = nodes.with(place.node);
  return nodes;
}

Json names_json(NodeSet set, const std::vector<NodeRecord>& nodes) {
  Json names = Json::array();
  for (const NodeIndex index : set) names.push_back(names_of(NodeSet::of(index), nodes));
  return names;
}

Json failed_json(const std::vector<TrashFound::Failed>& failed, const std::vector<NodeRecord>& nodes) {
  Json out = Json::array();
  for (const TrashFound::Failed& one : failed)
    out.push_back(
        {{"node", names_of(NodeSet::of(one.node), nodes)}, {"error", printable(one.error.message)}});
  return out;
}

std::string failed_text(const std::vector<TrashFound::Failed>& failed, const std::vector<NodeRecord>& nodes,
                        Style style) {
  std::string out;
  for (const TrashFound::Failed& one : failed)
    out += toned(fmt::format("node {} was left out: {}\n", names_of(NodeSet::of(one.node), nodes),
                             printable(one.error.message)),
                 Tone::warning, style);
  return out;
}

std::string files_and_size(std::uint64_t files, std::uint64_t bytes) {
  return fmt::format("{} {} ({})", format_count(files), files == 1 ? "file" : "files", format_size(bytes));
}

}  // namespace

std::string render_trash(const TrashFound& found, const std::vector<NodeRecord>& nodes, Style style) {
  Table table({{"date"}, {"path"}, {"size", Align::right}, {"nodes"}});
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < found.files.size(); ++i) {
    const TrashFile& file = found.files[i];
    bytes += file.size();
    if (i < kListedTrash)
      table.add({file.day, printable(file.path.str()), format_size(file.size()),
                 names_of(nodes_with(file), nodes)});
  }
  std::string out;
  if (found.files.empty()) {
    out = "Nothing is in the trash there.\n";
  } else {
    out = table.render(style);
    if (found.files.size() > kListedTrash)
      out +=
          fmt::format("and {} more (--json lists them)\n", format_count(found.files.size() - kListedTrash));
    out += files_and_size(found.files.size(), bytes) + "\n";
  }
  return out + failed_text(found.failed, nodes, style);
}

Json trash_json(const TrashFound& found, const std::vector<NodeRecord>& nodes) {
  Json out = {{"files", Json::array()}, {"failed", failed_json(found.failed, nodes)}};
  for (const TrashFile& file : found.files)
    out["files"].push_back({{"date", file.day},
                            {"path", printable(file.path.str())},
                            {"size", file.size()},
                            {"nodes", names_json(nodes_with(file), nodes)}});
  return out;
}

std::string render_restore(const RestoreReport& report, const std::vector<NodeRecord>& nodes, bool dry_run,
                           Style style) {
  std::uint64_t files = 0, bytes = 0;
  Table table({{"path"}, {"size", Align::right}, {"nodes"}, {""}});
  for (const RestoredFile& file : report.files) {
    if (!file.error) {
      ++files;
      bytes += file.size;
    }
    if (table.empty() || &file < report.files.data() + kListedTrash)
      table.add({printable(file.to.str()), format_size(file.size),
                 file.error ? "–" : names_of(file.nodes, nodes),
                 file.error ? Table::Cell("stays: " + printable(file.error->message), Tone::bad)
                            : Table::Cell("")});
  }
  std::string out = table.render(style);
  if (report.files.size() > kListedTrash)
    out += fmt::format("and {} more (--json lists them)\n", format_count(report.files.size() - kListedTrash));
  out += fmt::format("{} {} of {}", dry_run ? "Would restore" : "Restored", files_and_size(files, bytes),
                     report.day);
  if (const std::size_t stay = report.refused(); stay > 0)
    out += fmt::format("; {} {} in the trash", format_count(stay), stay == 1 ? "stays" : "stay");
  return out + ".\n" + failed_text(report.failed, nodes, style);
}

Json restore_json(const RestoreReport& report, const std::vector<NodeRecord>& nodes, bool dry_run) {
  Json out = {{"date", report.day},
              {"dry_run", dry_run},
              {"files", Json::array()},
              {"failed", failed_json(report.failed, nodes)}};
  for (const RestoredFile& file : report.files)
    out["files"].push_back({{"from", printable(file.from.str())},
                            {"path", printable(file.to.str())},
                            {"size", file.size},
                            {"nodes", names_json(file.nodes, nodes)},
                            {"error", file.error ? Json(printable(file.error->message)) : Json(nullptr)}});
  return out;
}

std::string render_purge(const std::vector<PurgedNode>& purged, const std::vector<NodeRecord>& nodes,
                         bool dry_run, Style style) {
  std::string out;
  for (const PurgedNode& one : purged) {
    const std::string name = names_of(NodeSet::of(one.node), nodes);
    out += fmt::format("{} {} from the trash of {}.\n", dry_run ? "Would remove" : "Removed",
                       files_and_size(one.purged.files, one.purged.bytes), name);
    if (!one.end)
      out += toned(fmt::format("node {}: {}\n", name, printable(one.end.error().message)), Tone::bad, style);
  }
  return out;
}

Json purge_json(const std::vector<PurgedNode>& purged, const std::vector<NodeRecord>& nodes, bool dry_run) {
  Json out = {{"dry_run", dry_run}, {"nodes", Json::array()}};
  for (const PurgedNode& one : purged)
    out["nodes"].push_back({{"name", names_of(NodeSet::of(one.node), nodes)},
                            {"files", one.purged.files},
                            {"bytes", one.purged.bytes},
                            {"error", one.end ? Json(nullptr) : Json(printable(one.end.error().message))}});
  return out;
}

}  // namespace geogrid
