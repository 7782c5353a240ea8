// Creating and writing files.

#include <fcntl.h>
#include <unistd.h>

#include "fuse/connection.hpp"
#include "fuse/operations.hpp"

namespace geogrid {
namespace {

/// Writes up to this size are copied out of the kernel's buffer; larger ones take the buffer along.
constexpr std::size_t kCopied = 128 << 10;

task<void> run_create(RequestRef request, InodeId parent, std::string name, std::uint32_t mode,
                      bool exclusive, fuse_file_info info, Caller caller) {
  const auto created = co_await request->names().create(parent, std::move(name), mode, exclusive, caller);
  if (!created) {
    request->error(created.error());
    co_return;
  }
  info.fh = created->opened.handle.value;
  info.keep_cache = 1;
  request->created(created->entry, info);
}

void create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  const bool exclusive = (info->flags & O_EXCL) != 0;
  run_change(request, run_create(request, InodeId(parent), name, mode, exclusive, *info, request->caller()));
}

WriteBytes bytes_of(const Request& request, const char* data, std::size_t size) {
  if (size <= kCopied) {
    const auto copy = std::make_shared<std::vector<std::byte>>(size);
    std::copy_n(reinterpret_cast<const std::byte*>(data), size, copy->begin());
    return {std::span<const std::byte>(*copy), copy};
  }
  return {std::span(reinterpret_cast<const std::byte*>(data), size), request.connection().take_buffer()};
}

void write(fuse_req_t req, fuse_ino_t, const char* data, std::size_t size, off_t offset,
           fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  // Called on a volume's thread, as with reads.
  auto answer = [request, size](result<void> written) {
    if (written)
      request->written(size);
    else
      request->error(written.error());
  };
  request->names().write(HandleId(info->fh), static_cast<std::uint64_t>(offset),
                         bytes_of(*request, data, size), std::move(answer), request->caller());
}

void answer(Request& request, const result<void>& done) {
  if (done)
    request.ok();
  else
    request.error(done.error());
}

task<void> run_flush(RequestRef request, HandleId handle) {
  answer(*request, co_await request->names().flush(handle));
}
void flush(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  run_change(request, run_flush(request, HandleId(info->fh)));
}

task<void> run_fsync(RequestRef request, HandleId handle) {
  answer(*request, co_await request->names().sync(handle));
}
void fsync(fuse_req_t req, fuse_ino_t, int, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  run_change(request, run_fsync(request, HandleId(info->fh)));
}

task<void> run_fsyncdir(RequestRef request) {
  answer(*request, co_await request->names().sync_folders());
}
void fsyncdir(fuse_req_t req, fuse_ino_t, int, fuse_file_info*) {
  const RequestRef request = Request::take(req);
  run_change(request, run_fsyncdir(request));
}

task<void> run_fallocate(RequestRef request, HandleId handle, int mode, std::uint64_t offset,
                         std::uint64_t length) {
  answer(*request, co_await request->names().allocate(handle, mode, offset, length));
}
void fallocate(fuse_req_t req, fuse_ino_t, int mode, off_t offset, off_t length, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  if (offset < 0 || length <= 0) return request->error(EINVAL);
  run_change(request, run_fallocate(request, HandleId(info->fh), mode, static_cast<std::uint64_t>(offset),
                                    static_cast<std::uint64_t>(length)));
}

task<void> run_lseek(RequestRef request, HandleId handle, std::uint64_t offset, int whence) {
  const auto found = co_await request->names().seek(handle, offset, whence);
  if (found)
    request->offset(*found);
  else
    request->error(found.error());
}
void lseek(fuse_req_t req, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  if (offset < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE)) return request->error(EINVAL);
  run_change(request, run_lseek(request, HandleId(info->fh), static_cast<std::uint64_t>(offset), whence));
}

task<void> run_copy(RequestRef request, HandleId from, std::uint64_t from_offset, HandleId to,
                    std::uint64_t to_offset, std::size_t length) {
  const auto copied = co_await request->names().copy_range(from, from_offset, to, to_offset, length);
  if (copied)
    request->written(*copied);
  else
    request->error(copied.error());
}
void copy_file_range(fuse_req_t req, fuse_ino_t, off_t from_offset, fuse_file_info* from, fuse_ino_t,
                     off_t to_offset, fuse_file_info* to, std::size_t length, int) {
  const RequestRef request = Request::take(req);
  run_change(request, run_copy(request, HandleId(from->fh), static_cast<std::uint64_t>(from_offset),
                               HandleId(to->fh), static_cast<std::uint64_t>(to_offset), length));
}

}  // namespace

void add_write_operations(fuse_lowlevel_ops& operations) {
  operations.create = create;
  operations.write = write;
  operations.flush = flush;
  operations.fsync = fsync;
  operations.fsyncdir = fsyncdir;
  operations.fallocate = fallocate;
  operations.lseek = lseek;
  operations.copy_file_range = copy_file_range;
}

}  // namespace geogrid
