#pragma once
// Mount points: what lies there now, cleaning up after a mount whose process died, unmounting. Everything
// here may block.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"

namespace geogrid {

/// A line of /proc/self/mountinfo (proc(5)).
struct MountEntry {
  unsigned major = 0;
  unsigned minor = 0;
  std::string mountpoint;
  std::string type;    ///< "fuse.geogrid"
  std::string source;  ///< "geogrid:CLUSTER"
};

/// Pure. Malformed lines are left out.
std::vector<MountEntry> parse_mountinfo(std::string_view text);
/// The topmost mount at this absolute path without symlinks; nullopt if nothing is mounted there.
std::optional<MountEntry> find_mount(const std::string& mountpoint);

/// Makes sure that a mount can be put there: a mount whose process died ("Transport endpoint is not
/// connected") or hangs is aborted and taken away. Returns the path without symlinks. Errors: errc::busy if a
/// living FUSE mount is there; ENOENT; ENOTDIR.
result<std::string> prepare_mountpoint(const std::string& path, const Log& log);

/// Unmounts; where it is busy, and `lazy`, takes it out of the tree at once and lets it go with its last
/// user. Uses fusermount3 where the process may not unmount by itself. Fine if nothing is mounted there.
result<void> unmount(const std::string& mountpoint, bool lazy);

/// Lets the kernel read ahead this much on the mount (as root; else nothing happens).
void set_read_ahead(const std::string& mountpoint, unsigned kib);

/// Whether an ordinary user may mount with allow_other (/etc/fuse.conf).
bool users_may_allow_other();

}  // namespace geogrid
