// Lookup, attributes, links, space.

#include <sys/statvfs.h>

#include "fuse/connection.hpp"
#include "fuse/operations.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

task<void> answer_lookup(RequestRef request, InodeId parent, std::string name) {
  const auto found = co_await request->names().lookup(parent, std::move(name));
  if (found)
    request->entry(*found);
  else
    request->error(found.error());
}

/// Of "." and "..", which only an NFS server asks for.
task<void> answer_self_or_parent(RequestRef request, InodeId folder, bool parent) {
  auto found = co_await request->names().get(folder);
  if (found && parent) found = co_await request->names().get(found->inode->parent);
  if (found)
    request->entry(*found);
  else
    request->error(found.error());
}

void lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  const RequestRef request = Request::take(req);
  const std::string_view text = name;
  if (text == "." || text == "..")
    run_request(request, answer_self_or_parent(request, InodeId(parent), text == ".."));
  else
    run_request(request, answer_lookup(request, InodeId(parent), std::string(text)));
}

task<void> answer_attributes(RequestRef request, InodeId id) {
  const auto found = co_await request->names().get(id);
  if (found)
    request->attributes(*found);
  else
    request->error_of_node(found.error());
}

void getattr(fuse_req_t req, fuse_ino_t id, fuse_file_info*) {
  const RequestRef request = Request::take(req);
  if (const auto entry = request->names().cached_entry(InodeId(id))) return request->attributes(*entry);
  run_request(request, answer_attributes(request, InodeId(id)));
}

AttributeRequest to_request(const struct stat& wanted, int which, const fuse_file_info* info) {
  AttributeRequest request;
  AttributeChange& change = request.change;
  const Timestamp now = system_clock().wall();
  if (which & FUSE_SET_ATTR_MODE) change.mode = wanted.st_mode & 07777U;
  if (which & FUSE_SET_ATTR_UID) change.uid = wanted.st_uid;
  if (which & FUSE_SET_ATTR_GID) change.gid = wanted.st_gid;
  if (which & FUSE_SET_ATTR_ATIME) change.atime = Timestamp::from(wanted.st_atim);
  if (which & FUSE_SET_ATTR_ATIME_NOW) change.atime = now;
  if (which & FUSE_SET_ATTR_MTIME) change.mtime = Timestamp::from(wanted.st_mtim);
  if (which & FUSE_SET_ATTR_MTIME_NOW) change.mtime = now;
  if (which & FUSE_SET_ATTR_SIZE) request.size = static_cast<std::uint64_t>(wanted.st_size);
  if (info) request.handle = HandleId(info->fh);
  return request;
}

task<void> answer_change(RequestRef request, InodeId id, AttributeRequest wanted, Caller caller) {
  const auto changed = co_await request->names().set_attributes(id, std::move(wanted), caller);
  if (changed)
    request->attributes(*changed);
  else
    request->error_of_node(changed.error());
}

void setattr(fuse_req_t req, fuse_ino_t id, struct stat* wanted, int which, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  run_change(request,
             answer_change(request, InodeId(id), to_request(*wanted, which, info), request->caller()));
}

task<void> answer_link(RequestRef request, InodeId id) {
  const auto found = co_await request->names().get(id);
  if (!found)
    request->error_of_node(found.error());
  else if (found->inode->type != FileType::symlink)
    request->error(EINVAL);
  else
    request->link(found->inode->link_target);
}

void readlink(fuse_req_t req, fuse_ino_t id) {
  const RequestRef request = Request::take(req);
  run_request(request, answer_link(request, InodeId(id)));
}

task<void> answer_space(RequestRef request) {
  constexpr std::uint64_t kBlock = 4096;
  const auto space = co_await request->names().space();
  if (!space) {
    request->error(space.error());
    co_return;
  }
  struct statvfs status {};
  status.f_bsize = status.f_frsize = kBlock;
  status.f_blocks = space->total / kBlock;
  status.f_bfree = space->free / kBlock;
  status.f_bavail = space->writable / kBlock;
  status.f_namemax = kMaxNameBytes;
  request->space(status);
}

void statfs(fuse_req_t req, fuse_ino_t) {
  const RequestRef request = Request::take(req);
  run_request(request, answer_space(request));
}

// Inode numbers are row ids, for ever: nothing is kept for each lookup, so there is nothing to forget.
void forget(fuse_req_t req, fuse_ino_t, std::uint64_t) {
  fuse_reply_none(req);
}
void forget_multi(fuse_req_t req, std::size_t, fuse_forget_data*) {
  fuse_reply_none(req);
}

}  // namespace

void add_attribute_operations(fuse_lowlevel_ops& operations) {
  operations.lookup = lookup;
  operations.getattr = getattr;
  operations.setattr = setattr;
  operations.readlink = readlink;
  operations.statfs = statfs;
  operations.forget = forget;
  operations.forget_multi = forget_multi;
}

}  // namespace geogrid
