#pragma once
// Names and paths of the archive. Both are bytes: any value but '/' and NUL, never normalised, never
// re-encoded.

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace geogrid {

/// POSIX NAME_MAX: bytes in one name.
inline constexpr std::size_t kMaxNameBytes = 255;
/// The folder at a volume's top that holds what is geogridd's own; reserved in the archive.
inline constexpr std::string_view kReservedName = ".geogrid";

/// Checks one name: 1..255 bytes, neither "." nor "..", without '/' and NUL.
/// Errors: errc::invalid_argument; ENAMETOOLONG (as a system code) where it is too long.
result<void> check_name(std::string_view name);

/// An absolute path within the archive: a sequence of valid names. The root has none. Depth and total length
/// are not limited here (4095 bytes limits the path of one system call, not a tree), so never hand str() to a
/// system call.
class Path {
 public:
  Path() = default;  ///< the root

  /// Parses "/a/b" (or "a/b"; repeated and trailing slashes are dropped). Errors: errc::invalid_argument for
  /// ".", "..", NUL; ENAMETOOLONG.
  static result<Path> parse(std::string_view text);

  bool is_root() const { return text_.empty(); }
  /// "/a/b"; "/" for the root.
  std::string str() const { return text_.empty() ? "/" : text_; }
  /// "a/b"; empty for the root.
  std::string_view relative() const {
    return text_.empty() ? std::string_view() : std::string_view(text_).substr(1);
  }
  /// Views into this path, in order; valid as long as it lives.
  std::vector<std::string_view> components() const;
  /// The last name. REQUIRES: !is_root().
  std::string_view filename() const;
  /// REQUIRES: !is_root().
  Path parent() const;
  /// REQUIRES: check_name(name).
  Path child(std::string_view name) const;
  /// Whether this path is `other` or lies below it.
  bool is_within(const Path& other) const;
  /// Whether the first name is the reserved one.
  bool is_reserved() const;

  friend auto operator<=>(const Path&, const Path&) = default;

 private:
  std::string text_;  // empty, or '/' before each name
};

/// Orders paths as a depth-first traversal visits them (folder by folder, names by their bytes): the order of
/// a walk, and so what "already walked" means when one resumes.
bool before_in_walk(const Path& a, const Path& b);

/// The bytes as text that is safe to print on a terminal, in a log or in JSON: valid UTF-8 stays, control
/// characters, backslashes and stray bytes become \n, \\ or \xNN. Unambiguous: unprintable() takes it back.
std::string printable(std::string_view bytes);
/// The bytes that printable() showed. Errors: errc::invalid_argument for a malformed escape.
result<std::string> unprintable(std::string_view text);

}  // namespace geogrid
