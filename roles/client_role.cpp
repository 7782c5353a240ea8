#include "client_role.hpp"

#include <algorithm>
#include <filesystem>

#include "fuse/mounts.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

ShowUnknown show_unknown(ShowUnregistered wanted) {
  switch (wanted) {
    case ShowUnregistered::automatic:
      return ShowUnknown::automatic;
    case ShowUnregistered::always:
      return ShowUnknown::always;
    case ShowUnregistered::never:
      return ShowUnknown::never;
  }
  return ShowUnknown::automatic;
}

/// Names become indexes; nodes that this machine cannot reach drop out of the order.
result<ReadPreferences> preferences(const Config& config, const std::vector<NodeVolume>& volumes) {
  std::vector<ReadPreferences::Rule> rules;
  for (const ReadPreferenceConfig& written : config.client.read_preference) {
    ReadPreferences::Rule rule{written.match, {}};
    for (const ReadPreferenceConfig::Entry& entry : written.order)
      for (const NodeVolume& v : volumes)
        if (v.volume->node() == entry.node) rule.order.push_back({v.index, entry.weight});
    rules.push_back(std::move(rule));
  }
  return ReadPreferences::make(std::move(rules));
}

/// What a path comes to; as it is, as far as it does not exist.
std::string without_symlinks(const std::string& path) {
  std::error_code error;
  const auto resolved = std::filesystem::weakly_canonical(path, error);
  return error ? path : resolved.string();
}

bool lies_within(const std::string& inner, const std::string& outer) {
  return inner == outer ||
         (inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '/');
}

/// The configuration's check compares paths as they are written; here symlinks are followed.
result<void> check_mountpoint(const Config& config, const std::string& mountpoint) {
  const std::string place = without_symlinks(mountpoint);
  for (const NodeConfig& node : config.nodes) {
    if (node.path.empty()) continue;
    const std::string volume = without_symlinks(node.path);
    if (lies_within(place, volume) || lies_within(volume, place))
      return fail(errc::invalid_argument,
                  "the mount point {} is {}, and node {} lies at {}: neither may lie in the other",
                  printable(mountpoint), printable(place), printable(node.name), printable(volume));
  }
  return {};
}

}  // namespace

task<result<void>> serve_mounts(const Process& process, MetadataStore& store, ChangeFeed& feed,
                                std::vector<NodeVolume> volumes, std::shared_ptr<StopSignal> stop,
                                std::function<void()> mounted) {
  const Config& config = process.config;
  MountsOptions options;
  GG_CO_TRY(options.names.preferences, preferences(config, volumes));
  options.names.deadline = config.client.deadline;
  options.names.show_unregistered = show_unknown(config.client.show_unregistered);
  options.names.verify_reads = config.client.verify_reads;
  options.names.copies = static_cast<std::size_t>(std::max(1, process.classes->default_class().replicas));
  for (const NodeVolume& v : volumes)
    if (config.node && v.volume->node() == *config.node) options.names.same_machine = NodeSet::of(v.index);
  const auto& mounts_wanted = config.client.mounts;
  if (std::any_of(mounts_wanted.begin(), mounts_wanted.end(),
                  [](const MountConfig& m) { return !m.read_only; })) {
    UnionOptions::Writing writing;
    writing.classes = process.classes;
    writing.owner = LeaseOwner(system_random().next() | 1U);
    writing.min_free = config.storage.min_free;
    options.names.writing = std::move(writing);
  }
  for (const MountConfig& mount : mounts_wanted) {
    GG_CO_CHECK(check_mountpoint(config, mount.mountpoint));
    MountOptions wanted;
    wanted.mountpoint = mount.mountpoint;
    wanted.allow_other = mount.allow_other;
    wanted.read_only = mount.read_only;
    options.mounts.push_back(std::move(wanted));
  }
  GG_CO_TRY(const auto mounts, co_await Mounts::start(store, feed, std::move(volumes), std::move(options),
                                                      process.log.named("mount")));
  mounted();
  co_return co_await mounts->run(stop);
}

}  // namespace geogrid
