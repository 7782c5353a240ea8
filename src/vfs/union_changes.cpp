// UnionNamespace: what the change feed tells, and what has to be forgotten for it.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "vfs/union_namespace.hpp"

namespace geogrid {

void UnionNamespace::attach(KernelCache& kernel) {
  kernels_.push_back(&kernel);
}

void UnionNamespace::detach(KernelCache& kernel) {
  std::erase(kernels_, &kernel);
}

void UnionNamespace::tell(void (KernelCache::*what)(InodeId), InodeId inode) {
  for (KernelCache* kernel : kernels_) (kernel->*what)(inode);
}

void UnionNamespace::on_changes(std::span<const Change> changes) {
  for (const Change& change : changes) apply(change);
}

void UnionNamespace::entry_changed(InodeId parent, const std::string& name) {
  cache_.drop(parent);
  listings_.drop(parent);
  for (KernelCache* kernel : kernels_) kernel->forget_entry(parent, name);
}

void UnionNamespace::apply(const Change& change) {
  // What was changed through this client is known already, here and to its kernels.
  if (writing_ && change.origin == store_.origin() && change.kind != ChangeKind::node) return;
  // This client's own memory first: what the kernel asks for next must not come from it.
  if (change.kind != ChangeKind::node) {
    cache_.drop(change.inode);
    idle_.drop(change.inode);
  }
  switch (change.kind) {
    case ChangeKind::created:
      entry_changed(change.parent, change.name);
      break;
    case ChangeKind::removed:
      if (FileWriter* writer = find_writer(change.inode)) writer->removed();
      if (const auto open = open_files_.find(change.inode); open != open_files_.end() && !closed_)
        asio::co_spawn(
            loop_, hold_open(shared_from_this(), handles_.at(open->second).inode, change.parent, change.name),
            asio::detached);
      entry_changed(change.parent, change.name);
      tell(&KernelCache::forget_attributes, change.inode);
      break;
    case ChangeKind::moved:
      entry_changed(change.parent, change.name);
      entry_changed(change.new_parent, change.new_name);
      tell(&KernelCache::forget_attributes, change.inode);
      break;
    case ChangeKind::content:
      listings_.drop(change.parent);
      content_changed(change.inode);
      break;
    case ChangeKind::attributes:
      listings_.drop(change.parent);
      tell(&KernelCache::forget_attributes, change.inode);
      break;
    case ChangeKind::copies:
      break;  // the kernel knows nothing of copies
    case ChangeKind::node:
      nodes_changed();
      break;
  }
}

void UnionNamespace::content_changed(InodeId file) {
  const auto [begin, end] = open_files_.equal_range(file);
  for (auto at = begin; at != end; ++at) {
    Handle& handle = handles_.at(at->second);
    if (handle.content && handle.content->started()) handle.outdated = true;
  }
  tell(&KernelCache::forget_content, file);
}

void UnionNamespace::on_gap() {
  log_.info("changes were lost: everything is read anew");
  std::vector<std::string> top;
  for (const InodeRef& inode : cache_.all())
    if (inode->parent == kRootInode && inode->id != kRootInode) top.push_back(inode->name);
  cache_.clear();
  listings_.clear();
  idle_.clear();
  for (auto& [id, handle] : handles_)
    if (handle.content && handle.content->started()) handle.outdated = true;
  forget_everything(top);
  nodes_changed();
  if (!closed_) asio::co_spawn(loop_, forget_top(shared_from_this()), asio::detached);
}

void UnionNamespace::forget_everything(const std::vector<std::string>& top) {
  for (KernelCache* kernel : kernels_) {
    kernel->forget_all();
    // Where the kernel cannot forget all at once: a folder's name takes all below it along, but for what is
    // in use.
    for (const std::string& name : top) kernel->forget_entry(kRootInode, name);
    kernel->forget_folder(kRootInode);
    for (const auto& [file, handle] : open_files_) kernel->forget_content(file);
  }
}

task<void> UnionNamespace::forget_top(std::shared_ptr<UnionNamespace> self) {
  constexpr std::size_t kMostNames = 10'000;
  const auto listed = co_await self->store_.list(kRootInode, InodeId(), kMostNames);
  if (!listed) co_return;  // the store is away: its return is a gap again
  std::vector<std::string> names;
  for (const Inode& inode : *listed) names.push_back(inode.name);
  self->forget_everything(names);
}

void UnionNamespace::nodes_changed() {
  nodes_changed_again_ = true;
  if (closed_ || std::exchange(refreshing_nodes_, true)) return;
  asio::co_spawn(loop_, refresh_nodes(shared_from_this()), asio::detached);
}

task<void> UnionNamespace::refresh_nodes(std::shared_ptr<UnionNamespace> self) {
  while (!self->closed_ && std::exchange(self->nodes_changed_again_, false)) {
    const bool showed = self->shows_unknown();
    auto storage = co_await self->store_.nodes(NodeKind::storage);
    auto backup = co_await self->store_.nodes(NodeKind::backup);
    if (!storage || !backup) {
      // Keeps what it knows; the next change of a node, or the next gap, brings it here again.
      self->log_.warning("the nodes could not be read: {}",
                         (storage ? backup.error() : storage.error()).message);
      continue;
    }
    self->nodes_.storage = std::move(*storage);
    self->nodes_.backup = std::move(*backup);
    self->space_read_ = {};
    if (self->writing_) self->writing_->nodes->nodes_changed();
    if (showed != self->shows_unknown()) self->forget_everything({});
  }
  self->refreshing_nodes_ = false;
}

}  // namespace geogrid
