// The commented examples are read by people and by packages: they must be right, and they must be complete.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "config/reader.hpp"
#include "config/schema.hpp"

namespace geogrid {
namespace {

const std::filesystem::path kFolder = GEOGRID_CONF_FOLDER;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::filesystem::path> examples() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// Examples must not depend on where they are read.
std::optional<std::string> no_environment(std::string_view) {
  return std::nullopt;
}

TEST(Examples, PassForTheirRoles) {
  const std::map<std::string, std::vector<Role>> roles{{"client.yaml", {Role::client}},
                                                       {"storage.yaml", {Role::storage}},
                                                       {"api.yaml", {Role::api}},
                                                       {"backup.yaml", {Role::backup}},
                                                       {"all-in-one.yaml", {Role::client, Role::storage}}};
  std::set<std::string> seen;
  for (const auto& file : examples()) {
    const ConfigResult read = read_config(file, no_environment);
    ASSERT_TRUE(read) << read.error().message;
    const std::string name = file.filename();
    ASSERT_TRUE(roles.contains(name)) << name;
    for (const ConfigFault& fault : check_for_roles(*read.config, roles.at(name)))
      ADD_FAILURE() << fault.str();
    seen.insert(name);
  }
  EXPECT_EQ(seen.size(), roles.size());
}

TEST(Examples, ShowEveryKey) {
  std::set<std::string> shown;
  std::string commented;
  for (const auto& file : examples()) {
    const ConfigResult read = read_config(file, no_environment);
    ASSERT_TRUE(read);
    for (const auto& [key, place] : read.config->places) {
      std::string plain = std::regex_replace(key, std::regex("\\[\\d+\\]"), "");
      shown.insert(std::regex_replace(plain, std::regex("^nodes\\.[^.]+"), "nodes.NAME"));
    }
    commented += content_of(file);
  }
  for (const std::string& key : known_keys()) {
    const std::string leaf = key.substr(key.rfind('.') + 1);
    EXPECT_TRUE(shown.contains(key) || commented.find("#" + leaf + ": ") != std::string::npos)
        << key << " is in no example";
  }
  EXPECT_GT(known_keys().size(), 70u);
}

TEST(Examples, SayWhatIsTheDefault) {
  const ConfigResult minimal = parse_config("cluster: c", "minimal", no_environment);
  const ConfigResult storage = read_config(kFolder / "storage.yaml", no_environment);
  ASSERT_TRUE(minimal && storage);
  const Config& d = *minimal.config;
  const Config& s = *storage.config;
  EXPECT_EQ(s.trash.keep, d.trash.keep);
  EXPECT_EQ(s.brake.percent, d.brake.percent);
  EXPECT_EQ(s.storage.min_free, d.storage.min_free);
  EXPECT_EQ(s.storage.walk.cycle, d.storage.walk.cycle);
  EXPECT_EQ(s.storage.replicate.parallel, d.storage.replicate.parallel);
  EXPECT_EQ(s.storage.scrub.cycle, d.storage.scrub.cycle);
  EXPECT_EQ(s.storage.scrub.rate, d.storage.scrub.rate);
}

}  // namespace
}  // namespace geogrid
