#pragma once
// What must hold between several keys. Each check looks only at values that were read without fault, so that
// one mistake is reported once.

#include "config/fields.hpp"

namespace geogrid {

void check_tls(ReadContext& context, const YamlNode& node, TlsConfig& tls);
void check_metadata(ReadContext& context, const YamlNode& node, MetadataConfig& metadata);
void check_node_name(ReadContext& context, const YamlEntry& entry);
void check_node(ReadContext& context, const YamlNode& node, NodeConfig& config);
void check_class(ReadContext& context, const YamlNode& node, StorageClass& one);
void check_classes(ReadContext& context, const YamlNode& list, const std::vector<StorageClass>& classes);
void check_backup(ReadContext& context, const YamlNode& node, BackupConfig& backup);
/// The whole: names that refer to nodes, and folders that must not lie within each other.
void check_config(ReadContext& context, const YamlNode& node, Config& config);

}  // namespace geogrid
