#pragma once
// One FUSE mount: mounted, served on the loop, unmounted.

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <string>

#include "async/blocking_pool.hpp"
#include "fuse/connection.hpp"
#include "fuse/invalidator.hpp"

namespace geogrid {

struct MountOptions {
  std::string mountpoint;
  bool allow_other = true;
  bool read_only = false;
  std::string source = "geogrid";  ///< what df and mount(8) show
  Connection::Options kernel;
};

/// Used on the loop.
class FuseSession {
 public:
  /// Mounts, blocking; requests wait until run(). Errors: see prepare_mountpoint(); errc::unavailable if FUSE
  /// refuses.
  static result<std::unique_ptr<FuseSession>> mount(asio::any_io_executor loop,
                                                    std::shared_ptr<UnionNamespace> names,
                                                    MountOptions options, Log log);
  /// Unmounts, if that was not done, and ends the connection.
  ~FuseSession();
  FuseSession(const FuseSession&) = delete;
  FuseSession& operator=(const FuseSession&) = delete;

  /// Serves until somebody unmounts: unmount(), umount(8), fusermount3 -u.
  task<result<void>> run();
  /// Unmounts, lazily where it is in use: what is open goes on being served until run() is cancelled or end()
  /// called.
  task<result<void>> unmount();
  /// Waits for the answers under way, at most `most`, then ends the connection: who still has files open gets
  /// errors.
  task<void> end(std::chrono::milliseconds most);

  const std::string& mountpoint() const { return mountpoint_; }

 private:
  FuseSession(std::shared_ptr<Connection> connection, std::string mountpoint, unsigned device, Log log);
  enum class Batch { drained, full, ended };
  Batch receive_batch();
  void initialised();

  std::shared_ptr<Connection> connection_;
  std::string mountpoint_;
  unsigned device_;  // the mount's minor device number: tells it from another at the same place
  Log log_;
  asio::posix::stream_descriptor readable_;
  fuse_buf buffer_{};
  std::unique_ptr<Invalidator> invalidator_;
  BlockingPool unmounting_;
  bool gone_ = false;  // the kernel says that it is unmounted
  bool read_ahead_set_ = false;
};

}  // namespace geogrid
