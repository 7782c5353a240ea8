#include "vfs/union_namespace.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "os/clock.hpp"
#include "vfs/xattrs.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kListingPage = 256;
constexpr std::chrono::seconds kSpaceKept{2};
constexpr std::size_t kServedByKept = 4096;
constexpr std::size_t kDamagedKept = 4096;

Error gone() {
  return fail(errc::not_found, "it is not there any more");
}

}  // namespace

UnionNamespace::UnionNamespace(asio::any_io_executor loop, MetadataStore& store,
                               std::vector<NodeVolume> volumes, UnionOptions options, Log log)
    : loop_(loop),
      store_(store),
      options_(std::move(options)),
      log_(log),
      access_(
          std::make_shared<ReplicaAccess>(loop, std::move(volumes),
                                          ReplicaAccessOptions{options_.deadline, options_.preferences,
                                                               options_.same_machine, options_.verify_reads},
                                          log)),
      cache_(options_.cached_files, options_.cached_folders),
      served_by_(kServedByKept),
      damaged_(kDamagedKept) {}

UnionNamespace::~UnionNamespace() {
  close();
}

task<result<void>> UnionNamespace::start() {
  GG_CO_TRY(nodes_.storage, co_await store_.nodes(NodeKind::storage));
  GG_CO_TRY(nodes_.backup, co_await store_.nodes(NodeKind::backup));
  if (options_.writing) GG_CO_CHECK(co_await start_writing());
  co_return result<void>();
}

void UnionNamespace::close() {
  if (std::exchange(closed_, true)) return;
  close_writing();
  idle_.stop();
  forgetting_.reset();
  access_->close();
}

// ---- names ----

task<result<Entry>> UnionNamespace::lookup(InodeId parent, std::string name) {
  if (name.size() > kMaxNameBytes) co_return system_error(ENAMETOOLONG, "looking up a name");
  if (parent == kRootInode && name == kReservedName) co_return system_error(EACCES, "the name is reserved");
  if (!Unregistered::is(parent)) {
    const auto epoch = cache_.epoch();
    GG_CO_TRY(std::optional<Inode> found, co_await store_.lookup(parent, name));
    if (found) {
      auto inode = std::make_shared<const Inode>(std::move(*found));
      const bool lasting = cache_.put(inode, epoch) && !cache_.changed_since(parent, epoch);
      co_return entry_of(std::move(inode), lasting);
    }
    if (!shows_unknown()) co_return Entry{nullptr, !cache_.changed_since(parent, epoch)};
  }
  co_return co_await lookup_unknown(parent, std::move(name));
}

task<result<InodeRef>> UnionNamespace::record(InodeId id) {
  if (Unregistered::is(id)) {
    const auto* known = unregistered_.find(id);
    if (!known) co_return gone();
    co_return known->inode;
  }
  if (InodeRef inode = cache_.find(id)) co_return inode;
  const auto epoch = cache_.epoch();
  GG_CO_TRY(Inode read, co_await store_.get(id));
  auto inode = std::make_shared<const Inode>(std::move(read));
  cache_.put(inode, epoch);
  co_return inode;
}

task<result<Entry>> UnionNamespace::get(InodeId id) {
  const auto epoch = cache_.epoch();
  auto found = co_await record(id);
  if (!found && found.error().is(errc::not_found)) {
    // A file that was removed while it is open still has attributes for who holds it.
    const auto open = open_files_.find(id);
    if (open != open_files_.end()) {
      Entry entry = entry_of(handles_.at(open->second).inode, false);
      entry.removed = true;
      co_return entry;
    }
  }
  if (!found) co_return found.error();
  const bool lasting = !cache_.changed_since(id, epoch) && !Unregistered::is(id);
  co_return entry_of(std::move(*found), lasting);
}

Entry UnionNamespace::entry_of(InodeRef inode, bool lasting) {
  const FileWriter* writer = writers_.empty() ? nullptr : find_writer(inode->id);
  if (!writer || !writer->changed()) return Entry{std::move(inode), lasting};
  // It goes on changing, and nobody tells of that.
  return Entry{writer->overlay(inode), false};
}

task<result<Path>> UnionNamespace::path_of(InodeRef inode) {
  if (Unregistered::is(inode->id)) {
    const auto* known = unregistered_.find(inode->id);
    if (!known) co_return gone();
    co_return known->path;
  }
  std::vector<InodeRef> chain;  // upwards
  for (InodeRef at = inode; at->id != kRootInode;) {
    const InodeId parent = at->parent;
    chain.push_back(std::move(at));
    GG_CO_TRY(at, co_await record(parent));
  }
  Path path;
  for (auto step = chain.rbegin(); step != chain.rend(); ++step) path = path.child((*step)->name);
  co_return path;
}

