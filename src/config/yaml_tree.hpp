#pragma once
// A YAML document as a bounded tree that knows where each value stands. It is built from yaml-cpp's events
// rather than its nodes, because those take duplicate keys silently and expand without bound.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/faults.hpp"

namespace geogrid {

/// So many values a document may have, aliases written out.
inline constexpr std::size_t kMaxConfigValues = 100'000;

struct YamlNode;
/// Shared, because an alias (*name) is the node of its anchor (&name) once more. Never a cycle.
using YamlPtr = std::shared_ptr<const YamlNode>;

struct YamlEntry {
  std::string key;
  Place place;
  YamlPtr value;
};

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Place place;
  std::string text;                ///< of a scalar
  std::vector<YamlPtr> items;      ///< of a list
  std::vector<YamlEntry> entries;  ///< of a map; no key twice
  std::size_t values = 1;          ///< in this subtree, itself included
  int depth = 1;                   ///< of this subtree

  /// "a map", "a list", "a single value", "nothing".
  std::string_view kind_name() const;
};

/// The root of the only document in `text`; nullptr if the document is empty or cannot be read at all, with
/// the reason in `faults`. Also faults, with what remains returned: duplicate keys, keys that are no plain
/// text, tags.
YamlPtr parse_yaml(std::string_view text, Faults& faults);

}  // namespace geogrid
