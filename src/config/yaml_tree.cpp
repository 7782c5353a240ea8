#include "config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "base/path.hpp"

namespace geogrid {
namespace {

Place place_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

/// Ends the parsing: a bound was reached.
struct TooLarge {
  Place place;
  std::string message;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Faults& faults) : faults_(faults) {}

  YamlPtr take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    start(mark, "", anchor, YamlNode::Kind::null);
    finish();
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    start(mark, tag, anchor, YamlNode::Kind::scalar);
    stack_.back().node->text = value;
    finish();
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found != anchors_.end()) return attach(found->second, mark);
    faults_.add(place_of(mark), "an alias stands inside the value that it repeats");
    OnNull(mark, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, YamlNode::Kind::list);
  }
  void OnSequenceEnd() override { finish(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, YamlNode::Kind::map);
  }
  void OnMapEnd() override {
    pair_up(*stack_.back().node);
    finish();
  }

 private:
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor;
    YAML::Mark mark;
  };

  void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    // "?" and "!" are what yaml-cpp calls the absent tag of a plain and of a quoted value.
    if (!tag.empty() && tag != "?" && tag != "!")
      faults_.add(place_of(mark), fmt::format("tags such as '{}' have no meaning here", printable(tag)));
    if (std::ssize(stack_) >= kMaxConfigDepth) throw too_deep(mark);
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->place = place_of(mark);
    stack_.push_back({std::move(node), anchor, mark});
  }

  void finish() {
    const Open done = std::move(stack_.back());
    stack_.pop_back();
    if (done.anchor != YAML::NullAnchor) anchors_[done.anchor] = done.node;
    attach(done.node, done.mark);
  }

  /// Puts a finished value into the one that is open. Keys and values of a map are paired up at its end.
  void attach(const YamlPtr& node, const YAML::Mark& mark) {
    if (stack_.empty()) {
      root_ = node;
      return;
    }
    YamlNode& parent = *stack_.back().node;
    parent.values += node->values;
    parent.depth = std::max(parent.depth, node->depth + 1);
    if (parent.values > kMaxConfigValues)
      throw TooLarge{place_of(mark),
                     fmt::format("more than {} values, aliases written out", kMaxConfigValues)};
    // Aliases can make a tree deeper than what was ever open at once.
    if (parent.depth > kMaxConfigDepth) throw too_deep(mark);
    parent.items.push_back(node);
  }

  static TooLarge too_deep(const YAML::Mark& mark) {
    return {place_of(mark), fmt::format("nested more than {} levels deep", kMaxConfigDepth)};
  }

  void pair_up(YamlNode& map) {
    std::unordered_map<std::string, Place> seen;
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
      const YamlNode& key = *map.items[i];
      if (key.kind != YamlNode::Kind::scalar) {
        faults_.add(key.place, fmt::format("a key must be a word, not {}", key.kind_name()));
        continue;
      }
      const auto [first, is_new] = seen.emplace(key.text, key.place);
      if (!is_new) {
        faults_.add(key.place, fmt::format("the key '{}' is given twice, first in line {}",
                                           printable(key.text), first->second.line));
        continue;
      }
      map.entries.push_back({key.text, key.place, map.items[i + 1]});
    }
    map.items.clear();
  }

  Faults& faults_;
  std::vector<Open> stack_;
  std::unordered_map<YAML::anchor_t, YamlPtr> anchors_;
  YamlPtr root_;
};

/// yaml-cpp replaces malformed UTF-8 silently, guesses UTF-16, and ends at a byte 4: none of it gets that
/// far.
bool check_text(std::string_view text, Faults& faults) {
  int line = 1;
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    if (row.ends_with('\r')) row.remove_suffix(1);
    for (std::size_t i = 0; i < row.size();) {
      std::size_t n = 1;
      const auto c = static_cast<unsigned char>(row[i]);
      if (c >= 0x80)
        while (n < 4 && i + n < row.size() && (static_cast<unsigned char>(row[i + n]) & 0xC0U) == 0x80U) ++n;
      const bool byte_order_mark = line == 1 && i == 0 && row.starts_with("\xEF\xBB\xBF");
      if (c != '\t' && c != '\\' && !byte_order_mark && printable(row.substr(i, n)) != row.substr(i, n)) {
        faults.add(
            {line, static_cast<int>(i) + 1},
            fmt::format("the byte {:#04x} is no text: the file must be UTF-8 without control characters "
                        "(in a pattern write \\x{:02x})",
                        c, c));
        return false;
      }
      i += n;
    }
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
    ++line;
  }
}

}  // namespace

std::string_view YamlNode::kind_name() const {
  switch (kind) {
    case Kind::scalar:
      return "a single value";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::null:
      break;
  }
  return "nothing";
}

YamlPtr parse_yaml(std::string_view text, Faults& faults) {
  if (!check_text(text, faults)) return nullptr;
  TreeBuilder builder(faults);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) return nullptr;
    YamlPtr root = builder.take_root();
    if (parser.HandleNextDocument(builder))
      if (const YamlPtr second = builder.take_root())
        faults.add(second->place,
                   "a second document begins here (after '---', '...' or a directive): one is all there is");
    return root;
  } catch (const YAML::Exception& e) {
    faults.add(e.mark.is_null() ? Place{} : place_of(e.mark), fmt::format("YAML: {}", printable(e.msg)));
  } catch (const TooLarge& e) {
    faults.add(e.place, e.message);
  }
  return nullptr;
}

}  // namespace geogrid
