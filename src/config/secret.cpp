#include "config/secret.hpp"

#include <unistd.h>

#include "base/path.hpp"
#include "config/small_file.hpp"

namespace geogrid {

result<std::string> read_secret(const std::string& path) {
  GG_TRY(SmallFile file, read_small_file(path, kMaxSecretBytes));
  const std::string shown = printable(path);
  if ((file.status.st_mode & 077U) != 0)
    return fail(errc::refused, "{} holds a secret, but its mode {:04o} lets others at it: chmod 600 {}",
                shown, file.status.st_mode & 07777U, shown);
  const uid_t self = ::geteuid();
  if (self != 0 && file.status.st_uid != self && file.status.st_uid != 0)
    return fail(errc::refused,
                "{} holds a secret, but belongs to the user {}, not to {} or root: chown {} {}", shown,
                file.status.st_uid, self, self, shown);
  if (file.content.ends_with('\n')) file.content.pop_back();
  if (file.content.empty())
    return fail(errc::invalid_argument, "{} should hold a secret, but is empty", shown);
  return std::move(file.content);
}

result<std::string> Secret::read() const {
  if (!value.empty()) return value;
  return read_secret(file);
}

}  // namespace geogrid
