// UnionNamespace: files that are written.

#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include "os/clock.hpp"
#include "vfs/answer.hpp"
#include "vfs/union_namespace.hpp"

namespace geogrid {
namespace {

constexpr std::chrono::seconds kRenewLeases{20};
constexpr std::size_t kCopyChunk = 1 << 20;
constexpr std::size_t kCopyAtOnce = 8 << 20;  // of one request, so that it comes to an end

Error bad_handle() {
  return system_error(EBADF, "writing");
}

}  // namespace

task<result<void>> UnionNamespace::start_writing() {
  auto context = std::make_shared<WriterContext>();
  context->access = access_;
  context->store = &store_;
  context->classes = options_.writing->classes;
  context->owner = options_.writing->owner;
  context->log = log_;
  context->host = weak_from_this();
  context->nodes = std::make_shared<WriteNodes>(store_, access_, options_.writing->min_free);
  context->intents =
      std::make_shared<IntentRunner>(loop_, store_, access_->volumes(), options_.writing->owner, log_);
  context->settler = std::make_shared<Settler>(loop_, store_, log_);
  GG_CO_CHECK(co_await store_.renew_leases(context->owner, FileWriter::kLease));
  writing_ = std::move(context);
  lease_timer_.emplace(loop_);
  asio::co_spawn(loop_, keep_leases(shared_from_this()), asio::detached);
  co_return result<void>();
}

task<void> UnionNamespace::keep_leases(std::shared_ptr<UnionNamespace> self) {
  while (!self->closed_) {
    self->lease_timer_->expires_after(kRenewLeases);
    boost::system::error_code error;
    co_await self->lease_timer_->async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (self->closed_) co_return;
    const auto renewed = co_await self->store_.renew_leases(self->writing_->owner, FileWriter::kLease);
    if (!renewed) self->log_.warning("leases could not be renewed: {}", renewed.error().message);
  }
}

task<void> UnionNamespace::finish(std::chrono::milliseconds most) {
  if (!writing_) co_return;
  const auto until = system_clock().steady() + most;
  constexpr std::chrono::milliseconds kStep{10};
  // Descriptors that are still open will never be closed: what they wrote is published as it is.
  std::vector<std::uint64_t> open;
  for (const auto& [id, handle] : handles_)
    if (handle.writer) open.push_back(id);
  for (const std::uint64_t id : open) release(HandleId(id));
  while (!writers_.empty() && system_clock().steady() < until)
    if (const auto slept = co_await sleep_for(kStep); !slept) break;
  const auto settler = writing_->settler;
  co_await settler->finish(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::max(until - system_clock().steady(), Clock::SteadyTime::duration(kStep))));
  const auto runner = writing_->intents;
  co_await runner->finish(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::max(until - system_clock().steady(), Clock::SteadyTime::duration(kStep))));
  if (writers_.empty()) (void)co_await store_.end_owner(writing_->owner);
}

void UnionNamespace::close_writing() {
  if (!writing_) return;
  lease_timer_->cancel();
  for (const auto& [id, writer] : writers_) writer->keep_drafts();
  writers_.clear();
  writing_->settler->close();
  writing_->intents->close();
}

// ---- writers ----

FileWriter* UnionNamespace::find_writer(InodeId id) {
  const auto at = writers_.find(id);
  return at == writers_.end() ? nullptr : at->second.get();
}

std::shared_ptr<FileWriter> UnionNamespace::writer_of(const InodeRef& inode, bool created) {
  auto& writer = writers_[inode->id];
  if (!writer) writer = std::make_shared<FileWriter>(writing_, inode, created);
  return writer;
}

void UnionNamespace::writer_idle(InodeId file) {
  const auto at = writers_.find(file);
  if (at == writers_.end() || !at->second->idle()) return;
  const auto writer = std::move(at->second);  // it is its own caller
  writers_.erase(at);
}

task<result<WriterHost::Place>> UnionNamespace::place_of(InodeId file, bool fresh) {
  GG_CO_TRY(FileLocation location, co_await locate(file, fresh));
  co_return Place{std::move(location.inode), std::move(location.path)};
}

