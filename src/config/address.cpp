#include "config/address.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/path.hpp"

namespace geogrid {
namespace {

constexpr std::uint16_t kMariaDbPort = 3306;

/// Letters, digits, '-', '.' and '_': names and IPv4 addresses; also ':' and '%' where brackets marked an
/// IPv6 address.
bool is_host(std::string_view host, bool bracketed) {
  return !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), [&](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || (bracketed && (c == ':' || c == '%'));
  });
}

/// Percent-decoding (RFC 3986, 2.1).
result<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const char* digits = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2 ||
        value == 0)
      return fail(errc::invalid_argument, "malformed percent-encoding");
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

/// Splits at the first `separator`; the second part is empty if there is none.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

/// Before any part of a URL is shown: it might hold a password.
result<void> refuse_password(std::string_view authority) {
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos)
    return fail(
        errc::invalid_argument,
        "a URL must not hold a password: put it in a file of mode 0600 and name that as password_file");
  return {};
}

result<MariaDbLocation> parse_mariadb(std::string_view rest) {
  constexpr std::string_view kForm = "write mariadb://user@host:port,host2:port/database";
  const auto [authority, target] = cut(rest, '/');
  GG_CHECK(refuse_password(authority));
  const auto [database, query] = cut(target, '?');
  MariaDbLocation location;
  GG_TRY(location.database, decode(database));
  if (location.database.empty() || location.database.size() > 64 ||
      location.database.find('/') != std::string::npos)
    return fail(errc::invalid_argument, "no database is named: {}", kForm);

  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return fail(errc::invalid_argument, "no user is named: {}", kForm);
  GG_TRY(location.user, decode(authority.substr(0, at)));
  if (location.user.empty()) return fail(errc::invalid_argument, "no user is named: {}", kForm);
  std::string_view hosts = authority.substr(at + 1);

  if (!query.empty()) {
    const auto [name, value] = cut(query, '=');
    if (name != "socket" || !value.starts_with('/') || !hosts.empty())
      return fail(errc::invalid_argument, "only '?socket=/PATH', with no hosts, may follow the database");
    GG_TRY(location.socket, decode(value));
    return location;
  }
  while (true) {
    const auto [host, more] = cut(hosts, ',');
    GG_TRY(Endpoint endpoint, parse_endpoint(host, kMariaDbPort));
    location.hosts.push_back(std::move(endpoint));
    if (host.size() == hosts.size()) return location;
    hosts = more;
  }
}

}  // namespace

std::string Endpoint::str() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  const auto malformed = [&](std::string_view why) {
    return fail(errc::invalid_argument, "'{}' {}; write it like host:8071 or [::]:8071", printable(text),
                why);
  };
  std::string_view host = text;
  std::string_view port;
  const bool bracketed = text.starts_with('[');
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  if (bracketed && bracket == std::string_view::npos) return malformed("is no address");
  bool has_port = colon != std::string_view::npos && !(bracketed && colon < bracket);
  if (has_port) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (bracketed) {
    if (!host.ends_with(']')) return malformed("is no address");
    host = host.substr(1, host.size() - 2);
  }
  if (!is_host(host, bracketed)) return malformed("is no address");
  if (!has_port && default_port == 0) return malformed("has no port");

  unsigned number = default_port;
  if (has_port) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size() || number == 0 || number > 65535)
      return malformed("has a port that is not a number from 1 to 65535");
  }
  return Endpoint{std::string(host), static_cast<std::uint16_t>(number)};
}

std::string HttpUrl::str() const {
  const bool usual = server.port == (tls ? 443 : 80);
  const std::string with_port = server.str();
  const std::string authority = usual ? with_port.substr(0, with_port.rfind(':')) : with_port;
  return fmt::format("{}://{}{}", tls ? "https" : "http", authority, path);
}

result<HttpUrl> parse_http_url(std::string_view text) {
  HttpUrl url;
  std::string_view rest = text;
  if (text.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return fail(errc::invalid_argument, "'{}' is no URL: it must begin with https:// or http://",
                text.find('@') == std::string_view::npos ? printable(text) : "…");
  }
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != std::string_view::npos)
    return fail(errc::invalid_argument, "a URL must hold neither user nor password here");
  GG_TRY(url.server, parse_endpoint(authority, url.tls ? 443 : 80));
  std::string_view path = rest.substr(authority.size());
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.find_first_of("?# ") != std::string_view::npos)
    return fail(errc::invalid_argument, "'{}' must have no query, fragment or space", printable(text));
  url.path = path;
  return url;
}

result<MetadataLocation> parse_metadata_url(std::string_view text) {
  constexpr std::string_view kSqlite = "sqlite:";
  constexpr std::string_view kMariaDb = "mariadb://";
  if (text.starts_with(kSqlite)) {
    std::string_view path = text.substr(kSqlite.size());
    while (path.starts_with("//")) path.remove_prefix(1);
    if (!path.starts_with('/') || path.ends_with('/'))
      return fail(errc::invalid_argument, "'{}' names no file: write sqlite:/absolute/path/metadata.db",
                  printable(text));
    return SqliteLocation{std::string(path)};
  }
  if (text.starts_with(kMariaDb)) {
    GG_TRY(MariaDbLocation location, parse_mariadb(text.substr(kMariaDb.size())));
    return location;
  }
  return fail(errc::invalid_argument,
              "a metadata URL begins with sqlite: or mariadb://, like sqlite:/var/lib/geogrid/metadata.db");
}

}  // namespace geogrid
