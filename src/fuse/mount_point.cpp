#include "fuse/mount_point.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "base/path.hpp"

namespace geogrid {
namespace {

/// How long a mount that lives may take to answer.
constexpr std::chrono::seconds kLifeSign{3};

/// Takes back mountinfo's escapes: "\040" is a space.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      plain.push_back(
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  return file && file << text && file.flush();
}

bool is_fuse(const MountEntry& entry) {
  return entry.type == "fuse" || entry.type.rfind("fuse.", 0) == 0;
}

enum class Life { alive, dead, hung };

/// statfs(2) is never answered from the kernel's caches. Asked by a thread of its own, which a mount that
/// hangs keeps for ever.
Life life_of(const std::string& mountpoint) {
  auto asked = std::make_shared<std::promise<int>>();
  auto answer = asked->get_future();
  std::thread([asked, mountpoint] {
    struct statvfs status {};
    asked->set_value(::statvfs(mountpoint.c_str(), &status) == 0 ? 0 : errno);
  }).detach();
  if (answer.wait_for(kLifeSign) != std::future_status::ready) return Life::hung;
  return answer.get() == ENOTCONN ? Life::dead : Life::alive;
}

/// Runs fusermount3, which may do for a user what only root can.
result<void> fusermount(const std::string& mountpoint, bool lazy) {
  std::array<const char*, 6> arguments{"fusermount3",
                                       "-u",
                                       "-q",
                                       lazy ? "-z" : "--",
                                       lazy ? "--" : mountpoint.c_str(),
                                       lazy ? mountpoint.c_str() : nullptr};
  std::array<char*, 7> argv{};
  for (std::size_t i = 0; i < arguments.size(); ++i) argv[i] = const_cast<char*>(arguments[i]);
  pid_t child = 0;
  if (const int error = ::posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ); error != 0)
    return system_error(error, "running fusermount3");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error(std::make_error_code(std::errc::device_or_resource_busy),
               fmt::format("fusermount3 could not unmount {}", printable(mountpoint)));
}

}  // namespace

std::vector<MountEntry> parse_mountinfo(std::string_view text) {
  std::vector<MountEntry> entries;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    // 36 35 98:0 /root /mount/point options optional… - type source super-options
    std::istringstream words(line);
    std::string id, parent, device, root, mountpoint, word, type, source;
    if (!(words >> id >> parent >> device >> root >> mountpoint)) continue;
    while (words >> word && word != "-") {
    }
    MountEntry entry;
    if (!(words >> type >> source) || std::sscanf(device.c_str(), "%u:%u", &entry.major, &entry.minor) != 2)
      continue;
    entry.mountpoint = unescape(mountpoint);
    entry.type = type;
    entry.source = unescape(source);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::optional<MountEntry> find_mount(const std::string& mountpoint) {
  std::optional<MountEntry> topmost;
  for (MountEntry& entry : parse_mountinfo(read_file("/proc/self/mountinfo")))
    if (entry.mountpoint == mountpoint) topmost = std::move(entry);
  return topmost;
}

/// The path without symlinks, made without touching its last folder, which may be a mount that hangs.
static result<std::string> resolve_mountpoint(const std::string& path) {
  const auto cut = path.find_last_not_of('/');
  if (path.empty() || path.front() != '/' || cut == std::string::npos)
    return fail(errc::invalid_argument, "'{}' cannot be a mount point; give an absolute path",
                printable(path));
  const std::string trimmed = path.substr(0, cut + 1);
  if (find_mount(trimmed)) return trimmed;
  std::array<char, PATH_MAX> resolved{};
  if (!::realpath(trimmed.c_str(), resolved.data())) {
    if (errno == ENOENT)
      return Error(std::make_error_code(std::errc::no_such_file_or_directory),
                   fmt::format("the mount point {} does not exist; make the folder first", printable(path)));
    return system_error(errno, fmt::format("the mount point {}", printable(path)));
  }
  return std::string(resolved.data());
}

result<std::string> prepare_mountpoint(const std::string& path, const Log& log) {
  constexpr int kMostLayers = 16;
  GG_TRY(const std::string mountpoint, resolve_mountpoint(path));
  for (int layer = 0; layer < kMostLayers; ++layer) {
    const auto mounted = find_mount(mountpoint);
    if (!mounted || !is_fuse(*mounted)) break;
    const Life life = life_of(mountpoint);
    if (life == Life::alive)
      return fail(errc::busy, "{} is mounted at {} already; unmount it first (fusermount3 -u)",
                  printable(mounted->source), printable(mountpoint));
    log.warning("cleaning {}: {} left a mount there that {}", printable(mountpoint),
                printable(mounted->source),
                life == Life::dead ? "nobody serves any more" : "does not answer");
    write_file(fmt::format("/sys/fs/fuse/connections/{}/abort", mounted->minor), "1");
    GG_CHECK(unmount(mountpoint, true));
  }
  struct stat status {};
  if (::stat(mountpoint.c_str(), &status) != 0)
    return system_error(errno, fmt::format("the mount point {}", printable(mountpoint)));
  if (!S_ISDIR(status.st_mode))
    return system_error(ENOTDIR, fmt::format("the mount point {}", printable(mountpoint)));
  return mountpoint;
}

result<void> unmount(const std::string& mountpoint, bool lazy) {
  const int flags = UMOUNT_NOFOLLOW;
  if (::umount2(mountpoint.c_str(), flags) == 0) return {};
  if (errno == EBUSY && lazy && ::umount2(mountpoint.c_str(), flags | MNT_DETACH) == 0) return {};
  if (errno == EINVAL || errno == ENOENT) return {};  // nothing is mounted there
  if (errno != EPERM) return system_error(errno, fmt::format("unmounting {}", printable(mountpoint)));
  if (!find_mount(mountpoint)) return {};
  auto unmounted = fusermount(mountpoint, false);
  if (!unmounted && lazy) unmounted = fusermount(mountpoint, true);
  if (!unmounted && !find_mount(mountpoint)) return {};
  return unmounted;
}

void set_read_ahead(const std::string& mountpoint, unsigned kib) {
  if (const auto mounted = find_mount(mountpoint))
    write_file(fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", mounted->major, mounted->minor),
               std::to_string(kib));
}

bool users_may_allow_other() {
  std::istringstream lines(read_file("/etc/fuse.conf"));
  for (std::string line; std::getline(lines, line);)
    if (line == "user_allow_other") return true;
  return false;
}

}  // namespace geogrid
