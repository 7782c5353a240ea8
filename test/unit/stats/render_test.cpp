#include <gtest/gtest.h>

#include "stats/render_json.hpp"
#include "stats/render_text.hpp"

namespace geogrid {
namespace {

NodeRecord node(std::string name, std::uint8_t index) {
  NodeRecord n;
  n.index = NodeIndex(index);
  n.name = std::move(name);
  n.state = NodeState::active;
  n.heartbeat_age = std::chrono::seconds(1);
  return n;
}

FileFacts photo() {
  FileFacts facts;
  facts.path = *Path::parse("/photos/new\nline \xff.jpg");
  facts.inode.id = InodeId(7);
  facts.inode.type = FileType::file;
  facts.inode.state = ContentState::published;
  facts.inode.version = Version(2);
  facts.inode.size = 45000;
  facts.inode.digest = digest_of("x");
  facts.inode.storage_class = "others";
  facts.inode.replica_target = 2;
  facts.inode.replicas = NodeSet::of(NodeIndex(0));
  facts.inode.older = NodeSet::of(NodeIndex(1));
  facts.nodes = {node("cream", 0), node("jam", 1)};
  facts.proved = {{NodeIndex(0), Timestamp{1375696800, 0}}};
  return facts;
}

TEST(Table, AlignsByCharactersAndLeavesNoTrailingBlanks) {
  Table table({{"name"}, {"n", Align::right}, {"note"}});
  table.add({"Ærø", "5", "x"});
  table.add({"long name", "1,234", ""});
  EXPECT_EQ(table.render(Style{}), "name           n  note\nÆrø            5  x\nlong name  1,234\n");
}

TEST(Table, ColoursOnlyWhenAsked) {
  EXPECT_EQ(toned("x", Tone::bad, Style{false}), "x");
  EXPECT_EQ(toned("x", Tone::bad, Style{true}), "\033[1;31mx\033[0m");
  EXPECT_EQ(toned("x", Tone::plain, Style{true}), "x");
}

TEST(Locate, ShowsAnyBytesSafelyAndWhoHoldsWhat) {
  const std::string text = render_locate(photo(), Style{});
  EXPECT_NE(text.find("/photos/new\\nline \\xff.jpg"), std::string::npos) << text;
  EXPECT_NE(text.find("1 of 2"), std::string::npos);
  EXPECT_NE(text.find("cream  active  this version      2013-08-05T10:00:00Z"), std::string::npos) << text;
  EXPECT_NE(text.find("jam    active  an older version  –"), std::string::npos) << text;
}

TEST(Locate, JsonSaysTheSame) {
  const Json json = Json::parse(locate_json(photo()).dump());
  EXPECT_EQ(unprintable(json["path"].get<std::string>()).value(), "/photos/new\nline \xff.jpg");
  EXPECT_EQ(json["digest"], "md5:9dd4e461268c8034f5c8564e155c67a6");
  ASSERT_EQ(json["copies"].size(), 1U);
  EXPECT_EQ(json["copies"][0]["node"], "cream");
  EXPECT_EQ(json["older_copies"], Json::array({"jam"}));
}

TEST(Status, TextAndJsonAgreeOnTheVerdict) {
  Facts facts;
  facts.cluster.name = "geograph";
  facts.nodes = {node("cream", 0)};
  facts.totals.classes = {{"others", 10, 1000, 3, 0}};
  facts.totals.nodes = {{NodeIndex(0), 10, 1000, 3}};
  facts.queue.files = 3;
  facts.queue.last_copy = 3;
  const std::string text = render_status(facts, Style{});
  EXPECT_TRUE(text.starts_with("geograph: AT RISK\n  • 3 files have one copy left")) << text;
  const Json json = status_json(facts);
  EXPECT_EQ(json["verdict"], "at risk");
  EXPECT_EQ(json["files"], 10);
  EXPECT_EQ(json["nodes"][0]["only_here"], 3);
}

TEST(Queue, AnEmptyOneSaysSo) {
  EXPECT_EQ(render_queue(QueueFacts{}, Style{}), "Every file has the copies that its class asks for.\n");
}

TEST(Queue, ShowsWhyAFileWaits) {
  QueueFacts facts;
  facts.nodes = {node("cream", 0), node("jam", 1)};
  facts.summary.files = 1;
  facts.summary.stuck = 1;
  QueueEntry entry;
  entry.inode = photo().inode;
  entry.path = photo().path;
  facts.entries.push_back(entry);
  const std::string text = render_queue(facts, Style{});
  EXPECT_NE(text.find("nowhere"), std::string::npos) << text;
  facts.entries[0].helpers = NodeSet::of(NodeIndex(1));
  EXPECT_NE(render_queue(facts, Style{}).find("jam"), std::string::npos);
}

}  // namespace
}  // namespace geogrid
