// UnionNamespace: changing names and attributes.

#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "os/clock.hpp"
#include "vfs/union_namespace.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kChangesOnNodes = 256;  // attributes on their way to disks; more are left to walks
constexpr std::chrono::seconds kBetweenComplaints{5};

}  // namespace

std::uint32_t without_set_id_bits(std::uint32_t mode, const Caller& caller) {
  if (caller.uid == 0) return mode;
  mode &= ~std::uint32_t{S_ISUID};
  // Without the right to execute, it is mandatory locking's mark of old.
  if ((mode & S_IXGRP) != 0) mode &= ~std::uint32_t{S_ISGID};
  return mode;
}

result<void> UnionNamespace::check_writable(InodeId parent) const {
  if (!writing_) return system_error(EROFS, "changing a name");
  if (Unregistered::is(parent)) return system_error(EBUSY, "the folder is not registered yet");
  return {};
}

// Without metadata nothing can be changed: a name that only this machine knew would be no name.
Error UnionNamespace::refused(const Error& error) {
  if (!error.is(errc::unavailable) && !error.is(errc::timed_out)) return error;
  const auto now = system_clock().steady();
  if (now - complained_ >= kBetweenComplaints) {
    complained_ = now;
    log_.error("metadata is away, changes are refused: {}", error.message);
  }
  return system_error(EROFS, "metadata is away");
}

task<result<Attributes>> UnionNamespace::new_attributes(InodeId parent, std::uint32_t mode, bool folder,
                                                        Caller caller) {
  GG_CO_TRY(const InodeRef above, co_await record(parent));
  Attributes attributes;
  attributes.mode = mode & 07777U;
  attributes.uid = caller.uid;
  attributes.gid = caller.gid;
  // mkdir(2), open(2): below a folder with the set-group-id bit, its group is inherited, by folders the bit
  // too.
  if ((above->attributes.mode & S_ISGID) != 0) {
    attributes.gid = above->attributes.gid;
    if (folder) attributes.mode |= S_ISGID;
  }
  attributes.atime = attributes.mtime = attributes.ctime = system_clock().wall();
  co_return attributes;
}

void UnionNamespace::tell_others(const Caller& caller, void (KernelCache::*what)(InodeId), InodeId inode) {
  for (KernelCache* kernel : kernels_)
    if (kernel != caller.kernel) (kernel->*what)(inode);
}

void UnionNamespace::name_changed_here(InodeId parent, const std::string& name, Timestamp now, bool folder,
                                       const Caller& caller) {
  listings_.drop(parent);
  const InodeRef above = folder ? nullptr : cache_.find_folder(parent);
  if (above) {
    // What the store did to its row, so that paths need not be read again.
    auto touched = std::make_shared<Inode>(*above);
    touched->attributes.mtime = touched->attributes.ctime = now;
    cache_.replace(touched);
  } else {
    cache_.drop(parent);
  }
  for (KernelCache* kernel : kernels_)
    if (kernel != caller.kernel) kernel->forget_entry(parent, name);
}

Entry UnionNamespace::made(const InodeRef& inode, std::uint64_t epoch, const Caller&) {
  const bool lasting = cache_.put(inode, epoch);
  return entry_of(inode, lasting);
}

task<result<Entry>> UnionNamespace::make_folder(InodeId parent, std::string name, std::uint32_t mode,
                                                Caller caller) {
  co_return co_await make(parent, std::move(name), FileType::folder, mode, 0, "", caller);
}

task<result<Entry>> UnionNamespace::make_symlink(InodeId parent, std::string name, std::string target,
                                                 Caller caller) {
  co_return co_await make(parent, std::move(name), FileType::symlink, 0777, 0, std::move(target), caller);
}

task<result<Entry>> UnionNamespace::make_special(InodeId parent, std::string name, FileType type,
                                                 std::uint32_t mode, std::uint64_t rdev, Caller caller) {
  if (type != FileType::file) co_return co_await make(parent, std::move(name), type, mode, rdev, "", caller);
  GG_CO_TRY(Created created, co_await create(parent, std::move(name), mode, true, caller));
  const auto published = co_await flush(created.opened.handle);
  release(created.opened.handle);
  if (!published) co_return published.error();
  co_return std::move(created.entry);
}

