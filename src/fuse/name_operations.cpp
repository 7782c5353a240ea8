// Making, moving and removing names.

#include <linux/fs.h>
#include <sys/stat.h>

#include "fuse/connection.hpp"
#include "fuse/operations.hpp"

namespace geogrid {
namespace {

std::optional<FileType> type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
      return FileType::file;
    case S_IFIFO:
      return FileType::fifo;
    case S_IFSOCK:
      return FileType::socket;
    case S_IFCHR:
      return FileType::character_device;
    case S_IFBLK:
      return FileType::block_device;
    default:
      return std::nullopt;
  }
}

void answer(Request& request, const result<Entry>& made) {
  if (made)
    request.entry(*made);
  else
    request.error(made.error());
}
void answer(Request& request, const result<void>& done) {
  if (done)
    request.ok();
  else
    request.error(done.error());
}

task<void> run_mkdir(RequestRef request, InodeId parent, std::string name, std::uint32_t mode,
                     Caller caller) {
  answer(*request, co_await request->names().make_folder(parent, std::move(name), mode, caller));
}
void mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  const RequestRef request = Request::take(req);
  run_change(request, run_mkdir(request, InodeId(parent), name, mode, request->caller()));
}

task<void> run_mknod(RequestRef request, InodeId parent, std::string name, FileType type, std::uint32_t mode,
                     std::uint64_t rdev, Caller caller) {
  answer(*request, co_await request->names().make_special(parent, std::move(name), type, mode, rdev, caller));
}
void mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev) {
  const RequestRef request = Request::take(req);
  const auto type = type_of(mode);
  if (!type) return request->error(EINVAL);
  run_change(request, run_mknod(request, InodeId(parent), name, *type, mode, rdev, request->caller()));
}

task<void> run_symlink(RequestRef request, std::string target, InodeId parent, std::string name,
                       Caller caller) {
  answer(*request,
         co_await request->names().make_symlink(parent, std::move(name), std::move(target), caller));
}
void symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  const RequestRef request = Request::take(req);
  run_change(request, run_symlink(request, target, InodeId(parent), name, request->caller()));
}

task<void> run_unlink(RequestRef request, InodeId parent, std::string name, Caller caller) {
  answer(*request, co_await request->names().unlink(parent, std::move(name), caller));
}
void unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  const RequestRef request = Request::take(req);
  run_change(request, run_unlink(request, InodeId(parent), name, request->caller()));
}

task<void> run_rmdir(RequestRef request, InodeId parent, std::string name, Caller caller) {
  answer(*request, co_await request->names().remove_folder(parent, std::move(name), caller));
}
void rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  const RequestRef request = Request::take(req);
  run_change(request, run_rmdir(request, InodeId(parent), name, request->caller()));
}

task<void> run_rename(RequestRef request, InodeId parent, std::string name, InodeId new_parent,
                      std::string new_name, RenameMode mode, Caller caller) {
  answer(*request, co_await request->names().rename(parent, std::move(name), new_parent, std::move(new_name),
                                                    mode, caller));
}
void rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent, const char* new_name,
            unsigned flags) {
  const RequestRef request = Request::take(req);
  RenameMode mode = RenameMode::replace;
  if (flags == RENAME_NOREPLACE)
    mode = RenameMode::no_replace;
  else if (flags == RENAME_EXCHANGE)
    mode = RenameMode::exchange;
  else if (flags != 0)
    return request->error(EINVAL);
  run_change(request, run_rename(request, InodeId(parent), name, InodeId(new_parent), new_name, mode,
                                 request->caller()));
}

// A name is a file here: one that two names share cannot lie at both on a node that copies.
void link(fuse_req_t req, fuse_ino_t, fuse_ino_t, const char*) {
  Request::take(req)->error(EPERM);
}

}  // namespace

void add_name_operations(fuse_lowlevel_ops& operations) {
  operations.mkdir = mkdir;
  operations.mknod = mknod;
  operations.symlink = symlink;
  operations.unlink = unlink;
  operations.rmdir = rmdir;
  operations.rename = rename;
  operations.link = link;
}

}  // namespace geogrid
