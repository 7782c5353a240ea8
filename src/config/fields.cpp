#include "config/fields.hpp"

#include "base/path.hpp"
#include "config/expand.hpp"

namespace geogrid {
namespace {

/// Whether the text is UTF-8 without control characters, so that it can be shown and used as it is.
bool is_clean(std::string_view text) {
  const auto backslashes = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\\'));
  return printable(text).size() == text.size() + backslashes;
}

}  // namespace

void ReadContext::fault(Place place, std::string message) {
  faults_.add(place, key_.empty() ? std::move(message) : fmt::format("{}: {}", printable(key_), message));
  faulty_.insert(key_);
}

void ReadContext::fault_at(const std::string& key, std::string message) {
  const auto found = config_.places.find(key);
  const Place place =
      found == config_.places.end() ? Place{} : Place{found->second.first, found->second.second};
  faults_.add(place, fmt::format("{}: {}", printable(key), message));
  faulty_.insert(key);
}

bool ReadContext::faulty(std::string_view key) const {
  for (auto f = faulty_.lower_bound(key); f != faulty_.end() && f->starts_with(key); ++f)
    if (f->size() == key.size() || (*f)[key.size()] == '.' || (*f)[key.size()] == '[') return true;
  return false;
}

std::string ReadContext::suggestion(std::string_view word, const std::vector<std::string>& known) const {
  if (faults_.size() > kMaxConfigFaults) return {};
  const std::string_view near = nearest(word, known);
  return near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near);
}

void ReadContext::unknown_key(const YamlEntry& entry, const std::vector<std::string>& known) {
  const std::string near = suggestion(entry.key, known);
  fault(entry.place,
        fmt::format("unknown key '{}'{}", printable(entry.key),
                    near.empty() ? fmt::format("; known are: {}", fmt::join(known, ", ")) : near));
}

std::optional<std::string> ReadContext::raw_text(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) {
    fault(node, "the value is missing; leave the key out to get the default");
    return std::nullopt;
  }
  if (node.kind != YamlNode::Kind::scalar) {
    fault(node, fmt::format("a single value is needed here, not {}", node.kind_name()));
    return std::nullopt;
  }
  if (node.text.empty()) {
    fault(node, "the value is empty");
    return std::nullopt;
  }
  if (!is_clean(node.text)) {
    fault(node, "the value holds control characters");
    return std::nullopt;
  }
  return node.text;
}

std::optional<std::string> ReadContext::text(const YamlNode& node) {
  const auto raw = raw_text(node);
  if (!raw) return std::nullopt;
  auto expanded = expand(*raw, environment_);
  if (!expanded) {
    fault(node, expanded.error().message);
    return std::nullopt;
  }
  // Not shown: a variable may be secret.
  if (expanded->empty() || !is_clean(*expanded)) {
    fault(node, "the value is empty or holds control characters once its variables are filled in");
    return std::nullopt;
  }
  return std::move(*expanded);
}

bool ReadContext::is_map(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::map || node.kind == YamlNode::Kind::null) return true;
  fault(node, fmt::format("a map of keys and values is needed here, not {}", node.kind_name()));
  return false;
}

bool ReadContext::is_list(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::list || node.kind == YamlNode::Kind::null) return true;
  fault(node, fmt::format("a list is needed here, not {}: write [ … ]", node.kind_name()));
  return false;
}

void ReadContext::below(std::string_view key, const YamlNode& node, const std::function<void()>& read) {
  const std::size_t length = key_.size();
  if (!key_.empty() && !key.starts_with('[')) key_ += '.';
  key_ += key;
  config_.places.emplace(key_, std::pair(node.place.line, node.place.column));
  read();
  key_.resize(length);
}

}  // namespace geogrid
