#pragma once
// Storage classes: which rule a file falls under by its path, and what the rule asks for.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/path.hpp"

namespace geogrid {

/// What the files of one class are owed.
struct StorageClass {
  std::string name;
  std::optional<std::string> match = {};  ///< RE2, found anywhere in the full path; none: the default class
  int replicas = 2;                       ///< copies on storage nodes
  int backups = 1;                        ///< copies on backup nodes
  int sync_copies = 1;                    ///< copies that exist before close() returns
  bool durable = false;                   ///< on the platter before close() returns

  friend bool operator==(const StorageClass&, const StorageClass&) = default;
};

/// The class rules, in order: the first whose pattern matches wins, the last, without a pattern, takes the
/// rest. Immutable, cheap to copy (copies share the compiled patterns), safe to use from any thread.
class StorageClasses {
 public:
  /// Errors: errc::invalid_argument for an empty list, empty or repeated names, a class without `match` that
  /// is not the last, a last class with one, or an invalid pattern.
  static result<StorageClasses> make(std::vector<StorageClass> classes);

  /// The class of the file at `path`. The reference lives as long as any copy of this object.
  const StorageClass& of_path(const Path& path) const;
  /// nullptr if no class has this name.
  const StorageClass* find(std::string_view name) const;
  const StorageClass& default_class() const;
  std::span<const StorageClass> all() const;

 private:
  struct Rules;
  explicit StorageClasses(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

  std::shared_ptr<const Rules> rules_;
};

}  // namespace geogrid