void UnionNamespace::read_published(InodeRef inode, std::uint64_t offset, std::size_t size,
                                    Draft::Read done) {
  bool outdated_readers = false;
  content_of(inode, outdated_readers)->read(offset, size, std::move(done));
}

void UnionNamespace::was_published(const InodeRef& inode) {
  cache_.replace(inode);
  listings_.drop(inode->parent);
  idle_.drop(inode->id);
  std::set<KernelCache*> writing;  // their pages are right: the bytes passed through them
  const auto [begin, end] = open_files_.equal_range(inode->id);
  for (auto at = begin; at != end; ++at) {
    // On this machine a file is one file: also who opened it before reads what was written since.
    Handle& handle = handles_.at(at->second);
    if (handle.kernel) writing.insert(handle.kernel);
    handle.content = nullptr;
    handle.outdated = false;
    handle.inode = inode;
  }
  if (kernels_.size() > 1)
    for (KernelCache* kernel : kernels_)
      if (!writing.contains(kernel)) kernel->forget_content(inode->id);
}

// ---- operations ----

task<result<Created>> UnionNamespace::create(InodeId parent, std::string name, std::uint32_t mode,
                                             bool exclusive, Caller caller) {
  GG_CO_CHECK(check_writable(parent));
  GG_CO_TRY(Attributes attributes, co_await new_attributes(parent, mode, false, caller));
  NewFile file;
  file.parent = parent;
  file.name = name;
  file.attributes = attributes;
  file.owner = writing_->owner;
  file.lease = FileWriter::kLease;
  file.exclusive = exclusive;
  const auto epoch = cache_.epoch();
  auto created = co_await store_.create_file(std::move(file));
  if (!created) co_return refused(created.error());
  if (created->existed) co_return system_error(ESTALE, "creating a file whose name is taken by now");
  const auto inode = std::make_shared<const Inode>(std::move(created->inode));
  const auto possible = co_await check_copies(inode);
  if (!possible) {
    (void)co_await store_.unlink(parent, std::move(name), attributes.ctime, writing_->owner);
    co_return possible.error();
  }
  name_changed_here(parent, name, attributes.ctime, false, caller);
  Created answer;
  answer.entry = made(inode, epoch, caller);
  Handle handle;
  handle.file = inode->id;
  handle.inode = inode;
  handle.writer = writer_of(inode, true);
  handle.kernel = caller.kernel;
  handle.writer->opened();
  answer.opened.handle = keep_handle(std::move(handle));
  co_return answer;
}

task<result<void>> UnionNamespace::check_copies(InodeRef inode) {
  const StorageClass* rule = writing_->classes->find(inode->storage_class);
  if (!rule || rule->sync_copies < 2) co_return result<void>();
  WriteNodes::Wish wish;
  wish.copies = static_cast<std::size_t>(rule->sync_copies);
  wish.holders = inode->replicas;
  wish.folder = inode->parent;
  GG_CO_CHECK(co_await writing_->nodes->choose(wish));
  co_return result<void>();
}

task<result<Opened>> UnionNamespace::open_for_writing(InodeId id, Caller caller) {
  if (!writing_) co_return system_error(EROFS, "opening for writing");
  if (Unregistered::is(id)) co_return system_error(EBUSY, "it is not registered yet");
  GG_CO_TRY(InodeRef inode, co_await record(id));
  if (inode->is_folder()) co_return fail(errc::is_a_folder, "it is a folder");
  GG_CO_CHECK(co_await check_copies(inode));
  bool outdated_readers = false;
  const auto [begin, end] = open_files_.equal_range(id);
  for (auto at = begin; at != end; ++at)
    outdated_readers = outdated_readers || handles_.at(at->second).outdated;
  Handle handle;
  handle.file = id;
  handle.inode = inode;
  handle.writer = writer_of(inode, false);
  handle.kernel = caller.kernel;
  handle.writer->opened();
  const HandleId opened = keep_handle(std::move(handle));
  co_return Opened{opened, !outdated_readers, !outdated_readers};
}

