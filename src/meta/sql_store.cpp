#include "meta/sql_store.hpp"

namespace geogrid {

SqlStore::SqlStore(std::unique_ptr<SqlDriver> driver, std::shared_ptr<const StoreContext> context,
                   ClusterInfo cluster)
    : driver_(std::move(driver)), context_(std::move(context)), cluster_(std::move(cluster)) {}

SqlStore::~SqlStore() = default;

void SqlStore::close() {
  driver_->close();
}

result<void> check_batch(std::size_t size) {
  if (size > CopyStore::kMaxBatch)
    return fail(errc::invalid_argument, "a batch of {}: at most {} are taken at once", size,
                CopyStore::kMaxBatch);
  return result<void>();
}

}  // namespace geogrid
