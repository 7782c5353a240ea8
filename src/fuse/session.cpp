#include "fuse/session.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "fuse/handshake.hpp"
#include "fuse/mount_point.hpp"
#include "fuse/operations.hpp"

namespace geogrid {
namespace {

constexpr unsigned kLargestRead = 1 << 20;
constexpr unsigned kLargestWrite = 1 << 20;
constexpr unsigned kReadAheadKib = 1024;
/// Requests served before the loop's other work has a turn.
constexpr int kBatch = 64;

constexpr unsigned capability(std::uint64_t flag) {
  return static_cast<unsigned>(flag);
}

void init(void* user, fuse_conn_info* kernel) {
  auto* connection = static_cast<Connection*>(user);
  const auto want = [&](unsigned flag) {
    if (kernel->capable & flag) kernel->want |= flag;
  };
  const auto avoid = [&](unsigned flag) { kernel->want &= ~flag; };
  want(capability(FUSE_CAP_ASYNC_READ));
  want(capability(FUSE_CAP_PARALLEL_DIROPS));
  want(capability(FUSE_CAP_READDIRPLUS));
  avoid(capability(
      FUSE_CAP_READDIRPLUS_AUTO));  // attributes come with every listing: they cost the store nothing
  want(capability(FUSE_CAP_CACHE_SYMLINKS));
  want(capability(FUSE_CAP_EXPORT_SUPPORT));
  // Pages go when we say so. By itself the kernel would drop them whenever a writer's own changes of size and
  // time come back to it, and another reader could fetch what is just being written over.
  want(capability(FUSE_CAP_EXPLICIT_INVAL_DATA));
  avoid(capability(FUSE_CAP_AUTO_INVAL_DATA));
  want(capability(FUSE_CAP_NO_OPENDIR_SUPPORT));
  avoid(capability(FUSE_CAP_SPLICE_READ));  // its pipes belong to threads, and answers come from many
  avoid(capability(FUSE_CAP_ATOMIC_O_TRUNC));
  avoid(capability(FUSE_CAP_HANDLE_KILLPRIV));
  kernel->max_readahead = kReadAheadKib << 10;
  kernel->max_read = kLargestRead;
  kernel->max_write = kLargestWrite;
  kernel->max_background = 64;
  kernel->congestion_threshold = 48;
  connection->set_capable(kernel->capable);
  connection->set_initialised();
}

fuse_lowlevel_ops operations() {
  fuse_lowlevel_ops all{};
  all.init = init;
  add_attribute_operations(all);
  add_folder_operations(all);
  add_file_operations(all);
  add_xattr_operations(all);
  add_name_operations(all);
  add_write_operations(all);
  return all;
}

/// A value within libfuse's list of options.
std::string escape_option(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == ',' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

std::string mount_flags(const MountOptions& options, const Log& log) {
  std::string flags = fmt::format("fsname={},subtype=geogrid,default_permissions,max_read={}",
                                  escape_option(options.source), kLargestRead);
  if (options.read_only) flags += ",ro";
  if (::geteuid() == 0) flags += ",dev";  // device nodes work, as on a disk; only root can make any
  if (options.allow_other) {
    if (::geteuid() == 0 || users_may_allow_other())
      flags += ",allow_other";
    else
      log.warning(
          "allow_other is left out: an ordinary user may mount for others only if /etc/fuse.conf says "
          "user_allow_other");
  }
  return flags;
}

/// Unmounts this mount, unless somebody did and another one lies there now.
result<void> unmount_own(const std::string& mountpoint, unsigned device) {
  const auto mounted = find_mount(mountpoint);
  if (!mounted || mounted->minor != device) return {};
  return unmount(mountpoint, true);
}

}  // namespace

result<std::unique_ptr<FuseSession>> FuseSession::mount(asio::any_io_executor loop,
                                                        std::shared_ptr<UnionNamespace> names,
                                                        MountOptions options, Log log) {
  GG_TRY(std::string mountpoint, prepare_mountpoint(options.mountpoint, log));
  auto connection = std::make_shared<Connection>(loop, std::move(names), options.kernel);
  std::string program = "geogridd", option = "-o", flags = mount_flags(options, log);
  std::array<char*, 4> argv{program.data(), option.data(), flags.data(), nullptr};
  fuse_args arguments = FUSE_ARGS_INIT(3, argv.data());
  const fuse_lowlevel_ops ops = operations();
  fuse_session* session = fuse_session_new(&arguments, &ops, sizeof ops, connection.get());
  fuse_opt_free_args(&arguments);
  if (!session) return fail(errc::internal, "libfuse takes no session with '{}'", flags);
  connection->adopt(session);
  if (fuse_session_mount(session, mountpoint.c_str()) != 0)
    return fail(errc::unavailable,
                "FUSE cannot mount at {}: see the line above; is /dev/fuse there, and may this user mount?",
                printable(mountpoint));
  const int fd = fuse_session_fd(session);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  const auto mounted = find_mount(mountpoint);
  if (!mounted) return fail(errc::internal, "/proc/self/mountinfo does not show {}", printable(mountpoint));
  return std::unique_ptr<FuseSession>(
      new FuseSession(std::move(connection), std::move(mountpoint), mounted->minor, std::move(log)));
}

FuseSession::FuseSession(std::shared_ptr<Connection> connection, std::string mountpoint, unsigned device,
                         Log log)
    : connection_(std::move(connection)),
      mountpoint_(std::move(mountpoint)),
      device_(device),
      log_(std::move(log)),
      readable_(connection_->loop(), fuse_session_fd(connection_->session())),
      unmounting_(
          {.name = "unmount", .threads = 1, .queue_limit = 16, .join_timeout = std::chrono::seconds(2)}) {
  const std::weak_ptr<UnionNamespace> names = connection_->names().weak_from_this();
  invalidator_ = std::make_unique<Invalidator>(connection_, [names] {
    // The order came from the namespace, on the loop.
    if (const auto all = names.lock()) all->on_gap();
  });
  connection_->names().attach(*invalidator_);
  connection_->set_kernel(invalidator_.get());
}

FuseSession::~FuseSession() {
  if (!gone_)
    if (const auto unmounted = unmount_own(mountpoint_, device_); !unmounted)
      log_.error("{}", unmounted.error().message);
  connection_->names().detach(*invalidator_);
  connection_->set_kernel(nullptr);
  connection_->stop();
  readable_.release();
  connection_->cut();
  invalidator_.reset();
  std::free(buffer_.mem);
}

FuseSession::Batch FuseSession::receive_batch() {
  fuse_session* const session = connection_->session();
  for (int served = 0; served < kBatch; ++served) {
    if (!buffer_.mem) buffer_.mem = connection_->spare_buffer();
    const int got = fuse_session_receive_buf(session, &buffer_);
    if (got == -EAGAIN) return Batch::drained;
    if (got == -EINTR) continue;
    if (got <= 0) return Batch::ended;
    connection_->lend_buffer(&buffer_.mem);
    if (!connection_->is_initialised() && is_handshake(buffer_))
      connection_->set_takes_set_id_bits(answer_handshake(session, buffer_));
    else
      fuse_session_process_buf(session, &buffer_);
    connection_->lend_buffer(nullptr);
    if (fuse_session_exited(session)) return Batch::ended;
  }
  return Batch::full;
}

void FuseSession::initialised() {
  // Only now does the kernel know how far it may read ahead.
  set_read_ahead(mountpoint_, kReadAheadKib);
  read_ahead_set_ = true;
}

task<result<void>> FuseSession::run() {
  for (;;) {
    const Batch batch = receive_batch();
    if (batch == Batch::ended) break;
    if (!read_ahead_set_ && connection_->is_initialised()) initialised();
    if (batch == Batch::full) {
      co_await asio::post(asio::use_awaitable);
      continue;
    }
    boost::system::error_code error;
    co_await readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                                  asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return fail(errc::cancelled, "the mount is no longer served");
  }
  gone_ = true;
  log_.info("{} is unmounted", printable(mountpoint_));
  co_return result<void>();
}

task<result<void>> FuseSession::unmount() {
  // On a thread: the kernel may want answers from this loop before it lets go.
  auto work = [mountpoint = mountpoint_, device = device_] { return unmount_own(mountpoint, device); };
  if (gone_) co_return result<void>();
  co_return co_await offload(unmounting_, std::move(work));
}

task<void> FuseSession::end(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  constexpr std::chrono::milliseconds kStep{10};
  while (connection_->in_flight() > 0 && std::chrono::steady_clock::now() < until)
    if (const auto slept = co_await sleep_for(kStep); !slept) break;
  connection_->stop();
  readable_.release();
  connection_->cut();
  gone_ = true;
}

}  // namespace geogrid