void UnionNamespace::write(HandleId id, std::uint64_t offset, WriteBytes bytes, WriteDone done,
                           Caller caller) {
  const Handle* handle = handle_of(id);
  if (!handle || !handle->writer) return done(bad_handle());
  const std::uint32_t mode = handle->inode->attributes.mode;
  if (caller.set_id_bits && without_set_id_bits(mode, caller) != mode) {
    // Before the answer: who looks then must not see them any more.
    auto work = take_bits_and_write(shared_from_this(), handle->writer, handle->file, offset,
                                    std::move(bytes), std::move(done), caller);
    return asio::co_spawn(loop_, std::move(work), asio::detached);
  }
  handle->writer->write(offset, std::move(bytes), std::move(done));
}

task<result<void>> UnionNamespace::flush(HandleId id) {
  const Handle* handle = handle_of(id);
  if (!handle || !handle->writer) co_return result<void>();
  const auto writer = handle->writer;
  co_return co_await writer->flush();
}

task<result<void>> UnionNamespace::sync(HandleId id) {
  const Handle* handle = handle_of(id);
  if (!writing_) co_return result<void>();
  if (!handle || !handle->writer) co_return co_await store_.sync();
  const auto writer = handle->writer;
  co_return co_await writer->sync();
}

task<result<void>> UnionNamespace::sync_folders() {
  if (!writing_) co_return result<void>();
  co_return co_await store_.sync();
}

task<result<void>> UnionNamespace::allocate(HandleId id, int mode, std::uint64_t offset,
                                            std::uint64_t length) {
  const Handle* handle = handle_of(id);
  if (!handle || !handle->writer) co_return bad_handle();
  const auto writer = handle->writer;
  co_return co_await writer->allocate(mode, offset, length);
}

task<result<std::uint64_t>> UnionNamespace::seek(HandleId id, std::uint64_t offset, int whence) {
  const Handle* handle = handle_of(id);
  if (!handle) co_return bad_handle();
  const auto found = writers_.find(handle->file);
  if (found != writers_.end() && found->second->has_draft()) {
    const auto writer = found->second;
    co_return co_await writer->seek(offset, whence);
  }
  // What is published is told to have no holes (lseek(2) allows that).
  const std::uint64_t size = entry_of(handle->inode, false).inode->size;
  if (offset >= size) co_return system_error(ENXIO, "looking for data or a hole");
  co_return whence == SEEK_HOLE ? size : offset;
}

task<result<std::size_t>> UnionNamespace::copy_range(HandleId from, std::uint64_t from_offset, HandleId to,
                                                     std::uint64_t to_offset, std::size_t length) {
  using Chunk = std::shared_ptr<std::vector<std::byte>>;
  const Handle* target = handle_of(to);
  if (!target || !target->writer || !handle_of(from)) co_return bad_handle();
  const auto writer = target->writer;
  length = std::min(length, kCopyAtOnce);
  std::size_t copied = 0;
  while (copied < length) {
    const Answer<result<Chunk>> bytes(access_->gate());
    read(from, from_offset + copied, std::min(kCopyChunk, length - copied),
         [bytes](result<std::span<const std::byte>> got) {
           if (!got) return bytes.give(got.error());
           bytes.give(std::make_shared<std::vector<std::byte>>(got->begin(), got->end()));
         });
    GG_CO_TRY(const Chunk chunk, co_await bytes.wait());
    if (chunk->empty()) break;
    const Answer<result<void>> written(access_->gate());
    WriteBytes data{std::span<const std::byte>(*chunk), chunk};
    writer->write(to_offset + copied, std::move(data),
                  [written](result<void> outcome) { written.give(outcome); });
    const auto outcome = co_await written.wait();
    if (!outcome && copied == 0) co_return outcome.error();
    if (!outcome) break;
    copied += chunk->size();
  }
  co_return copied;
}

}  // namespace geogrid
