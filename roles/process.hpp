#pragma once
// What every role and command starts from: the configuration, the log, the store, the volumes.

#include <memory>
#include <string>
#include <vector>

#include "config/reader.hpp"
#include "meta/metadata_store.hpp"
#include "volume/volume.hpp"

namespace geogrid {

struct Process {
  Config config;
  Log log;
  std::shared_ptr<const StorageClasses> classes;
};

/// Reads the configuration. Errors: errc::invalid_argument with every fault, a line each.
result<Process> load_process(const std::string& config_file);

result<StoreOptions> store_options(const Process& process);
task<result<std::unique_ptr<MetadataStore>>> open_configured_store(const Process& process);

/// Opens the volume of each storage node that both the configuration (with a path) and the registry know. A
/// volume that carries another cluster's or node's marker is errc::foreign: nobody may write there. One that
/// is absent is opened all the same, and logged: it may come back. Nodes that only one side knows are logged,
/// with what to do.
task<result<std::vector<NodeVolume>>> open_configured_volumes(const Process& process, MetadataStore& store);

/// The path in the configuration of a node. Errors: errc::invalid_argument if `nodes:` lacks it or gives it a
/// URL.
result<std::string> node_path(const Process& process, const std::string& name);

}  // namespace geogrid
