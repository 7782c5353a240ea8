#include "config/checks.hpp"

#include <map>

#include "base/path.hpp"
#include "config/values.hpp"

namespace geogrid {
namespace {

bool has_key(const YamlNode& map, std::string_view key) {
  return std::any_of(map.entries.begin(), map.entries.end(),
                     [&](const YamlEntry& e) { return e.key == key; });
}

void refuse_both(ReadContext& context, const YamlNode& node, std::string_view one, std::string_view other) {
  if (has_key(node, one) && has_key(node, other))
    context.fault(node, fmt::format("'{}' and '{}' exclude each other", one, other));
}

void check_node_names(ReadContext& context, const Config& config) {
  if (context.faulty("nodes")) return;
  std::vector<std::string> names;
  for (const NodeConfig& n : config.nodes) names.push_back(n.name);
  const auto require = [&](const std::string& key, const std::string& name) {
    if (context.faulty(key) || config.find_node(name) != nullptr) return;
    context.fault_at(key, fmt::format("no node '{}' is under 'nodes'{}", printable(name),
                                      context.suggestion(name, names)));
  };
  if (config.node) require("node", *config.node);
  for (std::size_t i = 0; i < config.client.read_preference.size(); ++i) {
    const auto& order = config.client.read_preference[i].order;
    std::set<std::string_view> seen;
    for (std::size_t j = 0; j < order.size(); ++j) {
      const std::string key = fmt::format("client.read_preference[{}].order[{}]", i, j);
      require(key, order[j].node);
      if (!seen.insert(order[j].node).second && !context.faulty(key))
        context.fault_at(key, fmt::format("node '{}' is in this order already", printable(order[j].node)));
    }
  }
}

/// A path that the configuration claims for one purpose.
struct Claim {
  std::string key;
  std::string what;
  std::string path;
};

bool is_within(std::string_view path, std::string_view folder) {
  return folder == "/" || path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

std::vector<Claim> claimed_folders(const ReadContext& context, const Config& config) {
  std::vector<Claim> claims;
  const auto claim = [&](std::string key, std::string what, const std::string& path) {
    if (!path.empty() && !context.faulty(key)) claims.push_back({std::move(key), std::move(what), path});
  };
  for (const NodeConfig& n : config.nodes)
    claim(fmt::format("nodes.{}.path", n.name), fmt::format("the folder of node {}", printable(n.name)),
          n.path);
  for (std::size_t i = 0; i < config.client.mounts.size(); ++i)
    claim(fmt::format("client.mounts[{}].mountpoint", i), "the mount point",
          config.client.mounts[i].mountpoint);
  claim("client.journal", "the journal", config.client.journal);
  claim("backup.folder", "the backup folder", config.backup.folder);
  return claims;
}

/// One within another would be walked, mounted over or copied as if it were part of it.
void check_paths(ReadContext& context, const Config& config) {
  const std::vector<Claim> claims = claimed_folders(context, config);
  const auto refuse = [&](const Claim& inner, const Claim& outer) {
    context.fault_at(inner.key, inner.path == outer.path
                                    ? fmt::format("{} is {} already", printable(inner.path), outer.what)
                                    : fmt::format("{} lies within {}, {}", printable(inner.path), outer.what,
                                                  printable(outer.path)));
  };
  for (std::size_t i = 0; i < claims.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      if (is_within(claims[i].path, claims[j].path))
        refuse(claims[i], claims[j]);
      else if (is_within(claims[j].path, claims[i].path))
        refuse(claims[j], claims[i]);
    }
  const auto* sqlite = std::get_if<SqliteLocation>(&config.metadata.location);
  if (sqlite == nullptr || context.faulty("metadata.url")) return;
  for (const Claim& claim : claims)
    if (claim.key != "client.journal" && is_within(sqlite->path, claim.path))
      refuse({"metadata.url", "the metadata", sqlite->path}, claim);
}

}  // namespace

void check_tls(ReadContext& context, const YamlNode& node, TlsConfig&) {
  if (has_key(node, "certificate") != has_key(node, "key"))
    context.fault(node, "'certificate' and 'key' belong together: give both or neither");
}

void check_metadata(ReadContext& context, const YamlNode& node, MetadataConfig&) {
  refuse_both(context, node, "password_file", "password");
}

void check_backup(ReadContext& context, const YamlNode& node, BackupConfig&) {
  refuse_both(context, node, "secret_file", "secret");
}

void check_node_name(ReadContext& context, const YamlEntry& entry) {
  if (!is_valid_name(entry.key))
    context.fault(entry.place,
                  fmt::format("'{}' is no name for a node: up to 64 letters, digits, '.', '_' and '-' "
                              "make one",
                              printable(entry.key)));
}

void check_node(ReadContext& context, const YamlNode& node, NodeConfig&) {
  refuse_both(context, node, "path", "url");
  if (!has_key(node, "path") && !has_key(node, "url"))
    context.fault(node, "how is the node reached? Give its 'path' or its 'url'");
}

void check_class(ReadContext& context, const YamlNode& node, StorageClass& one) {
  const std::string key = context.key() + ".sync_copies";
  if (!has_key(node, "sync_copies") || context.faulty(key) || context.faulty(context.key() + ".replicas"))
    return;
  if (one.sync_copies > one.replicas)
    context.fault_at(key, fmt::format("{} copies at close() are more than the {} replicas there will be",
                                      one.sync_copies, one.replicas));
}

void check_classes(ReadContext& context, const YamlNode& list, const std::vector<StorageClass>& classes) {
  if (list.items.empty()) return context.fault(list, "there must be at least one class");
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const YamlNode& node = *list.items[i];
    if (node.kind != YamlNode::Kind::map) continue;  // faulted already
    const std::string key = fmt::format("{}[{}]", context.key(), i);
    const bool last = i + 1 == classes.size();
    if (!classes[i].name.empty()) {
      const auto [first, is_new] = seen.emplace(classes[i].name, i);
      if (!is_new)
        context.fault_at(key + ".name", fmt::format("the class '{}' is defined twice, first in line {}",
                                                    classes[i].name, list.items[first->second]->place.line));
    }
    if (!last && !has_key(node, "match"))
      context.fault_at(
          key, "a class without 'match' takes all files, so it must be the last: none after it would apply");
    if (last && has_key(node, "match"))
      context.fault_at(key + ".match",
                       "the last class must have no 'match': it is the default for all other files");
  }
}

void check_config(ReadContext& context, const YamlNode& node, Config& config) {
  refuse_both(context, node, "cluster_key_file", "cluster_key");
  check_node_names(context, config);
  check_paths(context, config);
  // Without a list of classes there is the one class that every file falls into.
  if (config.classes.empty()) config.classes.push_back({.name = "others"});
}

}  // namespace geogrid
