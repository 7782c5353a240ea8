#pragma once
// The pieces a schema is made of: Value<T> reads one kind of value, Section<S> is the table of a struct's
// keys. Readers never stop at a fault: they note it, leave the default in place and go on.

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/faults.hpp"
#include "config/nearest.hpp"
#include "config/yaml_tree.hpp"

namespace geogrid {

/// What readers share while they walk through one document.
class ReadContext {
 public:
  ReadContext(Config& config, const Environment& environment, Faults& faults)
      : config_(config), environment_(environment), faults_(faults) {}

  const std::string& key() const { return key_; }
  /// Notes a fault of the value that is being read, at its place or at another.
  void fault(const YamlNode& node, std::string message) { fault(node.place, std::move(message)); }
  void fault(Place place, std::string message);
  /// Notes a fault of the value of `key`, which may be any.
  void fault_at(const std::string& key, std::string message);
  /// Whether something was wrong with the value of `key` or below it.
  bool faulty(std::string_view key) const;
  /// " did you mean …?"; empty if nothing is near, or if there are too many faults for it to matter.
  std::string suggestion(std::string_view word, const std::vector<std::string>& known) const;

  /// The text of a single value with its ${…} expanded; none, with a fault, if it is no text.
  std::optional<std::string> text(const YamlNode& node);
  /// The same as written.
  std::optional<std::string> raw_text(const YamlNode& node);
  /// Whether it is a map (a list); a fault if not. Nothing at all ("client:") counts as an empty one.
  bool is_map(const YamlNode& node);
  bool is_list(const YamlNode& node);

  /// Faults a key that no table has, with the nearest that one has.
  void unknown_key(const YamlEntry& entry, const std::vector<std::string>& known);

  /// Runs `read` with `key` added to the current key, and records where `node` stands.
  void below(std::string_view key, const YamlNode& node, const std::function<void()>& read);

 private:
  Config& config_;
  const Environment& environment_;
  Faults& faults_;
  std::string key_;
  std::set<std::string, std::less<>> faulty_;
};

/// How one kind of value is read. `keys` are the keys below it, for the list of all that are known.
template <typename T>
struct Value {
  std::function<void(ReadContext&, const YamlNode&, T&)> read;
  std::vector<std::string> keys = {};
};

template <typename S>
struct Field {
  std::string key;
  std::function<void(ReadContext&, const YamlNode&, S&)> read;
  std::vector<std::string> keys;
  bool is_required = false;

  /// The same field, faulted where it is missing.
  Field required() && {
    is_required = true;
    return std::move(*this);
  }
};

/// The key `key` fills `member` with a `value`.
template <typename S, typename T>
Field<S> field(std::string key, T S::*member, Value<T> value) {
  return {std::move(key),
          [member, read = std::move(value.read)](ReadContext& context, const YamlNode& node, S& out) {
            read(context, node, out.*member);
          },
          std::move(value.keys)};
}
/// An optional member: present once the key was read without fault.
template <typename S, typename T>
Field<S> field(std::string key, std::optional<T> S::*member, Value<T> value) {
  return {std::move(key),
          [member, read = std::move(value.read)](ReadContext& context, const YamlNode& node, S& out) {
            T inner{};
            read(context, node, inner);
            if (!context.faulty(context.key())) out.*member = std::move(inner);
          },
          std::move(value.keys)};
}

template <typename S>
using Section = std::vector<Field<S>>;

/// Reads a map by its table; `check`, if given, looks at what belongs together.
template <typename S>
Value<S> section(Section<S> fields, std::function<void(ReadContext&, const YamlNode&, S&)> check = {}) {
  Value<S> value;
  for (const Field<S>& f : fields) {
    value.keys.push_back(f.key);
    for (const std::string& below : f.keys) value.keys.push_back(f.key + "." + below);
  }
  value.read = [fields = std::move(fields), check = std::move(check)](ReadContext& context,
                                                                      const YamlNode& node, S& out) {
    if (!context.is_map(node)) return;
    std::vector<std::string> known;
    std::set<std::string_view> given;
    for (const Field<S>& f : fields) known.push_back(f.key);
    for (const YamlEntry& entry : node.entries) {
      given.insert(entry.key);
      const auto found =
          std::find_if(fields.begin(), fields.end(), [&](const Field<S>& f) { return f.key == entry.key; });
      if (found == fields.end())
        context.unknown_key(entry, known);
      else
        context.below(entry.key, *entry.value, [&] { found->read(context, *entry.value, out); });
    }
    for (const Field<S>& f : fields)
      if (f.is_required && !given.contains(f.key)) context.fault(node, fmt::format("'{}' is missing", f.key));
    if (check) check(context, node, out);
  };
  return value;
}

/// So many items a list may have.
inline constexpr std::size_t kMaxListItems = 256;

/// A list of values.
template <typename T>
Value<std::vector<T>> list_of(Value<T> item) {
  Value<std::vector<T>> value;
  for (const std::string& key : item.keys) value.keys.push_back(key);
  value.read = [item = std::move(item)](ReadContext& context, const YamlNode& node, std::vector<T>& out) {
    if (!context.is_list(node)) return;
    if (node.items.size() > kMaxListItems)
      return context.fault(
          node, fmt::format("{} items are given, and {} is the limit", node.items.size(), kMaxListItems));
    out.clear();
    for (std::size_t i = 0; i < node.items.size(); ++i)
      context.below(fmt::format("[{}]", i), *node.items[i],
                    [&] { item.read(context, *node.items[i], out.emplace_back()); });
  };
  return value;
}

}  // namespace geogrid