task<result<Entry>> UnionNamespace::make(InodeId parent, std::string name, FileType type, std::uint32_t mode,
                                         std::uint64_t rdev, std::string target, Caller caller) {
  GG_CO_CHECK(check_writable(parent));
  const bool folder = type == FileType::folder;
  NewNode node;
  GG_CO_TRY(node.attributes, co_await new_attributes(parent, mode, folder, caller));
  node.parent = parent;
  node.name = name;
  node.type = type;
  node.rdev = rdev;
  node.link_target = std::move(target);
  node.by = writing_->owner;
  const Timestamp now = node.attributes.ctime;
  const auto epoch = cache_.epoch();
  auto made_node = co_await store_.make_node(std::move(node));
  if (!made_node) co_return refused(made_node.error());
  const auto inode = std::make_shared<const Inode>(std::move(*made_node));
  name_changed_here(parent, name, now, folder, caller);
  if (type == FileType::symlink) writing_->intents->soon(reachable_nodes());
  co_return made(inode, epoch, caller);
}

NodeSet UnionNamespace::reachable_nodes() const {
  NodeSet nodes;
  for (const NodeVolume& node : access_->volumes()) nodes = nodes.with(node.index);
  return nodes;
}

// ---- names that go ----

task<void> UnionNamespace::removed_here(Inode inode, InodeId folder, std::string name, Caller caller) {
  const auto gone = std::make_shared<const Inode>(std::move(inode));
  cache_.drop(gone->id);
  idle_.drop(gone->id);
  if (FileWriter* writer = find_writer(gone->id)) writer->removed();
  tell_others(caller, &KernelCache::forget_attributes, gone->id);
  if (open_files_.contains(gone->id)) co_await hold_open(shared_from_this(), gone, folder, std::move(name));
}

// Who has it open reads on: its replicas are opened before they go to trash.
task<void> UnionNamespace::hold_open(std::shared_ptr<UnionNamespace> self, InodeRef gone, InodeId folder,
                                     std::string name) {
  const auto above = co_await self->folder_path(folder);
  if (!above) co_return;
  const FileLocation last = self->located(gone, above->child(name));
  std::vector<std::shared_ptr<Content>> held;
  const auto [begin, end] = self->open_files_.equal_range(gone->id);
  for (auto at = begin; at != end; ++at) {
    Handle& handle = self->handles_.at(at->second);
    bool outdated_readers = false;
    if (!handle.content) handle.content = self->content_of(handle.inode, outdated_readers);
    handle.content->hold(last);
    held.push_back(handle.content);
  }
  for (const auto& content : held) co_await content->wait_until_open(self->options_.deadline);
}

task<result<void>> UnionNamespace::unlink(InodeId parent, std::string name, Caller caller) {
  GG_CO_CHECK(check_writable(parent));
  const Timestamp now = system_clock().wall();
  auto removed = co_await store_.unlink(parent, name, now, writing_->owner);
  if (!removed) co_return refused(removed.error());
  name_changed_here(parent, name, now, false, caller);
  co_await removed_here(removed->inode, parent, name, caller);
  if (removed->intent) writing_->intents->soon(removed->owed);
  co_return result<void>();
}

task<result<void>> UnionNamespace::remove_folder(InodeId parent, std::string name, Caller caller) {
  GG_CO_CHECK(check_writable(parent));
  const Timestamp now = system_clock().wall();
  auto removed = co_await store_.remove_folder(parent, name, now, writing_->owner);
  if (!removed) co_return refused(removed.error());
  name_changed_here(parent, name, now, true, caller);
  cache_.drop(removed->inode.id);
  listings_.drop(removed->inode.id);
  if (removed->intent) writing_->intents->soon(removed->owed);
  co_return result<void>();
}

task<result<void>> UnionNamespace::rename(InodeId parent, std::string name, InodeId new_parent,
                                          std::string new_name, RenameMode mode, Caller caller) {
  GG_CO_CHECK(check_writable(parent));
  GG_CO_CHECK(check_writable(new_parent));
  const Timestamp now = system_clock().wall();
  const auto epoch = cache_.epoch();
  auto renamed = co_await store_.rename(parent, name, new_parent, new_name, mode, now, writing_->owner, true);
  if (!renamed) co_return refused(renamed.error());
  const auto& replaced = renamed->replaced;
  const bool folders = renamed->inode.is_folder() || (replaced && replaced->is_folder());
  name_changed_here(parent, name, now, folders, caller);
  name_changed_here(new_parent, new_name, now, folders, caller);
  idle_.drop(renamed->inode.id);
  const bool current = !cache_.changed_since(renamed->inode.id, epoch);
  cache_.drop(renamed->inode.id);
  if (current) cache_.put(std::make_shared<const Inode>(renamed->inode), cache_.epoch());
  tell_others(caller, &KernelCache::forget_attributes, renamed->inode.id);
  if (replaced && mode == RenameMode::exchange)
    cache_.drop(replaced->id);
  else if (replaced)
    co_await removed_here(*replaced, new_parent, new_name, caller);
  co_await carry_out(std::move(renamed->intents), renamed->at_once);
  co_return result<void>();
}

