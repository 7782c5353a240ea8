#pragma once
// The configuration of one process, typed and checked, units already parsed. The initialisers are the
// defaults; what the keys are called and which values they take is in schema.cpp, and what they mean for
// people is in conf/*.yaml.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "config/address.hpp"
#include "config/secret.hpp"
#include "policy/storage_class.hpp"

namespace geogrid {

/// PEM files; empty where not given.
struct TlsConfig {
  std::string certificate;
  std::string key;  ///< a secret: see read_secret()
  std::string ca;   ///< empty: the system's authorities
};

struct MetadataConfig {
  struct Dump {
    std::chrono::milliseconds every = std::chrono::days(1);
    int keep = 14;
  };
  MetadataLocation location = SqliteLocation{"/var/lib/geogrid/metadata.db"};
  Secret password;
  TlsConfig tls;
  std::optional<Dump> dump;  ///< none: no dumps are made
};

struct TrashConfig {
  std::chrono::milliseconds keep = std::chrono::days(7);
};

struct BrakeConfig {
  double percent = 5.0;  ///< 0 < percent ≤ 100; of a node's files
};

/// How this machine reaches one storage node: exactly one of the two.
struct NodeConfig {
  std::string name;
  std::string path;  ///< absolute; empty where `url` is given
  std::optional<HttpUrl> url;
};

struct MountConfig {
  std::string mountpoint;  ///< absolute, normalised
  bool allow_other = true;
  bool read_only = false;
};

/// The order in which replicas of the paths that match are read (policy/replica_choice.hpp says what weights
/// mean).
struct ReadPreferenceConfig {
  struct Entry {
    std::string node;
    double weight = 1.0;  ///< 0..1
  };
  std::string match;  ///< RE2 on the full path; empty matches all
  std::vector<Entry> order;
};

enum class ShowUnregistered { automatic, always, never };

struct ClientConfig {
  std::vector<MountConfig> mounts;
  std::vector<ReadPreferenceConfig> read_preference;  ///< the first that matches counts
  std::chrono::milliseconds deadline = std::chrono::seconds(2);
  ShowUnregistered show_unregistered = ShowUnregistered::automatic;
  bool verify_reads = false;
  std::string journal;  ///< a folder; empty: no journal, writing stops while metadata is away
};

struct StorageConfig {
  struct Walk {
    std::chrono::milliseconds cycle = std::chrono::days(1);
    std::vector<std::string> ignore;  ///< glob patterns (fnmatch(3)) of names
  };
  struct Replicate {
    int parallel = 8;
    std::uint64_t rate = 0;  ///< bytes a second; 0: no limit
  };
  struct Scrub {
    std::chrono::milliseconds cycle = std::chrono::days(30);
    std::uint64_t rate = 20 << 20;  ///< bytes a second
  };
  std::optional<Endpoint> listen;  ///< none: this node is reached by path only
  std::uint64_t min_free = std::uint64_t{10} << 30;
  Walk walk;
  Replicate replicate;
  Scrub scrub;
};

struct ApiConfig {
  struct Download {
    std::vector<HttpUrl> servers;
    std::string docroot;              ///< a path in the archive
    std::vector<std::string> expose;  ///< paths in the archive
  };
  struct Notify {
    std::string command;
    std::string mail;
    std::optional<HttpUrl> webhook;
  };
  struct StatusPage {
    bool is_public = false;  ///< anyone may look
  };
  Endpoint listen{"127.0.0.1", 8070};
  std::optional<HttpUrl> public_url;
  bool legacy_protocol = false;
  std::string legacy_endpoint = "/filesystem-api";
  Download download;
  StatusPage status_page;
  Notify notify;
};

enum class BackupMode { partial, full };

struct BackupConfig {
  std::string folder;
  std::optional<HttpUrl> api;
  std::string identity;
  Secret secret;
  std::uint64_t keep_free = std::uint64_t{2} << 30;  ///< bytes
  BackupMode mode = BackupMode::partial;
};

struct LogConfig {
  LogLevel level = LogLevel::info;
};

/// One thing that is wrong, and where. Lines and columns count from 1; 0 where the fault is not in a line.
struct ConfigFault {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;

  std::string str() const;  ///< "FILE:LINE:COLUMN: message", "FILE: message"
  friend bool operator==(const ConfigFault&, const ConfigFault&) = default;
};

struct Config {
  std::string file;  ///< what was read
  std::string cluster;
  std::optional<std::string> node;  ///< this machine's storage node, one of `nodes`
  MetadataConfig metadata;
  Secret cluster_key;
  TrashConfig trash;
  BrakeConfig brake;
  std::vector<NodeConfig> nodes;      ///< as written, at most kMaxNodes
  std::vector<StorageClass> classes;  ///< never empty; StorageClasses::make(classes) succeeds
  ClientConfig client;
  StorageConfig storage;
  ApiConfig api;
  BackupConfig backup;
  TlsConfig tls;
  LogConfig log;

  /// Line and column of each value that the file gives, by its dotted key: "client.mounts[0].mountpoint",
  /// "nodes.jam".
  std::map<std::string, std::pair<int, int>, std::less<>> places;

  /// nullptr if no storage node has this name.
  const NodeConfig* find_node(std::string_view name) const;
  /// A fault at the value of `key`, or at the nearest section around it that the file has.
  ConfigFault fault(std::string_view key, std::string message) const;
};

}  // namespace geogrid
