#pragma once
// The addresses a configuration names, taken apart: listeners, HTTP servers, the metadata store.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace geogrid {

/// A host name or address (IPv6 without brackets) and a port.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;

  std::string str() const;  ///< "host:port", "[::1]:port"
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// "0.0.0.0:8071", "[::]:8071", "db1" with a default port. `default_port` 0 means that a port must be given.
/// Errors: errc::invalid_argument.
result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 0);

/// An http or https URL of a server. Never with user, password, query or fragment.
struct HttpUrl {
  bool tls = false;
  Endpoint server;
  std::string path;  ///< empty, or "/…" without a final slash, still percent-encoded

  std::string str() const;  ///< as people write it, without the scheme's own port
  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

/// Errors: errc::invalid_argument.
result<HttpUrl> parse_http_url(std::string_view text);

struct SqliteLocation {
  std::string path;  ///< absolute
  friend bool operator==(const SqliteLocation&, const SqliteLocation&) = default;
};

struct MariaDbLocation {
  std::string user;
  std::vector<Endpoint> hosts;  ///< in order of preference; empty where `socket` is given
  std::string socket;           ///< path of a Unix socket, or empty
  std::string database;
  friend bool operator==(const MariaDbLocation&, const MariaDbLocation&) = default;
};

using MetadataLocation = std::variant<SqliteLocation, MariaDbLocation>;

/// "sqlite:/var/lib/geogrid/metadata.db", "mariadb://user@db1:3306,db2:3306/geogrid" (port 3306 if none is
/// given) or "mariadb://user@/geogrid?socket=/run/mysqld/mysqld.sock". User and database may be
/// percent-encoded. Errors: errc::invalid_argument; a URL with a password is refused, and never shown in the
/// text.
result<MetadataLocation> parse_metadata_url(std::string_view text);

}  // namespace geogrid