// Who renamed a file reads it under its new name next: its nodes follow before the answer, as far as they
// answer in time.
task<void> UnionNamespace::carry_out(std::vector<Intent> intents, NodeSet at_once) {
  NodeSet owed;
  for (const Intent& intent : intents) owed = owed | intent.owed;
  const auto ended = std::make_shared<Notifier>();
  const auto left = std::make_shared<int>(0);
  NodeSet later;
  for (const NodeIndex node : owed) {
    if (!access_->volume(node)) continue;
    if (access_->is_shut_out(node)) {
      later = later.with(node);
      continue;
    }
    std::vector<Intent> own;
    if (at_once.contains(node))
      for (const Intent& intent : intents)
        if (intent.owed.contains(node)) own.push_back(intent);
    ++*left;
    asio::co_spawn(loop_, carry_out_on(writing_->intents, node, std::move(own), ended, left), asio::detached);
  }
  if (!later.empty()) writing_->intents->soon(later);
  const auto until = system_clock().steady() + options_.deadline;
  while (*left > 0) {
    const auto now = system_clock().steady();
    if (now >= until) break;
    co_await ended->wait_for(until - now);
  }
}

// None: all that the node owes, in order.
task<void> UnionNamespace::carry_out_on(std::shared_ptr<IntentRunner> runner, NodeIndex node,
                                        std::vector<Intent> intents, std::shared_ptr<Notifier> ended,
                                        std::shared_ptr<int> left) {
  bool done = false;
  if (intents.empty()) {
    const auto drained = co_await runner->drain(node);
    done = drained && *drained;
  } else {
    const auto carried_out = co_await runner->carry_out_now(node, std::move(intents));
    done = carried_out.has_value();
  }
  if (!done) runner->soon(NodeSet::of(node));
  --*left;
  ended->notify_all();
}

// ---- attributes ----

task<result<Entry>> UnionNamespace::set_attributes(InodeId id, AttributeRequest request, Caller caller) {
  GG_CO_CHECK(check_writable(id));
  request.change.ctime = system_clock().wall();
  if (caller.set_id_bits && (request.size || request.change.uid || request.change.gid)) {
    GG_CO_TRY(const InodeRef inode, co_await record_or_open(id));
    take_set_id_bits(*inode, request, caller);
  }
  std::optional<HandleId> temporary;
  if (request.size) {
    GG_CO_TRY(const InodeRef inode, co_await record_or_open(id));
    if (inode->is_folder()) co_return fail(errc::is_a_folder, "a folder has no size");
    if (!inode->is_file()) co_return system_error(EINVAL, "only files have a size to be set");
    const Handle* handle = request.handle ? handle_of(*request.handle) : nullptr;
    std::shared_ptr<FileWriter> writer = handle ? handle->writer : nullptr;
    if (!writer) {
      GG_CO_TRY(const Opened opened, co_await open_for_writing(id, caller));
      temporary = opened.handle;
      writer = handle_of(*temporary)->writer;
    }
    auto cut = co_await writer->truncate(*request.size);
    // By its path: nobody will close it. Who has it open for writing will, as after an open(2) with O_TRUNC,
    // which comes here too: a version of no bytes is not published first.
    if (cut && temporary && writer->descriptors() == 1) cut = co_await writer->flush();
    if (temporary) release(*temporary);
    if (!cut) co_return cut.error();
    if (!handle) request.change.mtime.reset();  // the kernel's word for what truncate(2) did just now
    // More than the size: set-id bits go when somebody else truncates.
    if (!changes_row(request.change)) co_return co_await get(id);
  }
  const auto epoch = cache_.epoch();
  auto changed = co_await store_.set_attributes(id, request.change);
  if (!changed && changed.error().is(errc::not_found))
    co_return co_await change_removed(id, std::move(request));
  if (!changed) co_return refused(changed.error());
  const auto inode = std::make_shared<const Inode>(std::move(*changed));
  const bool current = !cache_.changed_since(id, epoch);
  cache_.drop(id);
  if (current) cache_.put(inode, cache_.epoch());
  listings_.drop(inode->parent);
  FileWriter* writer = find_writer(id);
  if (writer && request.change.mtime) writer->set_mtime(*request.change.mtime);
  const auto [begin, end] = open_files_.equal_range(id);
  for (auto at = begin; at != end; ++at)
    if (handles_.at(at->second).inode->version == inode->version) handles_.at(at->second).inode = inode;
  tell_others(caller, &KernelCache::forget_attributes, id);
  if (!writer || !writer->changed()) change_on_nodes(inode);
  co_return entry_of(inode, current);
}