task<result<ListingRest>> UnionNamespace::read_listing(InodeId folder, InodeId after, std::size_t limit) {
  const std::size_t page = std::max(limit, kListingPage);
  const auto epoch = cache_.epoch();
  GG_CO_TRY(std::vector<Inode> read, co_await store_.list(folder, after, page));
  ListingRest rest;
  rest.to_the_end = read.size() < page;
  rest.entries.reserve(read.size());
  rest.lasting = !cache_.changed_since(folder, epoch);
  for (Inode& entry : read) {
    rest.entries.push_back(std::make_shared<const Inode>(std::move(entry)));
    if (!cache_.put(rest.entries.back(), epoch)) rest.lasting = false;
  }
  co_return rest;
}

task<result<Listing>> UnionNamespace::list(InodeId folder, InodeId after, std::size_t limit) {
  const auto now = system_clock().steady();
  auto rest = listings_.take(folder, after, now);
  if (!rest && !Unregistered::is(after) && !Unregistered::is(folder)) {
    GG_CO_TRY(rest, co_await read_listing(folder, after, limit));
  }
  if (shows_unknown() &&
      (!rest || (!rest->unknown && rest->to_the_end && rest->next == rest->entries.size()))) {
    GG_CO_TRY(rest, co_await list_unknown(folder, after));
  }
  if (!rest) co_return Listing{{}, true};
  Listing listing;
  const std::size_t give = std::min(limit, rest->entries.size() - rest->next);
  for (std::size_t i = 0; i < give; ++i) {
    InodeRef& inode = rest->entries[rest->next + i];
    const bool lasting = rest->lasting && !Unregistered::is(inode->id);
    listing.entries.push_back(entry_of(std::move(inode), lasting));
  }
  rest->next += give;
  listing.end = rest->to_the_end && rest->next == rest->entries.size() && (rest->unknown || !shows_unknown());
  co_return keep_rest(folder, after, std::move(listing), std::move(*rest), now);
}

Listing UnionNamespace::keep_rest(InodeId folder, InodeId after, Listing listing, ListingRest rest,
                                  std::chrono::steady_clock::time_point now) {
  const InodeId last = listing.entries.empty() ? after : listing.entries.back().inode->id;
  const bool useful = rest.next < rest.entries.size() || rest.to_the_end;
  if (rest.lasting && useful) listings_.put(folder, last, std::move(rest), now);
  return listing;
}

task<result<std::string>> UnionNamespace::xattr(InodeId id, std::string name) {
  GG_CO_TRY(InodeRef inode, co_await record(id));
  std::optional<NodeIndex> server;
  if (name == "user.geogrid.served_by" && inode->is_file()) {
    if (const NodeIndex* last = served_by_.find(id)) {
      server = *last;
    } else {
      GG_CO_TRY(Path path, co_await path_of(inode));
      const auto order = access_->order(*inode, path, nodes_.serving());
      if (!order.empty()) server = order.front();
    }
  }
  auto value = xattr_value(name, *inode, nodes_, server);
  if (!value) co_return system_error(ENODATA, "no such attribute");
  co_return std::move(*value);
}

task<result<Space>> UnionNamespace::space() {
  const auto now = system_clock().steady();
  if (space_ && now - space_read_ < kSpaceKept) co_return *space_;
  auto read = co_await store_.nodes(NodeKind::storage);
  if (!read && space_) co_return *space_;  // while metadata is away, what was known last
  GG_CO_TRY(std::vector<NodeRecord> nodes, std::move(read));
  for (NodeRecord& node : nodes) {
    const auto volume = access_->volume(node.index);
    if (node.total_bytes != 0 || !volume || access_->is_shut_out(node.index)) continue;
    // No storage loop told yet.
    if (const auto probed = co_await volume->probe()) {
      node.total_bytes = probed->total_bytes;
      node.free_bytes = probed->free_bytes;
    }
  }
  space_ = space_of(nodes, options_.copies);
  space_read_ = now;
  co_return *space_;
}

// ---- reading ----

std::shared_ptr<Content> UnionNamespace::content_of(const InodeRef& inode, bool& outdated_readers) {
  std::shared_ptr<Content> shared;
  const auto [begin, end] = open_files_.equal_range(inode->id);
  for (auto at = begin; at != end; ++at) {
    const Handle& handle = handles_.at(at->second);
    if (handle.outdated)
      outdated_readers = true;
    else if (handle.content && !handle.content->spoilt())
      shared = handle.content;
  }
  if (!shared) shared = idle_.take(*inode);
  if (!shared) shared = std::make_shared<Content>(access_, weak_from_this(), inode);
  return shared;
}

task<result<Opened>> UnionNamespace::open(InodeId id) {
  GG_CO_TRY(InodeRef inode, co_await record(id));
  co_return open(inode);
}

result<Opened> UnionNamespace::open(const InodeRef& inode) {
  if (inode->is_folder()) return fail(errc::is_a_folder, "it is a folder");
  bool outdated_readers = false;
  Handle handle;
  handle.file = inode->id;
  handle.inode = inode;
  handle.content = content_of(inode, outdated_readers);
  const HandleId id = keep_handle(std::move(handle));
  return Opened{id, !outdated_readers && !Unregistered::is(inode->id), !outdated_readers};
}

