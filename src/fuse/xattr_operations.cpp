// Extended attributes.

#include <string_view>

#include "fuse/connection.hpp"
#include "fuse/operations.hpp"
#include "vfs/xattrs.hpp"

namespace geogrid {
namespace {

bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

task<void> answer_xattr(RequestRef request, InodeId id, std::string name, std::size_t room) {
  const auto value = co_await request->names().xattr(id, std::move(name));
  if (value)
    request->xattr(*value, room);
  else
    request->error_of_node(value.error());
}

void getxattr(fuse_req_t req, fuse_ino_t id, const char* name, std::size_t room) {
  const RequestRef request = Request::take(req);
  const std::string_view text = name;
  if (begins(text, "user.geogrid."))
    return run_request(request, answer_xattr(request, InodeId(id), std::string(text), room));
  // Access lists are not kept at all; of the rest there just is none. The kernel asks for security.capability
  // with every program that is run.
  request->error(begins(text, "system.") ? ENOTSUP : ENODATA);
}

task<void> answer_names(RequestRef request, InodeId id, std::size_t room) {
  const auto found = co_await request->names().get(id);
  if (!found) {
    request->error_of_node(found.error());
    co_return;
  }
  std::string names;
  if (found->inode->is_file() && !Unregistered::is(id))
    for (const std::string_view name : kXattrNames) names.append(name).push_back('\0');
  request->xattr(names, room);
}

void listxattr(fuse_req_t req, fuse_ino_t id, std::size_t room) {
  const RequestRef request = Request::take(req);
  run_request(request, answer_names(request, InodeId(id), room));
}

task<void> run_set_class(RequestRef request, InodeId id, std::string name, Caller caller) {
  const auto done = co_await request->names().set_class(id, std::move(name), caller);
  if (done)
    request->ok();
  else
    request->error_of_node(done.error());
}

void setxattr(fuse_req_t req, fuse_ino_t id, const char* name, const char* value, std::size_t size, int) {
  const RequestRef request = Request::take(req);
  const std::string_view text = name;
  if (text == "user.geogrid.class")
    return run_change(request,
                      run_set_class(request, InodeId(id), std::string(value, size), request->caller()));
  request->error(ENOTSUP);
}

void removexattr(fuse_req_t req, fuse_ino_t, const char* name) {
  const RequestRef request = Request::take(req);
  request->error(begins(name, "user.") && !begins(name, "user.geogrid.") ? ENODATA : ENOTSUP);
}

}  // namespace

void add_xattr_operations(fuse_lowlevel_ops& operations) {
  operations.getxattr = getxattr;
  operations.listxattr = listxattr;
  operations.setxattr = setxattr;
  operations.removexattr = removexattr;
}

}  // namespace geogrid
