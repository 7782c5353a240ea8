// Operations that change something. The mount only reads.

#include "fuse/connection.hpp"
#include "fuse/operations.hpp"

namespace geogrid {
namespace {

template <typename... Args>
void refuse(fuse_req_t request, Args...) {
  fuse_reply_err(request, EROFS);
}

}  // namespace

void add_refusals(fuse_lowlevel_ops& operations) {
  operations.setattr = refuse;
  operations.mknod = refuse;
  operations.mkdir = refuse;
  operations.unlink = refuse;
  operations.rmdir = refuse;
  operations.symlink = refuse;
  operations.rename = refuse;
  operations.link = refuse;
  operations.create = refuse;
  operations.write = refuse;
  operations.setxattr = refuse;
  operations.removexattr = refuse;
  operations.fallocate = refuse;
  operations.copy_file_range = refuse;
}

}  // namespace geogrid
