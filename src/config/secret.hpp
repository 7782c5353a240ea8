#pragma once
// Secrets: passwords and keys that the configuration points to but never holds.

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace geogrid {

/// The largest secret that is read from a file.
inline constexpr std::size_t kMaxSecretBytes = 64 * 1024;

/// The content of the file at `path` without one final newline. The file must be a regular one, not empty,
/// owned by this process's user or by root (root itself reads anyone's), and without any access for group and
/// others. Errors: errc::refused with the chmod or chown that repairs it; system codes (ENOENT, EACCES);
/// errc::invalid_argument. Blocks: small local file.
result<std::string> read_secret(const std::string& path);

/// Where a secret comes from: a file that is read when needed, or the environment, read with the
/// configuration. The value is never logged or shown.
struct Secret {
  std::string file;
  std::string value;

  bool given() const { return !file.empty() || !value.empty(); }
  /// The secret itself. REQUIRES: given(). Errors: as read_secret().
  result<std::string> read() const;
};

}  // namespace geogrid
