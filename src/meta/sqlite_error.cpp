#include "meta/sqlite_error.hpp"

#include <sqlite3.h>

#include "base/path.hpp"

namespace geogrid {
namespace {

struct Meaning {
  errc code;
  std::string_view hint;
};

Meaning meaning_of(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return {errc::already_exists, ""};
    case SQLITE_READONLY_DBMOVED:
      return {errc::unavailable,
              "the file was moved or replaced while geogridd had it open: restart geogridd"};
    default:
      break;
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {errc::busy, ""};
    case SQLITE_INTERRUPT:
      return {errc::cancelled, ""};
    case SQLITE_NOTADB:
      return {errc::foreign, "metadata.url must name a geogridd database"};
    case SQLITE_CORRUPT:
      return {errc::corrupt,
              "the database is damaged: restore it from a dump (.geogrid/metadata on the storage nodes)"};
    case SQLITE_FULL:
      return {errc::low_space, "the disk of the metadata database is full: free some space there"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return {errc::unavailable, "geogridd needs to write this file and the folder that it lies in"};
    case SQLITE_IOERR:
      return {errc::unavailable, "look at the disk of the metadata database"};
    case SQLITE_NOMEM:
      return {errc::unavailable, ""};
    default:
      return {errc::internal, ""};
  }
}

}  // namespace

bool is_sqlite_busy(int code) noexcept {
  return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
}

Error sqlite_error(int code, sqlite3* db, std::string_view action) {
  const Meaning meaning = meaning_of(code);
  // The connection's text says more ("UNIQUE constraint failed: t.name"), but only while it is about this
  // very code.
  const bool own_text = db && sqlite3_extended_errcode(db) == code;
  const std::string text = printable(own_text ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  if (meaning.hint.empty()) return fail(meaning.code, "{}: {} (SQLite {})", action, text, code);
  return fail(meaning.code, "{}: {} (SQLite {}); {}", action, text, code, meaning.hint);
}

}  // namespace geogrid