// linux/fuse.h, FUSE_HANDLE_KILLPRIV_V2.
void UnionNamespace::take_set_id_bits(const Inode& inode, AttributeRequest& request, const Caller& caller) {
  if (!inode.is_file()) return;
  const bool given_away = request.change.uid || request.change.gid;
  const std::uint32_t before = request.change.mode.value_or(inode.attributes.mode);
  Caller anybody = caller;
  if (given_away) anybody.uid = 1;  // also root's chown(2) does
  const std::uint32_t after = without_set_id_bits(before, anybody);
  if (after != before) request.change.mode = after;
}

task<void> UnionNamespace::take_bits_and_write(std::shared_ptr<UnionNamespace> self,
                                               std::shared_ptr<FileWriter> writer, InodeId id,
                                               std::uint64_t offset, WriteBytes bytes, WriteDone done,
                                               Caller caller) {
  const auto inode = co_await self->record_or_open(id);
  if (inode) {
    AttributeRequest request;
    request.change.mode = without_set_id_bits((*inode)->attributes.mode, caller);
    (void)co_await self->set_attributes(id, std::move(request), caller);
  }
  writer->write(offset, std::move(bytes), std::move(done));
}

bool UnionNamespace::changes_row(const AttributeChange& change) {
  return change.mode || change.uid || change.gid || change.atime || change.mtime || change.storage_class;
}

// fchmod(2) and others of a file whose name is gone: nobody but its descriptors sees them.
task<result<Entry>> UnionNamespace::change_removed(InodeId id, AttributeRequest request) {
  const auto [begin, end] = open_files_.equal_range(id);
  if (begin == end) co_return fail(errc::not_found, "it is not there any more");
  auto changed = std::make_shared<Inode>(*handles_.at(begin->second).inode);
  Attributes& a = changed->attributes;
  a.mode = request.change.mode.value_or(a.mode);
  a.uid = request.change.uid.value_or(a.uid);
  a.gid = request.change.gid.value_or(a.gid);
  a.atime = request.change.atime.value_or(a.atime);
  a.mtime = request.change.mtime.value_or(a.mtime);
  a.ctime = request.change.ctime;
  for (auto at = begin; at != end; ++at) handles_.at(at->second).inode = changed;
  if (FileWriter* writer = find_writer(id); writer && request.change.mtime)
    writer->set_mtime(*request.change.mtime);
  Entry entry = entry_of(changed, false);
  entry.removed = true;
  co_return entry;
}

task<result<InodeRef>> UnionNamespace::record_or_open(InodeId id) {
  auto found = co_await record(id);
  if (found || !found.error().is(errc::not_found)) co_return found;
  const auto open = open_files_.find(id);
  if (open == open_files_.end()) co_return found.error();
  co_return handles_.at(open->second).inode;
}

// The disks follow as far as they may; a walk puts right what is missed here.
void UnionNamespace::change_on_nodes(const InodeRef& inode) {
  const bool on_disks = inode->is_file() ? !inode->replicas.empty() : inode->is_folder();
  if (!on_disks || inode->id == kRootInode || changes_on_nodes_ >= kChangesOnNodes) return;
  ++changes_on_nodes_;
  asio::co_spawn(loop_, run_change_on_nodes(shared_from_this(), inode), asio::detached);
}

task<void> UnionNamespace::run_change_on_nodes(std::shared_ptr<UnionNamespace> self, InodeRef inode) {
  const auto path = co_await self->path_of(inode);
  const NodeSet nodes = inode->is_file() ? inode->replicas : self->reachable_nodes();
  for (const NodeIndex node : nodes) {
    const auto volume = self->access_->volume(node);
    if (!path || !volume || self->access_->is_shut_out(node)) continue;
    // A folder that holds nothing there need not be there.
    (void)co_await volume->set_attributes(*path, inode->attributes);
  }
  --self->changes_on_nodes_;
}

task<result<void>> UnionNamespace::set_class(InodeId id, std::string storage_class, Caller caller) {
  GG_CO_CHECK(check_writable(id));
  GG_CO_TRY(const InodeRef inode, co_await record(id));
  if (!inode->is_file()) co_return system_error(ENOTSUP, "only files have a storage class");
  if (caller.uid != 0 && caller.uid != inode->attributes.uid)
    co_return system_error(EPERM, "only the owner may set the storage class");
  AttributeRequest request;
  request.change.storage_class = std::move(storage_class);
  GG_CO_CHECK(co_await set_attributes(id, std::move(request), caller));
  co_return result<void>();
}

}  // namespace geogrid
