#pragma once
// A compiled pattern of the configuration: RE2 over bytes.

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace re2 {
class RE2;
}

namespace geogrid {

/// RE2 syntax, searched for anywhere in the text (anchor with ^ and $). Every byte is one character
/// (Latin-1), '.' takes any byte, newlines too, so that no file name can slip past a rule. Runs in linear
/// time and bounded memory. Immutable, cheap to copy, safe to use from any thread.
class Pattern {
 public:
  /// Errors: errc::invalid_argument with RE2's reason.
  static result<Pattern> make(std::string_view text);

  bool matches(std::string_view bytes) const;
  const std::string& text() const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace geogrid
