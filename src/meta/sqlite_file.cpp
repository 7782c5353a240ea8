#include "meta/sqlite_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/path.hpp"
#include "base/unique_fd.hpp"
#include "meta/sqlite_driver.hpp"

namespace geogrid {
namespace {

Error not_initialised(const std::string& file, std::string_view what) {
  return fail(errc::not_initialised, "metadata database {} {}: run \"geogridd init\" to create it",
              printable(file), what);
}

// The new name must outlive a power failure as the database's content does.
result<void> sync_folder_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return system_error(errno, "syncing folder " + printable(folder));
  return result<void>();
}

result<void> use_write_ahead_log(SqliteConnection& connection, const std::string& file) {
  std::string mode;
  const OnRow keep = [&mode](const SqlRow& row) { mode = row.bytes(0); };
  GG_CHECK(connection.run_now("PRAGMA journal_mode=WAL", {}, keep));
  if (mode != "wal")
    return fail(errc::not_supported,
                "metadata database {} cannot have a write-ahead log there (journal mode is {}): put it on a "
                "local disk",
                printable(file), printable(mode));
  return result<void>();
}

}  // namespace

result<void> prepare_sqlite_file(const std::string& file, bool create) {
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0) return result<void>();
  const std::string action = "metadata database " + printable(file);
  if (errno != ENOENT) return system_error(errno, action);
  if (!create) return not_initialised(file, "does not exist");
  // O_EXCL: closing a file that SQLite has open elsewhere in this process would drop its locks.
  const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd && errno != EEXIST) return system_error(errno, "creating " + action);
  return sync_folder_of(file);
}

result<void> sync_sqlite_log(const std::string& log_file) {
  const UniqueFd log(::open(log_file.c_str(), O_RDWR | O_CLOEXEC));
  if (!log && errno == ENOENT) return result<void>();  // nobody has written yet
  if (!log || ::fdatasync(log.get()) != 0)
    return system_error(errno, "making the metadata database's log power-safe");
  return result<void>();
}

result<void> adopt_sqlite_database(SqliteConnection& connection, const std::string& file, bool create) {
  GG_TRY(const std::int64_t application, connection.integer("PRAGMA application_id"));
  if (application != kSqliteApplicationId) {
    GG_TRY(const std::int64_t pages, connection.integer("PRAGMA page_count"));
    if (pages != 0)
      return fail(errc::foreign, "{} is a database of another program, not a geogridd metadata database",
                  printable(file));
    if (!create) return not_initialised(file, "is empty");
    GG_CHECK(connection.execute(fmt::format("PRAGMA application_id={}", kSqliteApplicationId)));
  }
  return use_write_ahead_log(connection, file);
}

}  // namespace geogrid
