// Listing folders. The offset after an entry is made from its row id, so that a listing needs no handle, and
// a folder that changes meanwhile neither repeats nor skips what stays.

#include <algorithm>
#include <vector>

#include "fuse/connection.hpp"
#include "fuse/operations.hpp"

namespace geogrid {
namespace {

// Offsets: 0 the start, 1 after ".", 2 after "..", id + 1 after the entry with that id (the root's id is 1,
// so others are 2 and more).
constexpr std::uint64_t kAfterSelf = 1;
constexpr std::uint64_t kAfterParent = 2;
constexpr std::size_t kLargestReply = 1 << 20;

/// A reply buffer that is filled entry by entry.
class EntryBuffer {
 public:
  EntryBuffer(fuse_req_t request, std::size_t size, bool plus)
      : request_(request), data_(std::min(size, kLargestReply)), plus_(plus) {}

  /// False if there is no room for it.
  bool add(const char* name, const fuse_entry_param& entry, std::uint64_t offset) {
    char* const at = data_.data() + used_;
    const std::size_t room = data_.size() - used_;
    const auto next = static_cast<off_t>(offset);
    const std::size_t took = plus_ ? fuse_add_direntry_plus(request_, at, room, name, &entry, next)
                                   : fuse_add_direntry(request_, at, room, name, &entry.attr, next);
    if (took > room) return false;
    used_ += took;
    return true;
  }
  /// How many entries may still fit: no fewer, and not many more.
  std::size_t room_for() const {
    constexpr std::size_t kPlain = 32;
    constexpr std::size_t kPlus = kPlain + 128;
    return std::max<std::size_t>((data_.size() - used_) / (plus_ ? kPlus : kPlain), 1);
  }
  const char* data() const { return data_.data(); }
  std::size_t used() const { return used_; }

 private:
  fuse_req_t request_;
  std::vector<char> data_;
  std::size_t used_ = 0;
  bool plus_;
};

fuse_entry_param dot_entry(InodeId id) {
  fuse_entry_param entry{};  // node id 0: the kernel only shows it
  entry.attr.st_ino = id.value;
  entry.attr.st_mode = S_IFDIR;
  return entry;
}

/// "." and "..".
task<result<void>> add_dots(Request& request, InodeId folder, std::uint64_t& offset, EntryBuffer& buffer) {
  GG_CO_TRY(const Entry self, co_await request.names().get(folder));
  if (!self.inode->is_folder()) co_return fail(errc::not_a_folder, "it is no folder");
  if (offset < kAfterSelf) {
    if (!buffer.add(".", dot_entry(folder), kAfterSelf)) co_return result<void>();
    offset = kAfterSelf;
  }
  if (!buffer.add("..", dot_entry(self.inode->parent), kAfterParent)) co_return result<void>();
  offset = kAfterParent;
  co_return result<void>();
}

task<result<void>> fill(Request& request, InodeId folder, std::uint64_t offset, EntryBuffer& buffer) {
  if (offset < kAfterParent) GG_CO_CHECK(co_await add_dots(request, folder, offset, buffer));
  if (offset < kAfterParent) co_return result<void>();
  for (;;) {
    const InodeId after(offset == kAfterParent ? 0 : offset - 1);
    GG_CO_TRY(const Listing listing, co_await request.names().list(folder, after, buffer.room_for()));
    for (const Entry& entry : listing.entries) {
      if (!buffer.add(entry.inode->name.c_str(), to_entry(request.connection(), entry),
                      entry.inode->id.value + 1))
        co_return result<void>();
      offset = entry.inode->id.value + 1;
    }
    if (listing.end || listing.entries.empty()) co_return result<void>();
  }
}

task<void> answer_listing(RequestRef request, InodeId folder, std::uint64_t offset,
                          std::shared_ptr<EntryBuffer> buffer) {
  const auto filled = co_await fill(*request, folder, offset, *buffer);
  // What was read before an error is given; the error comes again with the next request.
  if (!filled && buffer->used() == 0)
    request->error(filled.error());
  else
    request->bytes(buffer->data(), buffer->used());
}

void list(fuse_req_t req, fuse_ino_t id, std::size_t size, off_t offset, bool plus) {
  const RequestRef request = Request::take(req);
  auto buffer = std::make_shared<EntryBuffer>(req, size, plus);
  run_request(request,
              answer_listing(request, InodeId(id), static_cast<std::uint64_t>(offset), std::move(buffer)));
}

void readdir(fuse_req_t req, fuse_ino_t id, std::size_t size, off_t offset, fuse_file_info*) {
  list(req, id, size, offset, false);
}
void readdirplus(fuse_req_t req, fuse_ino_t id, std::size_t size, off_t offset, fuse_file_info*) {
  list(req, id, size, offset, true);
}

void opendir(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  const RequestRef request = Request::take(req);
  // Answered once: the kernel asks no more, and keeps what folders list until it is told that they changed.
  if (request->connection().capable() & FUSE_CAP_NO_OPENDIR_SUPPORT) return request->error(ENOSYS);
  fuse_file_info opened = *info;
  opened.keep_cache = 1;
  opened.cache_readdir = 1;
  request->opened(opened);
}

void releasedir(fuse_req_t req, fuse_ino_t, fuse_file_info*) {
  Request::take(req)->ok();
}

}  // namespace

void add_folder_operations(fuse_lowlevel_ops& operations) {
  operations.opendir = opendir;
  operations.readdir = readdir;
  operations.readdirplus = readdirplus;
  operations.releasedir = releasedir;
}

}  // namespace geogrid
