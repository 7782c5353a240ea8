#include "process.hpp"

#include <algorithm>

namespace geogrid {

result<Process> load_process(const std::string& config_file) {
  ConfigResult read = read_config(config_file);
  if (!read) return read.error();
  Process process{std::move(*read.config), Log(), nullptr};
  process.log = Log::to_stderr(process.config.log.level);
  GG_TRY(StorageClasses classes, StorageClasses::make(process.config.classes));
  process.classes = std::make_shared<const StorageClasses>(std::move(classes));
  return process;
}

result<StoreOptions> store_options(const Process& process) {
  const MetadataConfig& config = process.config.metadata;
  StoreOptions options;
  options.cluster = process.config.cluster;
  options.classes = process.classes;
  options.log = process.log.named("metadata");
  StoreAddress& address = options.address;
  if (const auto* sqlite = std::get_if<SqliteLocation>(&config.location)) {
    address.file = sqlite->path;
    return options;
  }
  const auto& mariadb = std::get<MariaDbLocation>(config.location);
  address.embedded = false;
  address.socket = mariadb.socket;
  address.user = mariadb.user;
  address.database = mariadb.database;
  address.tls_ca = config.tls.ca;
  for (const Endpoint& host : mariadb.hosts) address.hosts.push_back({host.host, host.port});
  if (config.password.given()) {
    auto password = config.password.read();
    if (!password) return password.error().within("metadata.password_file");
    address.password = std::move(*password);
  }
  return options;
}

task<result<std::unique_ptr<MetadataStore>>> open_configured_store(const Process& process) {
  GG_CO_TRY(StoreOptions options, store_options(process));
  co_return co_await open_store(std::move(options));
}

result<std::string> node_path(const Process& process, const std::string& name) {
  const NodeConfig* node = process.config.find_node(name);
  if (node == nullptr)
    return fail(errc::invalid_argument, "{}: 'nodes:' has no '{}'; say there how this machine reaches it",
                process.config.file, name);
  if (node->path.empty())
    return fail(errc::invalid_argument,
                "node {} is reached by URL, not by a path of this machine; run this on the node itself",
                name);
  return node->path;
}

task<result<std::vector<NodeVolume>>> open_configured_volumes(const Process& process, MetadataStore& store) {
  GG_CO_TRY(const ClusterInfo cluster, co_await store.cluster());
  GG_CO_TRY(const std::vector<NodeRecord> nodes, co_await store.nodes(NodeKind::storage));
  std::vector<NodeVolume> volumes;
  for (const NodeRecord& node : nodes) {
    if (node.state == NodeState::retired) continue;
    const NodeConfig* config = process.config.find_node(node.name);
    if (config == nullptr) {
      process.log.warning(
          "node {} is registered, but 'nodes:' in {} does not say how this machine reaches it", node.name,
          process.config.file);
      continue;
    }
    if (config->path.empty()) {
      process.log.warning(
          "node {} is given by URL, which this version cannot reach yet; mount it and give its path",
          node.name);
      continue;
    }
    LocalVolumeOptions options;
    options.root = config->path;
    options.node = node.name;
    auto volume = open_local_volume(std::move(options),
                                    VolumeMarker{cluster.uuid, cluster.name, node.name, node.volume_uuid});
    if (auto probed = co_await volume->probe(); !probed) {
      if (probed.error().is(errc::foreign)) co_return probed.error();
      process.log.warning("node {} is absent now: {}", node.name, probed.error().message);
    }
    volumes.push_back({node.index, std::move(volume)});
  }
  for (const NodeConfig& config : process.config.nodes)
    if (std::none_of(nodes.begin(), nodes.end(), [&](const NodeRecord& n) { return n.name == config.name; }))
      process.log.warning("node {} is in {} but not registered: run 'geogridd node add {}'", config.name,
                          process.config.file, config.name);
  co_return volumes;
}

}  // namespace geogrid