HandleId UnionNamespace::keep_handle(Handle handle) {
  const HandleId id(++last_handle_);
  open_files_.emplace(handle.file, id.value);
  handles_.emplace(id.value, std::move(handle));
  return id;
}

UnionNamespace::Handle* UnionNamespace::handle_of(HandleId id) {
  const auto at = handles_.find(id.value);
  return at == handles_.end() ? nullptr : &at->second;
}

void UnionNamespace::prepare(HandleId id) {
  const Handle* handle = handle_of(id);
  if (handle && handle->content && !handle->writer) handle->content->prepare();
}

void UnionNamespace::read(HandleId id, std::uint64_t offset, std::size_t size, ReadDone done) {
  Handle* handle = handle_of(id);
  if (!handle) return done(system_error(EBADF, "reading"));
  // What is being written here is read from where it is written, by everybody on this machine.
  FileWriter* writer = handle->outdated ? nullptr : find_writer(handle->file);
  if (writer && writer->has_draft()) return writer->read(offset, size, std::move(done));
  read_through(*handle, offset, size, std::move(done));
}

void UnionNamespace::read_through(Handle& handle, std::uint64_t offset, std::size_t size, ReadDone done) {
  bool outdated_readers = false;
  if (!handle.content) handle.content = content_of(handle.inode, outdated_readers);
  if (!handle.outdated) return handle.content->read(offset, size, std::move(done));
  // The kernel will put these bytes among its pages of the file, where newer readers look: they must go again
  // at once.
  auto then_forget = [done = std::move(done), self = shared_from_this(), file = handle.file](auto bytes) {
    done(std::move(bytes));
    self->access_->gate()->post([self, file] { self->tell(&KernelCache::forget_content, file); });
  };
  handle.content->read(offset, size, std::move(then_forget));
}

void UnionNamespace::release(HandleId id) {
  const auto at = handles_.find(id.value);
  if (at == handles_.end()) return;
  Handle handle = std::move(at->second);
  handles_.erase(at);
  const auto [begin, end] = open_files_.equal_range(handle.file);
  for (auto open = begin; open != end; ++open) {
    if (open->second != id.value) continue;
    open_files_.erase(open);
    break;
  }
  if (handle.writer) handle.writer->closed();
  if (!handle.content) return;
  if (const auto server = handle.content->served_by()) served_by_.put(handle.file, *server);
  if (handle.outdated)
    tell(&KernelCache::forget_content, handle.file);
  else if (handle.content->started() && !handle.content->spoilt() && !handle.content->holds_bytes() &&
           handle.content.use_count() == 1)
    idle_.put(std::move(handle.content));
}

task<result<FileLocation>> UnionNamespace::locate(InodeId file, bool fresh) {
  if (fresh && !Unregistered::is(file)) {
    GG_CO_TRY(Inode read, co_await store_.get(file));
    GG_CO_TRY(Path path, co_await store_.path_of(file));
    co_return located(std::make_shared<const Inode>(std::move(read)), std::move(path));
  }
  GG_CO_TRY(InodeRef inode, co_await record(file));
  GG_CO_TRY(Path path, co_await path_of(inode));
  co_return located(std::move(inode), std::move(path));
}

FileLocation UnionNamespace::located(InodeRef inode, Path path) {
  NodeSet serving = nodes_.serving();
  const DamagedCopies* damaged = damaged_.find(inode->id);
  if (damaged && damaged->version == inode->version) serving = serving - damaged->nodes;
  return {std::move(inode), std::move(path), serving};
}

void UnionNamespace::found_damaged(NodeIndex node, const Inode& file, const Path& path) {
  DamagedCopies damaged{file.version, NodeSet::of(node)};
  if (const DamagedCopies* known = damaged_.find(file.id); known && known->version == file.version)
    damaged.nodes = damaged.nodes | known->nodes;
  damaged_.put(file.id, damaged);
  tell(&KernelCache::forget_content, file.id);
  Finding finding;
  finding.kind = FindingKind::damaged;
  finding.node = node;
  finding.path = path;
  finding.detail =
      fmt::format("read with another digest than {}, version {}", file.digest.str(), file.version.value);
  finding.first_seen = finding.last_seen = system_clock().wall();
  asio::co_spawn(loop_, report(shared_from_this(), std::move(finding)), asio::detached);
}

task<void> UnionNamespace::report(std::shared_ptr<UnionNamespace> self, Finding finding) {
  std::vector<Finding> findings;
  findings.push_back(std::move(finding));
  if (const auto reported = co_await self->store_.report(std::move(findings)); !reported)
    self->log_.warning("a damaged copy could not be reported: {}", reported.error().message);
}

}  // namespace geogrid
