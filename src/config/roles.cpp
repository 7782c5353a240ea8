#include <algorithm>
#include <array>

#include "base/path.hpp"
#include "config/nearest.hpp"
#include "config/reader.hpp"

namespace geogrid {
namespace {

constexpr std::array kRoles{Role::client, Role::storage, Role::api, Role::backup};

class Needs {
 public:
  explicit Needs(const Config& config) : config_(config) {}

  void require(bool given, Role role, std::string_view key, std::string_view what) {
    if (!given) add(key, fmt::format("the role {} needs {}: {}", name_of(role), key, what));
  }
  void add(std::string_view key, std::string message) {
    ConfigFault fault = config_.fault(key, std::move(message));
    if (std::find(faults_.begin(), faults_.end(), fault) == faults_.end())
      faults_.push_back(std::move(fault));
  }
  std::vector<ConfigFault> take() { return std::move(faults_); }

 private:
  const Config& config_;
  std::vector<ConfigFault> faults_;
};

void check_nodes(Needs& needs, const Config& config, Role role) {
  needs.require(!config.nodes.empty(), role, "nodes", "how this machine reaches each storage node");
  for (const NodeConfig& node : config.nodes)
    if (node.url && !config.cluster_key.given())
      needs.add(fmt::format("nodes.{}.url", node.name),
                fmt::format(
                    "node {} is reached by url, which needs cluster_key_file: the key that signs what nodes "
                    "send each other",
                    node.name));
}

void check_client(Needs& needs, const Config& config) {
  check_nodes(needs, config, Role::client);
  needs.require(!config.client.mounts.empty(), Role::client, "client.mounts", "where the tree is to appear");
}

void check_storage(Needs& needs, const Config& config) {
  check_nodes(needs, config, Role::storage);
  needs.require(config.node.has_value(), Role::storage, "node", "which of the nodes this machine is");
  const NodeConfig* self = config.node ? config.find_node(*config.node) : nullptr;
  if (self != nullptr && self->path.empty())
    needs.add(fmt::format("nodes.{}", self->name),
              fmt::format("this machine is node {}, so it needs a path here, not a url", self->name));
  if (config.storage.listen && !config.cluster_key.given())
    needs.add("storage.listen",
              "serving files to other nodes needs cluster_key_file: the key that signs what they ask");
}

void check_api(Needs& needs, const Config& config) {
  check_nodes(needs, config, Role::api);
  if (config.api.legacy_protocol && config.api.download.servers.empty() && !config.api.public_url)
    needs.add("api.legacy_protocol",
              "v1 clients download from a full URL: give api.download.servers or api.public_url");
}

void check_backup(Needs& needs, const Config& config) {
  const BackupConfig& backup = config.backup;
  needs.require(!backup.folder.empty(), Role::backup, "backup.folder", "where the copies are kept");
  needs.require(backup.api.has_value(), Role::backup, "backup.api", "the URL of the archive");
  needs.require(!backup.identity.empty(), Role::backup, "backup.identity",
                "the name the archive's operator gave you");
  needs.require(backup.secret.given(), Role::backup, "backup.secret_file",
                "the secret the archive's operator gave you");
}

}  // namespace

std::string_view name_of(Role role) {
  switch (role) {
    case Role::client:
      return "client";
    case Role::storage:
      return "storage";
    case Role::api:
      return "api";
    case Role::backup:
      break;
  }
  return "backup";
}

result<std::vector<Role>> parse_roles(std::string_view text) {
  std::vector<Role> roles;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    const auto found = std::find_if(kRoles.begin(), kRoles.end(), [&](Role r) { return name_of(r) == word; });
    if (found == kRoles.end())
      return fail(errc::invalid_argument, "'{}' is no role: there are client, storage, api and backup",
                  printable(word));
    if (std::find(roles.begin(), roles.end(), *found) != roles.end())
      return fail(errc::invalid_argument, "the role {} is given twice", word);
    roles.push_back(*found);
    if (comma == std::string_view::npos) return roles;
    text.remove_prefix(comma + 1);
  }
}

std::vector<ConfigFault> check_for_roles(const Config& config, const std::vector<Role>& roles) {
  Needs needs(config);
  for (Role role : roles) {
    switch (role) {
      case Role::client:
        check_client(needs, config);
        break;
      case Role::storage:
        check_storage(needs, config);
        break;
      case Role::api:
        check_api(needs, config);
        break;
      case Role::backup:
        check_backup(needs, config);
        break;
    }
  }
  return needs.take();
}

std::vector<ConfigFault> check_secret_files(const Config& config) {
  Needs needs(config);
  const auto check = [&](std::string_view key, const std::string& file) {
    if (file.empty()) return;
    const auto secret = read_secret(file);
    if (secret || secret.error().is(std::errc::no_such_file_or_directory) ||
        secret.error().is(std::errc::permission_denied))
      return;
    needs.add(key, secret.error().message);
  };
  check("metadata.password_file", config.metadata.password.file);
  check("metadata.tls.key", config.metadata.tls.key);
  check("cluster_key_file", config.cluster_key.file);
  check("backup.secret_file", config.backup.secret.file);
  check("tls.key", config.tls.key);
  return needs.take();
}

}  // namespace geogrid
