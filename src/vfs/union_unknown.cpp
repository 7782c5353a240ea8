// UnionNamespace: names that lie on the nodes' disks and that metadata does not know.

#include <algorithm>
#include <set>

#include "vfs/union_namespace.hpp"

namespace geogrid {

bool UnionNamespace::shows_unknown() const {
  switch (options_.show_unregistered) {
    case ShowUnknown::always:
      return true;
    case ShowUnknown::never:
      return false;
    case ShowUnknown::automatic:
      return nodes_.some_node_joins();
  }
  return false;
}

std::vector<NodeVolume> UnionNamespace::volumes_to_look_at() const {
  std::vector<NodeVolume> volumes;
  const NodeSet serving = nodes_.serving();
  for (const NodeVolume& node : access_->volumes())
    if (serving.contains(node.index) && !access_->is_shut_out(node.index)) volumes.push_back(node);
  return volumes;
}

task<result<Path>> UnionNamespace::folder_path(InodeId folder) {
  GG_CO_TRY(InodeRef inode, co_await record(folder));
  co_return co_await path_of(std::move(inode));
}

task<result<Entry>> UnionNamespace::lookup_unknown(InodeId parent, std::string name) {
  GG_CO_TRY(Path folder, co_await folder_path(parent));
  GG_CO_CHECK(check_name(name));
  const Path path = folder.child(name);
  for (const NodeVolume& node : volumes_to_look_at()) {
    const auto entry = co_await node.volume->stat(path);
    if (!entry) continue;  // the next node may have it; one that is away shows nothing
    if (Unregistered::is_shown(path, *entry))
      co_return Entry{unregistered_.remember(parent, path, node.index, *entry), false};
  }
  unregistered_.drop(Unregistered::id_of(path));
  co_return Entry{nullptr, false};
}

task<result<std::set<std::string>>> UnionNamespace::registered_names(InodeId folder) {
  constexpr std::size_t kPage = 1000;
  std::set<std::string> names;
  InodeId after;
  for (;;) {
    GG_CO_TRY(std::vector<Inode> page, co_await store_.list(folder, after, kPage));
    for (Inode& entry : page) names.insert(std::move(entry.name));
    if (page.size() < kPage) co_return names;
    after = page.back().id;
  }
}

task<result<ListingRest>> UnionNamespace::list_unknown(InodeId folder, InodeId after) {
  GG_CO_TRY(const Path path, co_await folder_path(folder));
  std::set<std::string> taken;
  if (!Unregistered::is(folder)) {
    GG_CO_TRY(taken, co_await registered_names(folder));
  }
  ListingRest rest;
  rest.to_the_end = true;
  rest.unknown = true;
  for (const NodeVolume& node : volumes_to_look_at()) {
    auto listed = co_await node.volume->list(path);
    if (!listed) continue;
    for (DiskEntry& entry : *listed) {
      const Path at = path.child(entry.name);
      if (!Unregistered::is_shown(at, entry) || !taken.insert(entry.name).second) continue;
      InodeRef inode = unregistered_.remember(folder, at, node.index, entry);
      if (inode->id > after) rest.entries.push_back(std::move(inode));
    }
  }
  std::sort(rest.entries.begin(), rest.entries.end(),
            [](const InodeRef& a, const InodeRef& b) { return a->id < b->id; });
  forget_folder_soon(folder);
  co_return rest;
}

void UnionNamespace::forget_folder_soon(InodeId folder) {
  // The kernel keeps listings until it is told otherwise, and nobody tells of names that metadata does not
  // know.
  constexpr std::size_t kMostWaiting = 4096;
  constexpr std::chrono::seconds kShown{1};
  if (closed_ || folders_to_forget_.size() >= kMostWaiting) return;
  folders_to_forget_.push_back(folder);
  if (folders_to_forget_.size() > 1) return;
  forgetting_->expires_after(kShown);
  forgetting_->async_wait([self = weak_from_this()](boost::system::error_code error) {
    const auto names = self.lock();
    if (error || !names) return;
    for (const InodeId shown : std::exchange(names->folders_to_forget_, {}))
      names->tell(&KernelCache::forget_folder, shown);
  });
}

}  // namespace geogrid
