#include "fuse/connection.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/unique_fd.hpp"

namespace geogrid {
namespace {

/// Deadlines after which a request that is not a read is given up (reads have deadlines of their own, one a
/// replica).
constexpr int kPatience = 3;

mode_t type_bits(FileType type) {
  switch (type) {
    case FileType::folder:
      return S_IFDIR;
    case FileType::file:
      return S_IFREG;
    case FileType::symlink:
      return S_IFLNK;
    case FileType::fifo:
      return S_IFIFO;
    case FileType::socket:
      return S_IFSOCK;
    case FileType::character_device:
      return S_IFCHR;
    case FileType::block_device:
      return S_IFBLK;
  }
  return S_IFREG;
}

}  // namespace

struct stat to_stat(const Inode& inode) {
  constexpr std::uint64_t kBlock = 512;
  struct stat status {};
  status.st_ino = inode.id.value;
  status.st_mode = type_bits(inode.type) | (inode.attributes.mode & 07777U);
  status.st_nlink = inode.nlink();
  status.st_uid = inode.attributes.uid;
  status.st_gid = inode.attributes.gid;
  status.st_rdev = inode.rdev;
  status.st_size = static_cast<off_t>(inode.size);
  status.st_blocks = static_cast<blkcnt_t>(inode.is_file() ? (inode.size + kBlock - 1) / kBlock : 0);
  status.st_blksize = 4096;
  status.st_atim = inode.attributes.atime.to_timespec();
  status.st_mtim = inode.attributes.mtime.to_timespec();
  status.st_ctim = inode.attributes.ctime.to_timespec();
  return status;
}

fuse_entry_param to_entry(const Connection& connection, const Entry& entry) {
  fuse_entry_param param{};
  param.entry_timeout = param.attr_timeout = connection.timeout(entry.lasting);
  if (!entry.inode) return param;  // inode 0: the kernel remembers that there is none
  param.ino = entry.inode->id.value;
  param.attr = to_stat(*entry.inode);
  return param;
}

Connection::Connection(asio::any_io_executor loop, std::shared_ptr<UnionNamespace> names, Options options)
    : loop_(loop), names_(std::move(names)), options_(options), slow_(loop, kPatience * names_->deadline()) {}

Connection::~Connection() {
  if (!session_) return;
  // libfuse frees the mount point's name only by unmounting, and would unmount whatever lies there by now; it
  // leaves that where the descriptor tells an error, as a pipe does that nobody reads.
  int ends[2];
  if (fuse_session_fd(session_) >= 0 && ::pipe2(ends, O_CLOEXEC) == 0) {
    ::close(ends[0]);
    const UniqueFd broken(ends[1]);
    if (::dup3(broken.get(), fuse_session_fd(session_), O_CLOEXEC) >= 0) fuse_session_unmount(session_);
  }
  fuse_session_destroy(session_);
}

void Connection::watch(const RequestRef& request) {
  slow_.add(request);
}

void Connection::cut() {
  // The descriptor's number stays taken until the last request is answered: closed, it could become another
  // file that late answers are written to.
  const UniqueFd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nowhere) ::dup3(nowhere.get(), fuse_session_fd(session_), O_CLOEXEC);
}

RequestRef Request::take(fuse_req_t request) {
  auto* connection = static_cast<Connection*>(fuse_req_userdata(request));
  return std::make_shared<Request>(request, connection->shared_from_this());
}

Request::Request(fuse_req_t request, std::shared_ptr<Connection> connection)
    : request_(request), connection_(std::move(connection)) {
  ++connection_->in_flight_;
}

Request::~Request() {
  error(EIO);
}

void Request::sent(int) {
  // An answer that the kernel refuses (ENOENT: the caller was killed; ENODEV: unmounted) has nobody left to
  // hear of it.
  --connection_->in_flight_;
}

void Request::error(int error_number) {
  if (claim()) sent(fuse_reply_err(request_, error_number));
}

void Request::error(const Error& failure) {
  const int number = to_errno(failure);
  // What only means that a server is away is nothing an application knows of.
  error(number == EAGAIN || number == ECANCELED || number == ETIMEDOUT ? EIO : number);
}

void Request::error_of_node(const Error& failure) {
  if (failure.is(errc::not_found)) return error(ESTALE);
  error(failure);
}

void Request::entry(const Entry& found) {
  const fuse_entry_param param = to_entry(*connection_, found);
  if (claim()) sent(fuse_reply_entry(request_, &param));
}

void Request::attributes(const Entry& found) {
  struct stat status = to_stat(*found.inode);
  if (found.removed) status.st_nlink = 0;
  if (claim()) sent(fuse_reply_attr(request_, &status, connection_->timeout(found.lasting)));
}

void Request::link(const std::string& target) {
  if (claim()) sent(fuse_reply_readlink(request_, target.c_str()));
}

void Request::opened(const fuse_file_info& info) {
  if (claim()) sent(fuse_reply_open(request_, &info));
}

void Request::created(const Entry& made, const fuse_file_info& info) {
  const fuse_entry_param param = to_entry(*connection_, made);
  if (claim()) sent(fuse_reply_create(request_, &param, &info));
}

void Request::written(std::size_t size) {
  if (claim()) sent(fuse_reply_write(request_, size));
}

void Request::offset(std::uint64_t offset) {
  if (claim()) sent(fuse_reply_lseek(request_, static_cast<off_t>(offset)));
}

Caller Request::caller() const {
  const fuse_ctx* context = fuse_req_ctx(request_);
  return {context->uid, context->gid, connection_->kernel(), connection_->takes_set_id_bits()};
}

void Request::bytes(const void* data, std::size_t size) {
  if (claim()) sent(fuse_reply_buf(request_, static_cast<const char*>(data), size));
}

void Request::xattr(const std::string& value, std::size_t room) {
  if (room != 0 && value.size() > room) return error(ERANGE);
  if (!claim()) return;
  sent(room == 0 ? fuse_reply_xattr(request_, value.size())
                 : fuse_reply_buf(request_, value.data(), value.size()));
}

void Request::space(const struct statvfs& space) {
  if (claim()) sent(fuse_reply_statfs(request_, &space));
}

void run_change(const RequestRef& request, task<void> work) {
  asio::co_spawn(request->connection().loop(), std::move(work), asio::detached);
}

void run_request(const RequestRef& request, task<void> work) {
  Connection& connection = request->connection();
  asio::co_spawn(connection.loop(), std::move(work), asio::detached);
  if (!request->done()) connection.watch(request);
}

}  // namespace geogrid
