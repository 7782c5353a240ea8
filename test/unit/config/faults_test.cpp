// One mistake, one line: with its place, what is wrong, and what was probably meant.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/reader.hpp"

namespace geogrid {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::optional<std::string> test_environment(std::string_view name) {
  if (name == "SECRET") return "hunter2";
  if (name == "EMPTY") return "";
  if (name == "CONTROL") return "/a\x1b[31m";
  return std::nullopt;
}

std::vector<std::string> faults(std::string_view text) {
  std::vector<std::string> lines;
  for (const ConfigFault& f : parse_config(text, "c", test_environment).faults) lines.push_back(f.str());
  return lines;
}

/// The only fault of `lines` after a good first line, so that line 2 is the first of them.
std::string fault(std::string_view lines) {
  const auto all = faults("cluster: x\n" + std::string(lines));
  if (all.size() == 1) return all[0];
  return all.empty() ? "no fault" : fmt::format("{} faults: {}", all.size(), fmt::join(all, " | "));
}

TEST(ConfigFaults, UnknownKeysNameTheNearest) {
  EXPECT_EQ(fault("storge: {}"), "c:2:1: unknown key 'storge'; did you mean 'storage'?");
  EXPECT_EQ(fault("client:\n  dedline: 2s"),
            "c:3:3: client: unknown key 'dedline'; did you mean 'deadline'?");
  EXPECT_EQ(fault("classes:\n  - {name: a, replcas: 3}"),
            "c:3:15: classes[0]: unknown key 'replcas'; did you mean 'replicas'?");
  EXPECT_EQ(fault("trash: { colour: 1 }"), "c:2:10: trash: unknown key 'colour'; known are: keep");
  EXPECT_EQ(fault("Storage: {}"), "c:2:1: unknown key 'Storage'; did you mean 'storage'?");
  EXPECT_EQ(fault("\"a\\nb\": 1").substr(0, 27), "c:2:1: unknown key 'a\\nb'; ");
}

TEST(ConfigFaults, WrongKindsOfValues) {
  EXPECT_EQ(fault("client: 5"), "c:2:9: client: a map of keys and values is needed here, not a single value");
  EXPECT_EQ(fault("client: []"), "c:2:9: client: a map of keys and values is needed here, not a list");
  EXPECT_EQ(fault("client: { mounts: /mnt }"),
            "c:2:19: client.mounts: a list is needed here, not a single value: write [ … ]");
  EXPECT_EQ(fault("log: { level: [info] }"), "c:2:15: log.level: a single value is needed here, not a list");
  EXPECT_EQ(fault("log: { level: }"),
            "c:2:15: log.level: the value is missing; leave the key out to get the default");
  EXPECT_EQ(fault("log: { level: '' }"), "c:2:15: log.level: the value is empty");
  EXPECT_THAT(fault("log: { level: loud }"), StartsWith("c:2:15: log.level: "));
  EXPECT_EQ(fault("client: { verify_reads: yes }"),
            "c:2:25: client.verify_reads: 'yes' is none of: true, false");
  EXPECT_EQ(fault("client: { show_unregistered: maybe }"),
            "c:2:30: client.show_unregistered: 'maybe' is none of: auto, true, false");
  EXPECT_EQ(fault("backup: { mode: all }"), "c:2:17: backup.mode: 'all' is none of: partial, full");
}

TEST(ConfigFaults, ImpossibleNumbers) {
  EXPECT_EQ(fault("brake: { percent: 101 }"),
            "c:2:19: brake.percent: 101 is not more than 0 and at most 100");
  EXPECT_EQ(fault("brake: { percent: 0 }"), "c:2:19: brake.percent: 0 is not more than 0 and at most 100");
  EXPECT_THAT(fault("brake: { percent: nan }"), HasSubstr("nan"));
  EXPECT_EQ(fault("brake: { percent: 5% }"), "c:2:19: brake.percent: '5%' is not a number");
  EXPECT_EQ(fault("storage: { replicate: { parallel: 0 } }"),
            "c:2:35: storage.replicate.parallel: 0 is not between 1 and 256");
  EXPECT_EQ(fault("storage: { replicate: { parallel: 1.5 } }"),
            "c:2:35: storage.replicate.parallel: '1.5' is not a whole number");
  EXPECT_THAT(fault("storage: { replicate: { parallel: 99999999999999999999 } }"),
              HasSubstr("not a whole number"));
  EXPECT_THAT(fault("storage: { min_free: -1 }"), HasSubstr("'-1' is no size"));
  EXPECT_THAT(fault("storage: { min_free: 10 GiB }"), HasSubstr("'10 GiB' is no size"));
  EXPECT_THAT(fault("storage: { scrub: { rate: 0MiB/s } }"), HasSubstr("a rate of nothing"));
  EXPECT_THAT(fault("storage: { scrub: { rate: 20MiB } }"), HasSubstr("is no rate"));
  EXPECT_THAT(fault("client: { deadline: 2 }"), HasSubstr("'2' is no duration"));
  EXPECT_THAT(fault("client: { deadline: 0s }"), HasSubstr("more than 0"));
  EXPECT_THAT(fault("client: { deadline: -2s }"), HasSubstr("is no duration"));
  EXPECT_THAT(fault("trash: { keep: 99999999d }"), HasSubstr("more than 100 years"));
  EXPECT_THAT(fault("backup: { keep_free_gig: -1 }"), HasSubstr("-1 is not at least 0"));
}

TEST(ConfigFaults, Classes) {
  EXPECT_EQ(fault("classes: [{name: a, replicas: 2, sync_copies: 3}]"),
            "c:2:47: classes[0].sync_copies: 3 copies at close() are more than the 2 replicas there will be");
  EXPECT_THAT(fault("classes: [{name: a, sync_copies: 3}]"), HasSubstr("more than the 2 replicas"));
  EXPECT_THAT(fault("classes: [{name: a, replicas: 0}]"), HasSubstr("0 is not between 1 and 64"));
  EXPECT_THAT(fault("classes: [{name: a, replicas: 65}]"), HasSubstr("65 is not between 1 and 64"));
  EXPECT_EQ(fault("classes: []"), "c:2:10: classes: there must be at least one class");
  EXPECT_EQ(fault("classes: [{replicas: 1}]"), "c:2:11: classes[0]: 'name' is missing");
  EXPECT_EQ(
      fault("classes:\n  - {name: a, match: x}"),
      "c:3:22: classes[0].match: the last class must have no 'match': it is the default for all other files");
  EXPECT_THAT(fault("classes:\n  - {name: a}\n  - {name: b}"),
              StartsWith("c:3:5: classes[0]: a class without 'match'"));
  EXPECT_EQ(fault("classes:\n  - {name: a, match: x}\n  - {name: a}"),
            "c:4:12: classes[1].name: the class 'a' is defined twice, first in line 3");
  EXPECT_EQ(fault("classes: [{name: a, match: '('}, {name: b}]"),
            "c:2:28: classes[0].match: invalid pattern '(': missing ): (");
  EXPECT_THAT(fault("classes: [{name: 'a b'}]"), HasSubstr("'a b' is no name"));
  EXPECT_THAT(fault("classes: [x]"), HasSubstr("classes[0]: a map of keys"));
}

TEST(ConfigFaults, Nodes) {
  EXPECT_EQ(fault("nodes:\n  jam: {}"),
            "c:3:8: nodes.jam: how is the node reached? Give its 'path' or its 'url'");
  EXPECT_EQ(fault("nodes:\n  jam: {path: /a, url: 'https://h'}"),
            "c:3:8: nodes.jam: 'path' and 'url' exclude each other");
  EXPECT_THAT(fault("nodes: { jam: { path: srv } }"), HasSubstr("'srv' is a relative path"));
  EXPECT_THAT(fault("nodes: { jam: { url: ftp://x } }"), HasSubstr("'ftp://x' is no URL"));
  EXPECT_THAT(fault("nodes: { 'a/b': { path: /a } }"), HasSubstr("'a/b' is no name for a node"));
  EXPECT_EQ(fault("nodes:\n  jam: {path: /a}\n  jam: {path: /b}"),
            "c:4:3: the key 'jam' is given twice, first in line 3");
  EXPECT_EQ(fault("nodes: { jam: { path: /a } }\nnode: jma"),
            "c:3:7: node: no node 'jma' is under 'nodes'; did you mean 'jam'?");
  EXPECT_EQ(fault("node: jam"), "c:2:7: node: no node 'jam' is under 'nodes'");
  std::string many = "nodes:\n";
  for (int i = 0; i < 65; ++i) many += fmt::format("  n{}: {{ path: /n{}x }}\n", i, i);
  EXPECT_EQ(fault(many), "c:3:3: nodes: 65 nodes are given, and 64 is the limit");
}

TEST(ConfigFaults, ReadPreference) {
  const std::string nodes = "nodes: { jam: { path: /a }, milk: { path: /b } }\n";
  EXPECT_EQ(
      fault(nodes + "client: { read_preference: [ { order: [ jam, mlik ] } ] }"),
      "c:3:46: client.read_preference[0].order[1]: no node 'mlik' is under 'nodes'; did you mean 'milk'?");
  EXPECT_THAT(fault(nodes + "client: { read_preference: [ { order: [ { jam: 1.5 } ] } ] }"),
              HasSubstr("1.5 is not at least 0 and at most 1"));
  EXPECT_THAT(fault(nodes + "client: { read_preference: [ { order: [ { jam: 1, milk: 1 } ] } ] }"),
              HasSubstr("one node and its weight"));
  EXPECT_THAT(fault(nodes + "client: { read_preference: [ { order: [ jam, { jam: 0.5 } ] } ] }"),
              HasSubstr("in this order already"));
  EXPECT_THAT(fault(nodes + "client: { read_preference: [ { match: x } ] }"),
              HasSubstr("'order' is missing"));
  EXPECT_THAT(fault(nodes + "client: { read_preference: [ { match: '[', order: [jam] } ] }"),
              HasSubstr("invalid pattern '['"));
}

TEST(ConfigFaults, PathsWithinEachOther) {
  EXPECT_EQ(fault("client: { mounts: [ { mountpoint: mnt } ] }"),
            "c:2:35: client.mounts[0].mountpoint: 'mnt' is a relative path; write it from the root, "
            "beginning with /");
  EXPECT_THAT(fault("client: { mounts: [ { read_only: true } ] }"), HasSubstr("'mountpoint' is missing"));
  EXPECT_THAT(fault("client: { mounts: [ { mountpoint: /m }, { mountpoint: /m/ } ] }"),
              HasSubstr("mounts[1].mountpoint: /m is the mount point already"));
  EXPECT_THAT(fault("client: { mounts: [ { mountpoint: /m/a }, { mountpoint: /m } ] }"),
              HasSubstr("mounts[0].mountpoint: /m/a lies within the mount point, /m"));
  EXPECT_EQ(fault("nodes: { jam: { path: /m/jam } }\nclient: { mounts: [ { mountpoint: /m } ] }"),
            "c:2:23: nodes.jam.path: /m/jam lies within the mount point, /m");
  EXPECT_THAT(fault("nodes: { jam: { path: /m } }\nclient: { mounts: [ { mountpoint: /m/x } ] }"),
              HasSubstr("mountpoint: /m/x lies within the folder of node jam, /m"));
  EXPECT_THAT(fault("nodes: { jam: { path: /m }, milk: { path: /m/../m } }"),
              HasSubstr("nodes.milk.path: /m is the folder of node jam already"));
  EXPECT_THAT(fault("metadata: { url: 'sqlite:/m/db' }\nclient: { mounts: [ { mountpoint: /m } ] }"),
              HasSubstr("metadata.url: /m/db lies within the mount point, /m"));
  EXPECT_THAT(fault("client: { mounts: [ { mountpoint: /m } ], journal: /m/j }"),
              HasSubstr("client.journal: /m/j lies"));
  EXPECT_THAT(fault("nodes: { jam: { path: /m } }\nbackup: { folder: /m/b }"),
              HasSubstr("backup.folder: /m/b lies"));
  EXPECT_THAT(fault("nodes: { jam: { path: / } }\nclient: { mounts: [ { mountpoint: /m } ] }\n"
                    "metadata: { url: 'mariadb://u@h/d' }"),
              HasSubstr("/m lies within the folder of node jam, /"));
  // Names that only begin alike are apart.
  EXPECT_EQ(fault("nodes: { jam: { path: /mnt2 } }\nclient: { mounts: [ { mountpoint: /mnt } ] }"),
            "no fault");
}

TEST(ConfigFaults, Secrets) {
  const std::string literal = fault("metadata: { password: hunter2 }");
  EXPECT_THAT(literal, HasSubstr("a secret must not be written here"));
  EXPECT_THAT(literal, testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(fault("cluster_key: x${SECRET}"), HasSubstr("must not be written here"));
  EXPECT_THAT(fault("cluster_key: ${SECRET:-hunter2}"), HasSubstr("must not be written here"));
  EXPECT_THAT(fault("backup: { secret: '${UNSET}' }"), HasSubstr("variable UNSET is not set"));
  EXPECT_THAT(fault("metadata: { password: '${SECRET}', password_file: /p }"),
              HasSubstr("exclude each other"));
  for (const char* url : {"mariadb://u:hunter2@h/d", "mysql://u:hunter2@h/d", "mariadb://u:hunter2@h",
                          "mariadb://u:${SECRET}@h/d"}) {
    const std::string in_url = fault(fmt::format("metadata: {{ url: '{}' }}", url));
    EXPECT_THAT(in_url, StartsWith("c:2:18: metadata.url: ")) << url;
    EXPECT_THAT(in_url, testing::Not(HasSubstr("hunter2"))) << url;
  }
  EXPECT_THAT(fault("metadata: { url: 'mariadb://u:p@h/d' }"), HasSubstr("password_file"));
  EXPECT_THAT(fault("tls: { certificate: /c }"), HasSubstr("belong together"));
}

TEST(ConfigFaults, Variables) {
  EXPECT_EQ(fault("node: ${UNSET}"), "c:2:7: node: the environment variable UNSET is not set");
  EXPECT_THAT(fault("node: ${un-closed"), HasSubstr("is no variable"));
  EXPECT_THAT(fault("node: ${1X}"), HasSubstr("is no variable"));
  EXPECT_THAT(fault("node: ${EMPTY}"), HasSubstr("empty"));
  EXPECT_THAT(fault("client: { journal: '${CONTROL}' }"), HasSubstr("control characters"));
}

TEST(ConfigFaults, Addresses) {
  EXPECT_EQ(fault("storage: { listen: 0.0.0.0 }"),
            "c:2:20: storage.listen: '0.0.0.0' has no port; write it like host:8071 or [::]:8071");
  EXPECT_THAT(fault("storage: { listen: 'h:0' }"), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(fault("api: { listen: 'h:65536' }"), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(fault("api: { public_url: archive.example }"), HasSubstr("must begin with https://"));
  EXPECT_THAT(fault("api: { download: { expose: [ a ] } }"), HasSubstr("expose[0]: 'a' is a relative path"));
  EXPECT_THAT(fault("api: { download: { docroot: /a/../b } }"), HasSubstr("'..' is not a name"));
  EXPECT_THAT(fault("api: { notify: { mail: nobody } }"), HasSubstr("is no mail address"));
  EXPECT_THAT(fault("storage: { walk: { ignore: [ a/b ] } }"), HasSubstr("holds a slash"));
}

TEST(ConfigFaults, AllAreFoundInTheOrderOfLines) {
  EXPECT_THAT(faults("node: nope\nbrake: { percent: 200 }\nclasses:\n  - { name: a, match: '(' }\n  - { "
                     "name: a, x: 1 }\n"
                     "log: { level: loud }\nwhatever: 1\n"),
              ElementsAre("c:1:1: 'cluster' is missing", "c:1:7: node: no node 'nope' is under 'nodes'",
                          HasSubstr("c:2:19: brake.percent"), HasSubstr("c:4:23: classes[0].match"),
                          HasSubstr("c:5:13: classes[1].name: the class 'a' is defined twice"),
                          HasSubstr("c:5:16: classes[1]: unknown key 'x'"), HasSubstr("c:6:15: log.level"),
                          HasSubstr("c:7:1: unknown key 'whatever'")));
}

TEST(ConfigFaults, OneMistakeIsReportedOnce) {
  // A value that could not be read is not compared with others.
  EXPECT_THAT(fault("classes: [{name: a, replicas: many, sync_copies: 3}]"), HasSubstr("'many'"));
  EXPECT_THAT(fault("nodes: { jam: 5 }\nnode: jamm"), HasSubstr("nodes.jam: a map"));
  EXPECT_THAT(fault("nodes: { jam: { path: m } }\nclient: { mounts: [ { mountpoint: /m } ] }"),
              HasSubstr("relative"));
}

TEST(ConfigFaults, AFloodIsCutOff) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += fmt::format("unknown{}: 1\n", i);
  const auto all = faults(text);
  EXPECT_EQ(all.size(), kMaxConfigFaults + 1);
  EXPECT_EQ(all.back(), "c: and 4901 faults more");
}

TEST(ConfigFaults, Yaml) {
  EXPECT_THAT(faults("cluster: [a\n"), ElementsAre(HasSubstr("YAML: ")));
  EXPECT_THAT(faults("cluster: x\n\tnode: y\n"), ElementsAre(StartsWith("c:2:")));
  EXPECT_THAT(faults("cluster: x\n---\ncluster: y\n"), ElementsAre(HasSubstr("second document")));
  EXPECT_THAT(faults(""), ElementsAre("c: the configuration is empty; examples are in the folder conf/"));
  EXPECT_THAT(faults("# nothing but a comment\n"), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(faults("---\n"), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(faults("just words"),
              ElementsAre("c:1:1: a map of keys and values is needed here, not a single value"));
  EXPECT_THAT(faults("- a\n- b\n"), ElementsAre(HasSubstr("not a list")));
  EXPECT_THAT(fault("? [a, b]\n: c\n"), HasSubstr("a key must be a word, not a list"));
  EXPECT_THAT(fault("? {a: b}\n: c\n"), HasSubstr("a key must be a word, not a map"));
  EXPECT_THAT(fault("~: c\n"), HasSubstr("a key must be a word, not nothing"));
  EXPECT_THAT(fault("node: !!binary aGk=\n"), HasSubstr("tags such as"));
  EXPECT_THAT(fault("log: !<!evil> { level: info }\n"), HasSubstr("tags such as"));
  EXPECT_THAT(fault("%TAG ! x\nlog: { level: loud }\n"), StartsWith("c:3:1: a second document"));
  EXPECT_THAT(fault("...\nlog: { level: loud }\n"), HasSubstr("second document"));
  EXPECT_THAT(fault("log: *nothing\n"), HasSubstr("YAML: "));
  EXPECT_THAT(fault("cluster: y"), "c:2:1: the key 'cluster' is given twice, first in line 1");
}

TEST(ConfigFaults, NotText) {
  EXPECT_THAT(fault("node: \xff\xfe\n"), StartsWith("c:2:7: the byte 0xff is no text"));
  EXPECT_THAT(fault(std::string("node: a\0b\n", 10)), StartsWith("c:2:8: the byte 0x00"));
  EXPECT_THAT(fault("node: a\x04\n"), StartsWith("c:2:8: the byte 0x04"));
  EXPECT_THAT(fault("node: \"a\\eb\"\n"), HasSubstr("control characters"));
  EXPECT_EQ(fault("backup: { folder: '/caf\xc3\xa9' }"), "no fault");
}

TEST(ConfigFaults, Bounds) {
  EXPECT_THAT(faults(std::string(kMaxConfigBytes + 1, ' ')),
              ElementsAre("c: larger than 1 MiB: this is no configuration"));
  for (const char* open : {"[", "{a: ", "[{a: "})
    for (int depth : {33, 400, 100000}) {
      std::string text = "log: ";
      for (int i = 0; i < depth; ++i) text += open;
      EXPECT_THAT(fault(text), HasSubstr("nested more than 32 levels deep")) << open << depth;
    }
  std::string blocks;
  for (int i = 0; i < 40; ++i) blocks += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(faults(blocks), ElementsAre(HasSubstr("nested more than 32")));
}

TEST(ConfigFaults, AliasBombs) {
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    laughs += fmt::format("{}: &{} [*{}, *{}, *{}, *{}, *{}, *{}, *{}, *{}]\n", c, c, before, before, before,
                          before, before, before, before, before);
  }
  EXPECT_THAT(faults(laughs), ElementsAre(HasSubstr("more than 100000 values")));

  std::string chain = "list:\n  - &a0 [x]\n";
  for (int i = 1; i < 20000; ++i) chain += fmt::format("  - &a{} [*a{}]\n", i, i - 1);
  EXPECT_THAT(faults(chain), ElementsAre(HasSubstr("nested more than 32")));

  EXPECT_THAT(fault("log: &me { level: *me }"),
              HasSubstr("an alias stands inside the value that it repeats"));
}

}  // namespace
}  // namespace geogrid
