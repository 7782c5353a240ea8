// Opening, reading and releasing files.

#include <fcntl.h>

#include "fuse/connection.hpp"
#include "fuse/operations.hpp"

namespace geogrid {
namespace {

void answer_opened(Request& request, fuse_file_info info, const result<Opened>& opened) {
  if (!opened) return request.error_of_node(opened.error());
  info.fh = opened->handle.value;
  info.keep_cache = opened->keep_cache ? 1 : 0;
  info.direct_io = opened->shared_cache ? 0 : 1;
  info.noflush = 1;  // a reader has nothing to flush at close
  request.opened(info);
  request.names().prepare(opened->handle);
}

task<void> answer_open(RequestRef request, InodeId id, fuse_file_info info) {
  answer_opened(*request, info, co_await request->names().open(id));
}

task<void> answer_open_for_writing(RequestRef request, InodeId id, fuse_file_info info, Caller caller) {
  const auto opened = co_await request->names().open_for_writing(id, caller);
  if (!opened) {
    request->error_of_node(opened.error());
    co_return;
  }
  info.fh = opened->handle.value;
  info.keep_cache = opened->keep_cache ? 1 : 0;
  info.direct_io = opened->shared_cache ? 0 : 1;
  request->opened(info);
}

void open(fuse_req_t req, fuse_ino_t id, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  if ((info->flags & O_ACCMODE) != O_RDONLY)
    return run_request(request, answer_open_for_writing(request, InodeId(id), *info, request->caller()));
  if (const InodeRef inode = request->names().cached(InodeId(id)))
    return answer_opened(*request, *info, request->names().open(inode));
  run_request(request, answer_open(request, InodeId(id), *info));
}

void read(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  // Called on a volume's thread: the answer needs no way back over the loop.
  auto answer = [request](result<std::span<const std::byte>> bytes) {
    if (bytes)
      request->bytes(bytes->data(), bytes->size());
    else
      request->error(bytes.error());
  };
  request->names().read(HandleId(info->fh), static_cast<std::uint64_t>(offset), size, std::move(answer));
}

void release(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  request->names().release(HandleId(info->fh));
  request->ok();
}

}  // namespace

void add_file_operations(fuse_lowlevel_ops& operations) {
  operations.open = open;
  operations.read = read;
  operations.release = release;
}

}  // namespace geogrid
