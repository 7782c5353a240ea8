#include "config/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace geogrid {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

std::optional<std::string> test_environment(std::string_view name) {
  if (name == "CLUSTER") return "from-env";
  if (name == "SECRET") return "s3cret";
  if (name == "EMPTY") return "";
  if (name == "BAD") return "a\nb";
  return std::nullopt;
}

ConfigResult parse(std::string_view text) {
  return parse_config(text, "c.yaml", test_environment);
}

Config good(std::string_view text) {
  ConfigResult read = parse(text);
  if (!read) ADD_FAILURE() << read.error().message;
  return read ? std::move(*read.config) : Config();
}

// The example that the interface was agreed by, as it stands there, with its placeholders filled in.
constexpr std::string_view kWhole = R"(cluster: geograph
node: cream
metadata:
  url: sqlite:/var/lib/geogrid/metadata.db
  password_file: /etc/geogrid/db.password
  tls: { ca: /etc/ca.pem }
  dump: { every: 1d, keep: 14 }
cluster_key_file: /etc/geogrid/cluster.key
trash: { keep: 7d }
brake: { percent: 5 }
nodes:
  cream: { path: /srv/geogrid }
  jam:   { path: /var/mount/jam }
  milk:  { url: https://milk.example:8071 }
classes:
  - { name: original.jpg, match: '_original\.jpg$', replicas: 3, backups: 2, sync_copies: 2, durable: true }
  - { name: thumb.jpg,    match: '_\d+x\d+\.jpg$',   replicas: 2, backups: 0 }
  - { name: others,       replicas: 2, backups: 1 }
client:
  mounts: [ { mountpoint: /mnt/combined, allow_other: true, read_only: false } ]
  read_preference: [ { match: '/photos/', order: [ { jam: 0.7 }, cream, milk ] } ]
  deadline: 2s
  show_unregistered: auto
  verify_reads: false
  journal: /var/lib/geogrid/journal
storage:
  listen: 0.0.0.0:8071
  min_free: 10GiB
  walk: { cycle: 1d, ignore: [] }
  replicate: { parallel: 8, rate: 100MiB/s }
  scrub: { cycle: 30d, rate: 20MiB/s }
api:
  listen: 127.0.0.1:8070
  public_url: https://archive.example
  legacy_protocol: true
  legacy_endpoint: /filesystem-api
  download:
    servers: [ "https://photos.example" ]
    docroot: /geograph_live/public_html
    expose: [ /geograph_live/public_html ]
  status_page: { public: true }
  notify: { command: /usr/local/bin/tell-me, mail: ops@example.org, webhook: https://hook.example/x }
backup:
  folder: /var/backups/geograph
  api: https://archive.example
  identity: dwo
  secret_file: /etc/geogrid/backup.secret
  keep_free_gig: 2
  mode: partial
tls: { certificate: /c, key: /k, ca: /a }
log: { level: info }
)";

TEST(ReadConfig, WholeInterface) {
  const Config c = good(kWhole);
  EXPECT_EQ(c.cluster, "geograph");
  EXPECT_EQ(c.node, "cream");
  EXPECT_EQ(std::get<SqliteLocation>(c.metadata.location).path, "/var/lib/geogrid/metadata.db");
  EXPECT_EQ(c.metadata.password.file, "/etc/geogrid/db.password");
  EXPECT_EQ(c.metadata.tls.ca, "/etc/ca.pem");
  ASSERT_TRUE(c.metadata.dump);
  EXPECT_EQ(c.metadata.dump->every, hours(24));
  EXPECT_EQ(c.metadata.dump->keep, 14);
  EXPECT_EQ(c.cluster_key.file, "/etc/geogrid/cluster.key");
  EXPECT_EQ(c.trash.keep, hours(7 * 24));
  EXPECT_EQ(c.brake.percent, 5.0);

  ASSERT_EQ(c.nodes.size(), 3u);
  EXPECT_EQ(c.find_node("jam")->path, "/var/mount/jam");
  EXPECT_EQ(c.find_node("milk")->url->str(), "https://milk.example:8071");
  EXPECT_EQ(c.find_node("honey"), nullptr);

  const std::vector<StorageClass> classes{
      {.name = "original.jpg",
       .match = "_original\\.jpg$",
       .replicas = 3,
       .backups = 2,
       .sync_copies = 2,
       .durable = true},
      {.name = "thumb.jpg", .match = "_\\d+x\\d+\\.jpg$", .replicas = 2, .backups = 0},
      {.name = "others", .replicas = 2, .backups = 1}};
  EXPECT_EQ(c.classes, classes);
  EXPECT_TRUE(StorageClasses::make(c.classes));

  ASSERT_EQ(c.client.mounts.size(), 1u);
  EXPECT_EQ(c.client.mounts[0].mountpoint, "/mnt/combined");
  EXPECT_TRUE(c.client.mounts[0].allow_other);
  EXPECT_FALSE(c.client.mounts[0].read_only);
  const auto& order = c.client.read_preference.at(0).order;
  ASSERT_EQ(order.size(), 3u);
  EXPECT_EQ(order[0].node, "jam");
  EXPECT_EQ(order[0].weight, 0.7);
  EXPECT_EQ(order[2].node, "milk");
  EXPECT_EQ(order[2].weight, 1.0);
  EXPECT_EQ(c.client.deadline, milliseconds(2000));
  EXPECT_EQ(c.client.show_unregistered, ShowUnregistered::automatic);
  EXPECT_EQ(c.client.journal, "/var/lib/geogrid/journal");

  EXPECT_EQ(c.storage.listen, (Endpoint{"0.0.0.0", 8071}));
  EXPECT_EQ(c.storage.min_free, std::uint64_t{10} << 30);
  EXPECT_EQ(c.storage.replicate.rate, std::uint64_t{100} << 20);
  EXPECT_EQ(c.storage.scrub.cycle, hours(30 * 24));
  EXPECT_TRUE(c.api.legacy_protocol);
  EXPECT_TRUE(c.api.status_page.is_public);
  EXPECT_EQ(c.api.download.expose, std::vector<std::string>{"/geograph_live/public_html"});
  EXPECT_EQ(c.api.notify.webhook->path, "/x");
  EXPECT_EQ(c.backup.keep_free, std::uint64_t{2} << 30);
  EXPECT_EQ(c.backup.secret.file, "/etc/geogrid/backup.secret");
  EXPECT_EQ(c.tls.key, "/k");
  EXPECT_EQ(c.log.level, LogLevel::info);
  EXPECT_TRUE(check_for_roles(c, {Role::client, Role::storage, Role::api, Role::backup}).empty());
}

TEST(ReadConfig, DefaultsWithoutAnything) {
  const Config c = good("cluster: x");
  EXPECT_FALSE(c.node);
  EXPECT_EQ(std::get<SqliteLocation>(c.metadata.location).path, "/var/lib/geogrid/metadata.db");
  EXPECT_FALSE(c.metadata.dump);
  EXPECT_FALSE(c.storage.listen);
  EXPECT_EQ(c.storage.replicate.rate, 0u);
  ASSERT_EQ(c.classes.size(), 1u);
  EXPECT_EQ(c.classes[0], (StorageClass{.name = "others"}));
}

TEST(ReadConfig, EmptySectionsAreDefaults) {
  const Config c = good("cluster: x\nclient:\nstorage: {}\nnodes:\nlog: ~\n");
  EXPECT_TRUE(c.nodes.empty());
  EXPECT_EQ(c.client.deadline, milliseconds(2000));
}

TEST(ReadConfig, ByteOrderMarkAndWindowsLineEnds) {
  EXPECT_EQ(good("\xEF\xBB\xBF"
                 "cluster: x\r\nlog: { level: debug }\r\n")
                .log.level,
            LogLevel::debug);
}

TEST(ReadConfig, AnchorsAndAliasesWork) {
  const Config c = good(
      "cluster: x\nclient:\n  mounts:\n    - &m { mountpoint: /a, read_only: &t true }\n"
      "    - { mountpoint: /b, read_only: *t }\n");
  EXPECT_TRUE(c.client.mounts.at(1).read_only);
}

TEST(ReadConfig, VariablesAreFilledIn) {
  EXPECT_EQ(good("cluster: ${CLUSTER}").cluster, "from-env");
  EXPECT_EQ(good("cluster: a-${CLUSTER}.${CLUSTER}").cluster, "a-from-env.from-env");
  EXPECT_EQ(good("cluster: ${UNSET:-fallback}").cluster, "fallback");
  EXPECT_EQ(good("cluster: ${EMPTY:-fallback}").cluster, "fallback");
  EXPECT_EQ(good("cluster: ${CLUSTER:-fallback}").cluster, "from-env");
  EXPECT_EQ(good("cluster: x\nbackup: { folder: '/a/$${B}/$C' }").backup.folder, "/a/${B}/$C");
  // Not in patterns, where '$' is the end of the path.
  EXPECT_EQ(good("cluster: x\nclasses: [{name: a, match: '(a|b$)'}, {name: b}]").classes[0].match, "(a|b$)");
}

TEST(ReadConfig, SecretsFromTheEnvironment) {
  const Config c = good(
      "cluster: x\nmetadata: { password: '${SECRET}' }\nbackup: { secret: '${SECRET}' }\n"
      "cluster_key: ${SECRET}\n");
  EXPECT_EQ(c.metadata.password.read().value(), "s3cret");
  EXPECT_TRUE(c.backup.secret.given());
  EXPECT_EQ(c.cluster_key.value, "s3cret");
}

TEST(ReadConfig, PathsAreNormalised) {
  const Config c = good("cluster: x\nclient: { journal: //var/./lib//x/../journal/ }\n");
  EXPECT_EQ(c.client.journal, "/var/lib/journal");
}

TEST(ReadConfig, KnowsWhereValuesStand) {
  const Config c = good(kWhole);
  EXPECT_EQ(c.fault("client.mounts[0].mountpoint", "x").str(), "c.yaml:20:27: x");
  EXPECT_EQ(c.fault("client.mounts[0].nothing.of.that", "x").line, 20);
  EXPECT_EQ(c.fault("nodes.milk", "x").line, 14);
  EXPECT_EQ(c.fault("no.such", "x").str(), "c.yaml: x");
}

TEST(ParseRoles, InTheOrderGiven) {
  EXPECT_EQ(parse_roles("storage,client").value(), (std::vector{Role::storage, Role::client}));
  EXPECT_EQ(parse_roles("backup").value(), std::vector{Role::backup});
  for (const char* wrong : {"", "client,", "clients", "client,client", ",api", "client storage"})
    EXPECT_FALSE(parse_roles(wrong)) << wrong;
}

TEST(CheckForRoles, SaysWhatIsMissing) {
  using testing::ElementsAre;
  const auto missing = [](std::string_view text, std::vector<Role> roles) {
    std::vector<std::string> lines;
    for (const ConfigFault& f : check_for_roles(good(text), roles)) lines.push_back(f.str());
    return lines;
  };
  EXPECT_THAT(missing("cluster: x", {Role::client}),
              ElementsAre("c.yaml: the role client needs nodes: how this machine reaches each storage node",
                          "c.yaml: the role client needs client.mounts: where the tree is to appear"));
  EXPECT_THAT(missing("cluster: x\nnodes: {a: {path: /a}}", {Role::storage}),
              ElementsAre("c.yaml: the role storage needs node: which of the nodes this machine is"));
  EXPECT_THAT(
      missing("cluster: x\nbackup: {folder: /b, identity: i}", {Role::backup}),
      ElementsAre(
          "c.yaml:2:9: the role backup needs backup.api: the URL of the archive",
          "c.yaml:2:9: the role backup needs backup.secret_file: the secret the archive's operator gave "
          "you"));
  EXPECT_EQ(
      missing("cluster: x\nnode: a\nnodes: {a: {url: 'https://h'}}", {Role::storage, Role::client}).size(),
      3u);
  EXPECT_EQ(missing("cluster: x\nnode: a\nnodes: {a: {path: /a}}\nstorage: {listen: 'h:1'}", {Role::storage})
                .size(),
            1u);
  EXPECT_TRUE(missing("cluster: x\nnode: a\nnodes: {a: {path: /a}}", {Role::storage, Role::api}).empty());
}

}  // namespace
}  // namespace geogrid
