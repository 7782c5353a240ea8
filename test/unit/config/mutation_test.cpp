// Whatever the bytes are, reading them ends, in a configuration or in faults that can be shown.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "config/reader.hpp"

namespace geogrid {
namespace {

using Random = std::mt19937_64;

std::vector<std::string> seeds() {
  std::vector<std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(GEOGRID_CONF_FOLDER)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::string line;
    std::string text;
    while (std::getline(in, line))  // comments would take most of the hits
      if (line.find_first_not_of(' ') != std::string::npos && line[line.find_first_not_of(' ')] != '#')
        text += line + "\n";
    texts.push_back(text);
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

constexpr std::string_view kPieces[] = {"[",
                                        "]",
                                        "{",
                                        "}",
                                        ": ",
                                        "- ",
                                        "\n",
                                        "  ",
                                        "&a ",
                                        "*a",
                                        "!!",
                                        "|",
                                        ">",
                                        "'",
                                        "\"",
                                        "#",
                                        "? ",
                                        "%",
                                        "@",
                                        "`",
                                        "---\n",
                                        "...\n",
                                        "\t",
                                        "${",
                                        "${X}",
                                        "$${",
                                        "<<: *a",
                                        "~",
                                        "-1",
                                        "1e999",
                                        "nan",
                                        "0x",
                                        "\xff",
                                        std::string_view("\0", 1),
                                        "\x04",
                                        "\xef\xbb\xbf",
                                        "\\",
                                        "\"\\x00\"",
                                        "nodes:",
                                        "classes:",
                                        "match: '('",
                                        "sync_copies: 99",
                                        "mariadb://u:p@h/d",
                                        "sqlite:",
                                        "http://",
                                        "/",
                                        ".."};

std::string mutate(std::string text, const std::vector<std::string>& all, Random& random) {
  const auto below = [&](std::size_t n) {
    return static_cast<std::size_t>(random() % std::max<std::size_t>(n, 1));
  };
  for (std::size_t edits = 1 + below(6); edits > 0; --edits) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = below(std::min<std::size_t>(text.size() - at, 40) + 1);
    switch (below(7)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 4:
        text.replace(at, length, kPieces[below(std::size(kPieces))]);
        break;
      case 5: {
        const std::string& other = all[below(all.size())];
        const std::size_t from = below(other.size());
        text.insert(at, other, from, below(200));
        break;
      }
      default:
        text.insert(at, std::string(1 + below(50), kPieces[below(4)][0]));
        break;
    }
  }
  return text;
}

bool is_shown_safely(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

TEST(Mutation, NoBytesCrashTheReader) {
  const auto all = seeds();
  ASSERT_FALSE(all.empty());
  int read_well = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    Random random(seed);
    const std::string text = mutate(all[seed % all.size()], all, random);
    const ConfigResult result = parse_config(text, "c", [](auto) { return std::nullopt; });
    ASSERT_NE(result.config.has_value(), !result.faults.empty()) << "seed " << seed;
    for (const ConfigFault& fault : result.faults) {
      ASSERT_TRUE(is_shown_safely(fault.str())) << "seed " << seed << ": " << fault.message;
      ASSERT_GE(fault.line, 0);
      ASSERT_LE(fault.line, 1 + std::count(text.begin(), text.end(), '\n'))
          << "seed " << seed << ": " << fault.str();
      ASSERT_LT(fault.message.size(), 4096u + text.size()) << "seed " << seed;
    }
    if (result) {
      ++read_well;
      ASSERT_TRUE(StorageClasses::make(result.config->classes)) << "seed " << seed;
      check_for_roles(*result.config, {Role::client, Role::storage, Role::api, Role::backup});
    } else {
      ++refused;
    }
  }
  EXPECT_GT(read_well, 500);
  EXPECT_GT(refused, 5000);
}

TEST(Mutation, RandomBytes) {
  Random random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % 300, '\0');
    const bool printable_only = round % 2 == 0;
    for (char& c : text)
      c = static_cast<char>(printable_only ? " \n:-[]{}&*!|>'\"#?%@`ab1,~"[random() % 26] : random());
    const ConfigResult result = parse_config(text, "c");
    ASSERT_FALSE(result);
    ASSERT_FALSE(result.faults.empty());
  }
}

TEST(Mutation, LongRowsOfOnePiece) {
  for (const std::string_view piece : kPieces)
    for (const std::string_view start : {"", "cluster: x\n", "client: { mounts: [", "a: \"", "&a x: "}) {
      std::string text(start);
      while (text.size() < 32 * 1024) text += piece;
      const ConfigResult result = parse_config(text, "c");
      ASSERT_NE(result.config.has_value(), !result.faults.empty()) << start << piece;
    }
}

}  // namespace
}  // namespace geogrid
