#include "policy/storage_class.hpp"

#include "policy/pattern.hpp"

namespace geogrid {

struct StorageClasses::Rules {
  std::vector<StorageClass> classes;
  std::vector<Pattern> patterns;  // of each class but the last
};

result<StorageClasses> StorageClasses::make(std::vector<StorageClass> classes) {
  if (classes.empty()) return fail(errc::invalid_argument, "there must be at least one storage class");
  auto rules = std::make_shared<Rules>();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const StorageClass& c = classes[i];
    const bool last = i + 1 == classes.size();
    if (c.name.empty()) return fail(errc::invalid_argument, "storage class {} has no name", i + 1);
    for (std::size_t j = 0; j < i; ++j)
      if (classes[j].name == c.name)
        return fail(errc::invalid_argument, "storage class '{}' is defined twice", printable(c.name));
    if (last && c.match)
      return fail(errc::invalid_argument,
                  "the last storage class, '{}', must have no match: it is the default for all other files",
                  printable(c.name));
    if (!last && !c.match)
      return fail(errc::invalid_argument, "storage class '{}' has no match, so it must be the last",
                  printable(c.name));
    if (!c.match) continue;
    auto pattern = Pattern::make(*c.match);
    if (!pattern) return pattern.error().within(fmt::format("storage class '{}'", printable(c.name)));
    rules->patterns.push_back(std::move(*pattern));
  }
  rules->classes = std::move(classes);
  return StorageClasses(std::move(rules));
}

const StorageClass& StorageClasses::of_path(const Path& path) const {
  const std::string text = path.str();
  for (std::size_t i = 0; i < rules_->patterns.size(); ++i)
    if (rules_->patterns[i].matches(text)) return rules_->classes[i];
  return rules_->classes.back();
}

const StorageClass* StorageClasses::find(std::string_view name) const {
  for (const StorageClass& c : rules_->classes)
    if (c.name == name) return &c;
  return nullptr;
}

const StorageClass& StorageClasses::default_class() const {
  return rules_->classes.back();
}

std::span<const StorageClass> StorageClasses::all() const {
  return rules_->classes;
}

}  // namespace geogrid
