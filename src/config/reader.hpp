#pragma once
// Reads and checks a configuration file: every fault is found, not just the first.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace geogrid {

/// Bounds on the file, since it may come from anywhere.
inline constexpr std::size_t kMaxConfigBytes = 1 << 20;
inline constexpr int kMaxConfigDepth = 32;
/// So many faults are reported; a last one says that there are more.
inline constexpr std::size_t kMaxConfigFaults = 100;

/// The value of an environment variable; none if it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment process_environment();

/// A configuration, or why there is none: exactly one of `config` and `faults` is given. Faults are in the
/// order of lines.
struct ConfigResult {
  std::optional<Config> config;
  std::vector<ConfigFault> faults;

  explicit operator bool() const { return config.has_value(); }
  /// All faults, a line each, as errc::invalid_argument (exit code 2). REQUIRES: no config.
  Error error() const;
};

/// Reads the file at `path`. "${NAME}" in values is filled in from `environment` (see expand.hpp), but not in
/// patterns. No file but this one is touched. Blocks: small local file.
ConfigResult read_config(const std::string& path, const Environment& environment = process_environment());
/// The same from memory; `name` is shown in faults.
ConfigResult parse_config(std::string_view text, const std::string& name,
                          const Environment& environment = process_environment());

enum class Role { client, storage, api, backup };

std::string_view name_of(Role role);
/// "client,storage": in the order given. Errors: errc::invalid_argument for an unknown or repeated role, or
/// none.
result<std::vector<Role>> parse_roles(std::string_view text);

/// What the configuration lacks for these roles to run. Empty: nothing.
std::vector<ConfigFault> check_for_roles(const Config& config, const std::vector<Role>& roles);

/// Faults of the secret files that exist: wrong owner, mode or content. Files that do not exist (yet), and
/// those that this user may not look at, are left to the role that needs them. Blocks: small local files.
std::vector<ConfigFault> check_secret_files(const Config& config);

}  // namespace geogrid
