#pragma once
// One mount's connection to the kernel, and the requests that come through it.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "fuse/fuse_api.hpp"
#include "fuse/write_buffer.hpp"
#include "vfs/union_namespace.hpp"
#include "vfs/watchlist.hpp"

namespace geogrid {

class Request;
using RequestRef = std::shared_ptr<Request>;

/// Shared by all requests in flight, so that libfuse's session outlives the last of them: a volume's thread
/// may answer long after the mount is gone.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Options {
    std::chrono::seconds lasting{
        86400};                     ///< how long the kernel may remember what the change feed would take back
    std::chrono::seconds brief{1};  ///< and what nobody would
  };
  Connection(asio::any_io_executor loop, std::shared_ptr<UnionNamespace> names, Options options);
  ~Connection();

  UnionNamespace& names() const { return *names_; }
  const Options& options() const { return options_; }
  const asio::any_io_executor& loop() const { return loop_; }
  fuse_session* session() const { return session_; }
  void adopt(fuse_session* session) { session_ = session; }
  double timeout(bool lasting) const {
    return static_cast<double>((lasting ? options_.lasting : options_.brief).count());
  }
  /// What the kernel said it can (FUSE_CAP_…); known after its first request.
  unsigned capable() const { return capable_; }
  void set_capable(unsigned capable) { capable_ = capable; }
  bool is_initialised() const { return initialised_; }
  void set_initialised() { initialised_ = true; }

  /// What this mount's kernel remembers; null until the mount is ready.
  KernelCache* kernel() const { return kernel_; }
  void set_kernel(KernelCache* kernel) { kernel_ = kernel; }

  // ---- the buffer of the request that is being dispatched; on the loop ----
  void* spare_buffer() { return buffers_->take(); }
  void lend_buffer(void** buffer) { lent_ = buffer; }
  /// Keeps the memory that the request's bytes lie in. REQUIRES: called once, within a callback of libfuse.
  std::shared_ptr<const void> take_buffer() { return buffers_->own(std::exchange(*lent_, nullptr)); }

  /// Whether it is up to us to take set-id bits from files that are written or given away.
  bool takes_set_id_bits() const { return takes_set_id_bits_; }
  void set_takes_set_id_bits(bool takes) { takes_set_id_bits_ = takes; }

  /// Requests that nobody answered yet.
  int in_flight() const { return in_flight_; }
  /// Answers the request with EIO if it takes too long. On the loop.
  void watch(const RequestRef& request);
  /// Ends the connection for the kernel, so that whoever waits for an answer gets ECONNABORTED, and answers
  /// that come later go nowhere. Thread-safe.
  void cut();
  /// No more watching. On the loop.
  void stop() { slow_.stop(); }

 private:
  friend class Request;
  asio::any_io_executor loop_;
  std::shared_ptr<UnionNamespace> names_;
  Options options_;
  fuse_session* session_ = nullptr;
  Watchlist slow_;
  KernelCache* kernel_ = nullptr;
  const std::shared_ptr<BufferPool> buffers_ = std::make_shared<BufferPool>();
  void** lent_ = nullptr;
  unsigned capable_ = 0;
  bool initialised_ = false;
  bool takes_set_id_bits_ = false;
  std::atomic<int> in_flight_{0};
};

/// One request, answered exactly once, from any thread; what nobody answers is answered with EIO when it
/// dies. The kernel's buffer with names in it is gone when the operation's callback returns.
class Request : public Watched {
 public:
  /// In a callback of libfuse.
  static RequestRef take(fuse_req_t request);
  Request(fuse_req_t request, std::shared_ptr<Connection> connection);
  ~Request() override;

  Connection& connection() const { return *connection_; }
  UnionNamespace& names() const { return connection_->names(); }
  /// Who asks. In a callback of libfuse.
  Caller caller() const;

  void error(int error_number);
  void error(const Error& error);
  /// Of what the kernel names by its number. One that is not there any more is stale, not missing: another
  /// file may have its name by now (a rename over it), and the kernel looks the path up again.
  void error_of_node(const Error& error);
  void ok() { error(0); }
  void entry(const Entry& entry);
  void attributes(const Entry& entry);
  void link(const std::string& target);
  void opened(const fuse_file_info& info);
  void created(const Entry& entry, const fuse_file_info& info);
  void written(std::size_t size);
  void offset(std::uint64_t offset);
  void bytes(const void* data, std::size_t size);
  /// An extended attribute, or their list: the value, its length if `room` is 0, or ERANGE.
  void xattr(const std::string& value, std::size_t room);
  void space(const struct statvfs& space);

  bool done() const override { return answered_.load(std::memory_order_acquire); }
  void late() override { error(EIO); }

 private:
  bool claim() { return !answered_.exchange(true, std::memory_order_acq_rel); }
  void sent(int outcome);

  fuse_req_t request_;
  std::shared_ptr<Connection> connection_;
  std::atomic<bool> answered_{false};
};

/// Runs the coroutine, which answers the request, here and now as far as it does not wait for anything.
void run_request(const RequestRef& request, task<void> work);

/// The same for what changes something: it may take as long as disks need, since nobody can tell whether an
/// unanswered change was made.
void run_change(const RequestRef& request, task<void> work);

/// The record as stat(2) shows it.
struct stat to_stat(const Inode& inode);
fuse_entry_param to_entry(const Connection& connection, const Entry& entry);

}  // namespace geogrid
