#include "config/schema.hpp"

#include "base/ids.hpp"
#include "config/checks.hpp"
#include "config/values.hpp"

namespace geogrid {
namespace {

Value<TlsConfig> tls() {
  return section<TlsConfig>(
      {
          field("certificate", &TlsConfig::certificate, local_path()),
          field("key", &TlsConfig::key, local_path()),
          field("ca", &TlsConfig::ca, local_path()),
      },
      check_tls);
}

Value<MetadataConfig> metadata() {
  using Dump = MetadataConfig::Dump;
  return section<MetadataConfig>(
      {
          field("url", &MetadataConfig::location, metadata_url()),
          field("password_file", &MetadataConfig::password, secret_file()),
          field("password", &MetadataConfig::password, secret_variable()),
          field("tls", &MetadataConfig::tls, tls()),
          field("dump", &MetadataConfig::dump,
                section<Dump>({
                    field("every", &Dump::every, duration()),
                    field("keep", &Dump::keep, integer(1, 10000)),
                })),
      },
      check_metadata);
}

/// A map from names to how each node is reached.
Value<std::vector<NodeConfig>> nodes() {
  const Value<NodeConfig> node = section<NodeConfig>(
      {
          field("path", &NodeConfig::path, local_path()),
          field("url", &NodeConfig::url, http_url()),
      },
      check_node);
  Value<std::vector<NodeConfig>> value;
  for (const std::string& key : node.keys) value.keys.push_back("NAME." + key);
  value.read = [node](ReadContext& context, const YamlNode& map, std::vector<NodeConfig>& out) {
    if (!context.is_map(map)) return;
    if (map.entries.size() > static_cast<std::size_t>(kMaxNodes))
      return context.fault(
          map, fmt::format("{} nodes are given, and {} is the limit", map.entries.size(), kMaxNodes));
    for (const YamlEntry& entry : map.entries) {
      check_node_name(context, entry);
      NodeConfig& added = out.emplace_back();
      added.name = entry.key;
      context.below(entry.key, *entry.value, [&] { node.read(context, *entry.value, added); });
    }
  };
  return value;
}

Value<std::vector<StorageClass>> classes() {
  const Value<StorageClass> one = section<StorageClass>(
      {
          field("name", &StorageClass::name, name()).required(),
          field("match", &StorageClass::match, pattern()),
          field("replicas", &StorageClass::replicas, integer(1, kMaxNodes)),
          field("backups", &StorageClass::backups, integer(0, kMaxNodes)),
          field("sync_copies", &StorageClass::sync_copies, integer(1, kMaxNodes)),
          field("durable", &StorageClass::durable, boolean()),
      },
      check_class);
  Value<std::vector<StorageClass>> value = list_of(one);
  value.read = [read = std::move(value.read)](ReadContext& context, const YamlNode& node,
                                              std::vector<StorageClass>& out) {
    read(context, node, out);
    if (node.kind == YamlNode::Kind::list) check_classes(context, node, out);
  };
  return value;
}

/// A node's name, or a map of one name and its weight.
Value<ReadPreferenceConfig::Entry> preferred_node() {
  using Entry = ReadPreferenceConfig::Entry;
  return {[](ReadContext& context, const YamlNode& node, Entry& out) {
    if (node.kind != YamlNode::Kind::map) return name().read(context, node, out.node);
    if (node.entries.size() != 1)
      return context.fault(node, "one node and its weight are needed here: { jam: 0.7 }");
    out.node = node.entries[0].key;
    number(0, true, 1).read(context, *node.entries[0].value, out.weight);
  }};
}

Value<ClientConfig> client() {
  using Preference = ReadPreferenceConfig;
  return section<ClientConfig>({
      field("mounts", &ClientConfig::mounts,
            list_of(section<MountConfig>({
                field("mountpoint", &MountConfig::mountpoint, local_path()).required(),
                field("allow_other", &MountConfig::allow_other, boolean()),
                field("read_only", &MountConfig::read_only, boolean()),
            }))),
      field("read_preference", &ClientConfig::read_preference,
            list_of(section<Preference>({
                field("match", &Preference::match, pattern()),
                field("order", &Preference::order, list_of(preferred_node())).required(),
            }))),
      field("deadline", &ClientConfig::deadline, duration()),
      field("show_unregistered", &ClientConfig::show_unregistered,
            choice<ShowUnregistered>({
                {"auto", ShowUnregistered::automatic},
                {"true", ShowUnregistered::always},
                {"false", ShowUnregistered::never},
            })),
      field("verify_reads", &ClientConfig::verify_reads, boolean()),
      field("journal", &ClientConfig::journal, local_path()),
  });
}

Value<StorageConfig> storage() {
  using Walk = StorageConfig::Walk;
  using Replicate = StorageConfig::Replicate;
  using Scrub = StorageConfig::Scrub;
  return section<StorageConfig>({
      field("listen", &StorageConfig::listen, endpoint()),
      field("min_free", &StorageConfig::min_free, size()),
      field("walk", &StorageConfig::walk,
            section<Walk>({
                field("cycle", &Walk::cycle, duration()),
                field("ignore", &Walk::ignore, list_of(name_pattern())),
            })),
      field("replicate", &StorageConfig::replicate,
            section<Replicate>({
                field("parallel", &Replicate::parallel, integer(1, 256)),
                field("rate", &Replicate::rate, rate()),
            })),
      field("scrub", &StorageConfig::scrub,
            section<Scrub>({
                field("cycle", &Scrub::cycle, duration()),
                field("rate", &Scrub::rate, rate()),
            })),
  });
}

Value<ApiConfig> api() {
  using Download = ApiConfig::Download;
  using Notify = ApiConfig::Notify;
  using StatusPage = ApiConfig::StatusPage;
  return section<ApiConfig>({
      field("listen", &ApiConfig::listen, endpoint()),
      field("public_url", &ApiConfig::public_url, http_url()),
      field("legacy_protocol", &ApiConfig::legacy_protocol, boolean()),
      field("legacy_endpoint", &ApiConfig::legacy_endpoint, archive_path()),
      field("download", &ApiConfig::download,
            section<Download>({
                field("servers", &Download::servers, list_of(http_url())),
                field("docroot", &Download::docroot, archive_path()),
                field("expose", &Download::expose, list_of(archive_path())),
            })),
      field("status_page", &ApiConfig::status_page,
            section<StatusPage>({
                field("public", &StatusPage::is_public, boolean()),
            })),
      field("notify", &ApiConfig::notify,
            section<Notify>({
                field("command", &Notify::command, local_path()),
                field("mail", &Notify::mail, mail_address()),
                field("webhook", &Notify::webhook, http_url()),
            })),
  });
}

Value<BackupConfig> backup() {
  return section<BackupConfig>(
      {
          field("folder", &BackupConfig::folder, local_path()),
          field("api", &BackupConfig::api, http_url()),
          field("identity", &BackupConfig::identity, name()),
          field("secret_file", &BackupConfig::secret, secret_file()),
          field("secret", &BackupConfig::secret, secret_variable()),
          field("keep_free_gig", &BackupConfig::keep_free, gibibytes()),
          field("mode", &BackupConfig::mode,
                choice<BackupMode>({{"partial", BackupMode::partial}, {"full", BackupMode::full}})),
      },
      check_backup);
}

}  // namespace

Value<Config> config_schema() {
  return section<Config>(
      {
          field("cluster", &Config::cluster, name()).required(),
          field("node", &Config::node, name()),
          field("metadata", &Config::metadata, metadata()),
          field("cluster_key_file", &Config::cluster_key, secret_file()),
          field("cluster_key", &Config::cluster_key, secret_variable()),
          field("trash", &Config::trash,
                section<TrashConfig>({field("keep", &TrashConfig::keep, duration())})),
          field("brake", &Config::brake,
                section<BrakeConfig>({
                    field("percent", &BrakeConfig::percent, number(0, false, 100)),
                })),
          field("nodes", &Config::nodes, nodes()),
          field("classes", &Config::classes, classes()),
          field("client", &Config::client, client()),
          field("storage", &Config::storage, storage()),
          field("api", &Config::api, api()),
          field("backup", &Config::backup, backup()),
          field("tls", &Config::tls, tls()),
          field("log", &Config::log, section<LogConfig>({field("level", &LogConfig::level, log_level())})),
      },
      check_config);
}

std::vector<std::string> known_keys() {
  return config_schema().keys;
}

}  // namespace geogrid
