#pragma once
// The metadata store: names, attributes, versions, copies, queues, nodes, changes. One interface, two stores
// behind it (SQLite and MariaDB), one contract suite (test/contract/meta) over both.

#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "meta/copy_store.hpp"
#include "meta/namespace_store.hpp"
#include "meta/registry_store.hpp"
#include "os/clock.hpp"
#include "policy/storage_class.hpp"

namespace geogrid {

/// Used from one event loop, by many coroutines at once. Values bound and returned are bytes, never
/// re-encoded.
class MetadataStore : public NamespaceStore,
                      public CopyStore,
                      public NodeRegistry,
                      public ChangeLog,
                      public StoreAdmin {
 public:
  /// This process in the change log, where it changed names, attributes and content (NamespaceStore): a
  /// client skips its own echo. What walks and copies record (CopyStore and the rest) has another.
  virtual Origin origin() const = 0;
  /// Ends it; calls in flight end with errc::cancelled.
  virtual void close() = 0;
};

/// Where the store is.
struct StoreAddress {
  struct Host {
    std::string name;
    std::uint16_t port = 3306;
  };
  bool embedded = true;
  std::string file;         ///< embedded: SQLite's database file
  std::vector<Host> hosts;  ///< else: MariaDB servers, tried in this order
  std::string socket;       ///< a Unix socket instead of hosts
  std::string user;
  std::string password;  ///< never logged
  std::string database;
  std::string tls_ca;        ///< verify the servers against this CA; empty: no TLS asked for
  unsigned connections = 4;  ///< the pool's size

  /// "sqlite:/file" or "mariadb://user@host:port,…/database": without the password, safe to show.
  std::string str() const;
};

struct StoreOptions {
  StoreAddress address;
  std::string cluster;  ///< the name in the configuration
  std::shared_ptr<const StorageClasses> classes;
  Log log;
  const Clock* clock = &system_clock();
  Random* random = &system_random();
};

/// Opens the store on the calling coroutine's executor (one thread), migrating an older schema forward, a
/// transaction a step. Errors, each saying what to do: errc::unavailable (down), not_initialised (empty: run
/// `geogridd init`), schema_too_new, foreign (another cluster's, or tables that are not geogridd's).
task<result<std::unique_ptr<MetadataStore>>> open_store(StoreOptions options);

/// Creates the schema and the cluster id in an empty database, and opens it. For a store of the same cluster
/// that exists already it changes nothing: `created` tells. Errors: as open_store.
struct InitialisedStore {
  std::unique_ptr<MetadataStore> store;
  bool created = false;
};
task<result<InitialisedStore>> initialise_store(StoreOptions options);

}  // namespace geogrid
