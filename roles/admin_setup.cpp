// check-config, init, node …, classify

#include <cstdio>
#include <iostream>

#include "admin.hpp"
#include "base/units.hpp"
#include "stats/render_json.hpp"
#include "stats/render_text.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kClassifyPage = 500;

/// The marker for a new volume, or the one that an interrupted `node add` of the same node left.
result<NewVolume> mark_volume(const std::string& path, const VolumeMarker& wanted, bool dry_run) {
  auto existing = read_volume_marker(path);
  if (existing) {
    if (existing->cluster_uuid != wanted.cluster_uuid || existing->node != wanted.node)
      return fail(errc::foreign,
                  "{} is the volume of node {} of cluster {}, and is left alone; if that is no longer true, "
                  "remove {}/.geogrid/volume",
                  path, printable(existing->node), printable(existing->cluster_name), path);
    return NewVolume{std::move(*existing), false};
  }
  if (!existing.error().is(std::errc::no_such_file_or_directory)) return existing.error();
  if (dry_run) return NewVolume{wanted, false};
  return initialise_volume(path, wanted);
}

std::string node_line(const NodeRecord& node) {
  return node.state == NodeState::joining ? fmt::format(
                                                "Node {} is joining: it holds files already, which 'geogridd "
                                                "--role=storage --action=walk --replica={}' registers.\n",
                                                node.name, node.name)
                                          : fmt::format("Node {} is {}.\n", node.name, name_of(node.state));
}

}  // namespace

void Output::print(const std::string& text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int check_config(const std::string& file, const Output& output) {
  ConfigResult read = read_config(file);
  std::vector<ConfigFault> faults = read.faults;
  if (read.config) {
    const auto secrets = check_secret_files(*read.config);
    faults.insert(faults.end(), secrets.begin(), secrets.end());
  }
  if (output.json) {
    Json out = {{"file", file}, {"ok", faults.empty()}};
    out["faults"] = Json::array();
    for (const ConfigFault& f : faults)
      out["faults"].push_back(
          {{"file", f.file}, {"line", f.line}, {"column", f.column}, {"message", printable(f.message)}});
    output.print(out.dump(2) + "\n");
  } else if (faults.empty()) {
    output.print(fmt::format("{}: no faults\n", file));
  } else {
    for (const ConfigFault& f : faults) std::cerr << f.str() << "\n";
  }
  return faults.empty() ? 0 : 2;
}

task<result<int>> init_cluster(const Process& process, Output output) {
  GG_CO_TRY(StoreOptions options, store_options(process));
  const std::string where = options.address.str();
  if (output.dry_run) {
    auto store = co_await open_store(std::move(options));
    if (!store && !store.error().is(errc::not_initialised)) co_return store.error();
    output.print(store ? fmt::format("{} holds cluster {} already; nothing would be done.\n", where,
                                     process.config.cluster)
                       : fmt::format("Would create cluster {} in {}.\n", process.config.cluster, where));
    co_return 0;
  }
  GG_CO_TRY(InitialisedStore opened, co_await initialise_store(std::move(options)));
  GG_CO_TRY(const ClusterInfo cluster, co_await opened.store->cluster());
  if (output.json)
    output.print(Json({{"cluster", cluster.name},
                       {"uuid", cluster.uuid},
                       {"schema", cluster.schema},
                       {"created", opened.created}})
                     .dump(2) +
                 "\n");
  else if (opened.created)
    output.print(
        fmt::format("Created cluster {} ({}) in {}.\nNext: geogridd node add NAME, for each storage node.\n",
                    cluster.name, cluster.uuid, where));
  else
    output.print(fmt::format("{} holds cluster {} ({}) already; nothing was done.\n", where, cluster.name,
                             cluster.uuid));
  co_return 0;
}

task<result<int>> node_add(const Process& process, NodeAdd request, Output output) {
  if (auto ok = check_name(request.name); !ok) co_return ok.error().within("node name");
  GG_CO_TRY(const std::string configured, node_path(process, request.name));
  if (!request.path.empty() && request.path != configured)
    co_return fail(errc::invalid_argument, "--path={} is not what 'nodes:' in {} says for {}: {}",
                   printable(request.path), process.config.file, request.name, configured);
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  GG_CO_TRY(const ClusterInfo cluster, co_await store->cluster());
  GG_CO_TRY(const std::vector<NodeRecord> nodes, co_await store->nodes(NodeKind::storage));
  for (const NodeRecord& node : nodes)
    if (node.name == request.name) {
      if (output.json)
        output.print(nodes_json({node})[0].dump(2) + "\n");
      else
        output.print(fmt::format("Node {} is registered already ({}); nothing was done.\n", node.name,
                                 name_of(node.state)));
      co_return 0;
    }
  const VolumeMarker wanted{cluster.uuid, cluster.name, request.name, system_random().uuid()};
  GG_CO_TRY(const NewVolume volume, mark_volume(configured, wanted, output.dry_run));
  if (output.dry_run) {
    output.print(
        fmt::format("Would mark {} as the volume of node {} and register it.\n", configured, request.name));
    co_return 0;
  }
  // Named first: GCC 12 destroys an aggregate that is made inside a co_await expression twice.
  NewStorageNode added{request.name, request.zone, request.weight, volume.marker.uuid, volume.empty};
  GG_CO_TRY(const NodeRecord node, co_await store->add_node(std::move(added)));
  output.print(output.json ? nodes_json({node})[0].dump(2) + "\n" : node_line(node));
  co_return 0;
}

task<result<int>> node_list(const Process& process, Output output) {
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  GG_CO_TRY(const std::vector<NodeRecord> nodes, co_await store->nodes(NodeKind::storage));
  output.print(output.json ? nodes_json(nodes).dump(2) + "\n" : render_nodes(nodes, Style{output.colour}));
  co_return 0;
}

task<result<int>> node_set(const Process& process, NodeSetState request, Output output) {
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  if (output.dry_run) {
    GG_CO_TRY(const std::vector<NodeRecord> nodes, co_await store->nodes(NodeKind::storage));
    for (const NodeRecord& node : nodes)
      if (node.name == request.name) {
        output.print(fmt::format("Would change node {}.\n", node.name));
        co_return 0;
      }
    co_return fail(errc::not_found, "no storage node is called {}; 'geogridd node list' shows them",
                   printable(request.name));
  }
  NodeChange change{request.state, request.zone, request.weight};
  GG_CO_TRY(const NodeRecord node, co_await store->change_node(request.name, std::move(change)));
  output.print(output.json ? nodes_json({node})[0].dump(2) + "\n" : node_line(node));
  co_return 0;
}

task<result<int>> classify(const Process& process, Output output) {
  GG_CO_TRY(auto store, co_await open_configured_store(process));
  std::uint64_t seen = 0;
  std::uint64_t changed = 0;
  InodeId after{0};
  for (;;) {
    GG_CO_TRY(const auto page, co_await store->classify(after, kClassifyPage, output.dry_run));
    seen += page.seen;
    changed += page.changed;
    if (!page.last) break;
    after = *page.last;
  }
  if (output.json)
    output.print(Json({{"files", seen}, {"changed", changed}, {"dry_run", output.dry_run}}).dump(2) + "\n");
  else
    output.print(fmt::format("{} files, {} {} class or targets.\n", format_count(seen), format_count(changed),
                             output.dry_run ? "would change" : "changed"));
  co_return 0;
}

}  // namespace geogrid
