// Opening and making a store: which driver, whose store, which schema.

#include "base/path.hpp"
#include "meta/metadata_store.hpp"
#include "meta/schema.hpp"
#include "meta/sql_store.hpp"
#include "meta/sqlite_driver.hpp"

namespace geogrid {
namespace {

task<result<std::unique_ptr<SqlDriver>>> open_driver(StoreOptions options, bool create) {
  if (options.address.embedded)
    co_return make_sqlite_driver(
        {.file = options.address.file, .create = create, .log = options.log.named("sqlite")});
  co_return fail(errc::not_supported, "this geogridd was built without MariaDB");
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
  auto driver = co_await open_driver(options, false);
  if (!driver && driver.error().is(errc::not_initialised))
    co_return check_contents(StoreContents{.empty = true, .cluster = {}}, options.cluster, 0,
                             options.address.str())
        .error();
  if (!driver) co_return driver.error();
  co_return co_await adopt(std::move(*driver), std::move(options));
}

task<result<InitialisedStore>> initialise_store(StoreOptions options) {
  GG_CO_TRY(auto driver, co_await open_driver(options, true));
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
