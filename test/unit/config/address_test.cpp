#include "config/address.hpp"

#include <gtest/gtest.h>

namespace geogrid {
namespace {

TEST(ParseEndpoint, HostsAndPorts) {
  EXPECT_EQ(parse_endpoint("0.0.0.0:8071").value(), (Endpoint{"0.0.0.0", 8071}));
  EXPECT_EQ(parse_endpoint("[::]:8071").value(), (Endpoint{"::", 8071}));
  EXPECT_EQ(parse_endpoint("[fe80::1%eth0]:1").value(), (Endpoint{"fe80::1%eth0", 1}));
  EXPECT_EQ(parse_endpoint("db1", 3306).value(), (Endpoint{"db1", 3306}));
  EXPECT_EQ(parse_endpoint("[::1]", 80).value(), (Endpoint{"::1", 80}));
  for (const char* wrong : {"",        ":",       ":80",   "h",     "h:",      "h:x",       "h:0",
                            "h:65536", "h:-1",    "h:+1",  "h: 1",  "::1:80",  "[::1]",     "[::1",
                            "[]:1",    "::1]:80", "a b:1", "a/b:1", "h:80:90", "[::1]x:80", "u@h:1"})
    EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
}

TEST(ParseEndpoint, IsShownAsItIsWritten) {
  for (const char* text : {"h:1", "[::1]:65535", "10.0.0.1:80"})
    EXPECT_EQ(parse_endpoint(text).value().str(), text);
}

TEST(ParseHttpUrl, Parts) {
  const HttpUrl url = parse_http_url("https://milk.example:8071/a%20b/c/").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.server, (Endpoint{"milk.example", 8071}));
  EXPECT_EQ(url.path, "/a%20b/c");
  EXPECT_EQ(url.str(), "https://milk.example:8071/a%20b/c");
  EXPECT_EQ(parse_http_url("http://h/").value().str(), "http://h");
  EXPECT_EQ(parse_http_url("http://[::1]").value().server, (Endpoint{"::1", 80}));
  EXPECT_EQ(parse_http_url("https://[::1]:443").value().str(), "https://[::1]");
  EXPECT_EQ(parse_http_url("http://h:443").value().str(), "http://h:443");
  for (const char* wrong :
       {"", "h", "//h", "ftp://h", "https://", "https:///p", "https://h:x", "https://h?q", "https://h/#f",
        "https://u@h", "https://u:p@h", "https://h/a b", "HTTPS://h", "https://h:0"})
    EXPECT_FALSE(parse_http_url(wrong)) << wrong;
}

TEST(ParseMetadataUrl, Sqlite) {
  const auto path = [](const char* url) {
    return std::get<SqliteLocation>(parse_metadata_url(url).value()).path;
  };
  EXPECT_EQ(path("sqlite:/var/lib/db"), "/var/lib/db");
  EXPECT_EQ(path("sqlite:///var/lib/db"), "/var/lib/db");
  EXPECT_EQ(path("sqlite:/a b?c#d"), "/a b?c#d");
  for (const char* wrong :
       {"sqlite:", "sqlite:/", "sqlite:db", "sqlite:./db", "sqlite::memory:", "sqlite3:/db", "/db", ""})
    EXPECT_FALSE(parse_metadata_url(wrong)) << wrong;
}

TEST(ParseMetadataUrl, MariaDb) {
  const auto location = [](const char* url) {
    return std::get<MariaDbLocation>(parse_metadata_url(url).value());
  };
  const MariaDbLocation l = location("mariadb://geogrid@db1:3307,db2,[::1]:9/archive");
  EXPECT_EQ(l.user, "geogrid");
  EXPECT_EQ(l.hosts, (std::vector<Endpoint>{{"db1", 3307}, {"db2", 3306}, {"::1", 9}}));
  EXPECT_EQ(l.database, "archive");
  EXPECT_TRUE(l.socket.empty());

  const MariaDbLocation s = location("mariadb://a%40b@/d%C3%A9?socket=/run/my%20sql.sock");
  EXPECT_EQ(s.user, "a@b");
  EXPECT_EQ(s.database, "d\xc3\xa9");
  EXPECT_TRUE(s.hosts.empty());
  EXPECT_EQ(s.socket, "/run/my sql.sock");

  for (const char* wrong :
       {"mariadb://", "mariadb:/u@h/d", "mariadb://u@h", "mariadb://u@h/", "mariadb://h/d", "mariadb://@h/d",
        "mariadb://u@/d", "mariadb://u@h,/d", "mariadb://u@,h/d", "mariadb://u@h:0/d", "mariadb://u@h/a/b",
        "mariadb://u@h/d?x=1", "mariadb://u@h/d?socket=/s", "mariadb://u@/d?socket=s", "mariadb://u%2@h/d",
        "mariadb://u%00@h/d", "mysql://u@h/d"})
    EXPECT_FALSE(parse_metadata_url(wrong)) << wrong;
}

TEST(ParseMetadataUrl, APasswordIsRefusedAndNotShown) {
  for (const char* url : {"mariadb://u:hunter2@h/d", "mariadb://u:hunter2@h:1,h2/d", "mariadb://u:hunter2@h",
                          "mariadb://u:hun@ter2@h/d", "mysql://u:hunter2@h/d", "mariadb://:hunter2@h/d",
                          "mariadb://u:hunter2/x@h/d"}) {
    const auto parsed = parse_metadata_url(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().message.find("ter2"), std::string::npos) << parsed.error().message;
  }
}

}  // namespace
}  // namespace geogrid
