// Opening and making a store: which driver, whose store, which schema.

#include "base/path.hpp"
#include "meta/mariadb_driver.hpp"
#include "meta/metadata_store.hpp"
#include "meta/schema.hpp"
#include "meta/sql_store.hpp"
#include "meta/sqlite_driver.hpp"

namespace geogrid {
namespace {

std::unique_ptr<SqlDriver> mariadb_driver(const StoreOptions& options) {
  const StoreAddress& address = options.address;
  MariadbDriverOptions driver;
  for (const StoreAddress::Host& host : address.hosts) {
    MariadbTarget target;
    target.host = host.name;
    target.port = host.port;
    target.user = address.user;
    target.password = address.password;
    target.database = address.database;
    target.tls_ca = address.tls_ca;
    driver.targets.push_back(std::move(target));
  }
  driver.connections = address.connections;
  driver.hint_sql = "SELECT COALESCE(MAX(id), 0) FROM changelog";
  driver.log = options.log.named("mariadb");
  driver.random = options.random;
  return make_mariadb_driver(std::move(driver));
}

result<std::unique_ptr<SqlDriver>> open_driver(const StoreOptions& options, bool create) {
  if (!options.address.embedded) return mariadb_driver(options);
  SqliteDriverOptions driver;
  driver.file = options.address.file;
  driver.create = create;
  driver.log = options.log.named("sqlite");
  return make_sqlite_driver(std::move(driver));
}

// Never 0: that is nobody's.
Origin new_origin(Random& random) {
  std::uint64_t number = 0;
  // 63 bits, as the database's integers are signed.
  while (number == 0) number = random.next() >> 1;
  return Origin(number);
}

// Checks whose it is and brings it forward; closes the driver on failure.
task<result<std::unique_ptr<MetadataStore>>> adopt(std::unique_ptr<SqlDriver> driver, StoreOptions options) {
  const std::vector<SchemaStep> steps = schema_steps(driver->dialect());
  const int newest = steps.back().version;
  GG_CO_TRY(StoreContents contents, co_await inspect_store(*driver));
  GG_CO_CHECK(check_contents(contents, options.cluster, newest, options.address.str()));
  if (contents.cluster->schema < newest) {
    options.log.info("bringing the metadata store from schema {} to {}", contents.cluster->schema, newest);
    GG_CO_CHECK(co_await migrate_schema(*driver, steps));
    contents.cluster->schema = newest;
  }
  auto context = std::make_shared<StoreContext>();
  context->dialect = driver->dialect();
  context->origin = new_origin(*options.random);
  context->workers = new_origin(*options.random);
  context->classes = options.classes;
  co_return std::make_unique<SqlStore>(std::move(driver), std::move(context), std::move(*contents.cluster));
}

}  // namespace

std::string StoreAddress::str() const {
  if (embedded) return "sqlite:" + printable(file);
  std::string text = "mariadb://" + printable(user) + "@";
  for (std::size_t i = 0; i < hosts.size(); ++i)
    text += fmt::format("{}{}:{}", i == 0 ? "" : ",", printable(hosts[i].name), hosts[i].port);
  return text + "/" + printable(database);
}

task<result<std::unique_ptr<MetadataStore>>> open_store(StoreOptions options) {
  auto driver = open_driver(options, false);
  if (!driver && driver.error().is(errc::not_initialised))
    co_return check_contents(StoreContents{.empty = true, .cluster = {}}, options.cluster, 0,
                             options.address.str())
        .error();
  if (!driver) co_return driver.error();
  co_return co_await adopt(std::move(*driver), std::move(options));
}

task<result<InitialisedStore>> initialise_store(StoreOptions options) {
  GG_CO_TRY(auto driver, open_driver(options, true));
  GG_CO_TRY(const StoreContents contents, co_await inspect_store(*driver));
  const ClusterInfo cluster{options.cluster, options.random->uuid(), 0};
  if (contents.empty) GG_CO_CHECK(co_await create_schema(*driver, schema_steps(driver->dialect()), cluster));
  InitialisedStore out;
  GG_CO_TRY(out.store, co_await adopt(std::move(driver), std::move(options)));
  GG_CO_TRY(const ClusterInfo now, co_await out.store->cluster());
  out.created = now.uuid == cluster.uuid;  // another process may have been faster
  co_return out;
}

}  // namespace geogrid
