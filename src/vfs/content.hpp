#pragma once
// The bytes of one version of one file, from whichever of its replicas gives them.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "async/notifier.hpp"
#include "vfs/inode_cache.hpp"
#include "vfs/replica_access.hpp"
#include "vfs/watchlist.hpp"

namespace geogrid {

/// Called once, on any thread; the bytes are valid during the call. Short only at the end of the file.
using ReadDone = std::function<void(result<std::span<const std::byte>>)>;

/// Where a file lies: what Content asks the namespace before the first byte, and again when every replica
/// failed.
struct FileLocation {
  InodeRef inode;
  Path path;
  NodeSet serving;  ///< nodes that metadata lets serve
};
class FileLocator {
 public:
  virtual ~FileLocator() = default;
  /// `fresh`: from the store, past every cache.
  virtual task<result<FileLocation>> locate(InodeId file, bool fresh) = 0;
  /// The node's copy does not have the digest of the version. On the loop.
  virtual void found_damaged(NodeIndex node, const Inode& file, const Path& path) = 0;
};

class ReadJob;

/// Opens replicas as they are needed, the best first, at the first read. A replica that errors, is gone, has
/// another size than metadata says or is late is abandoned for the next, in mid-file too; of a late one and
/// the next the first good answer wins. Once bytes were given, the content stays at their version. Used on
/// the loop; lives as long as its reads.
class Content : public std::enable_shared_from_this<Content> {
 public:
  Content(std::shared_ptr<ReplicaAccess> access, std::weak_ptr<FileLocator> locator, InodeRef inode);

  /// Opens the best replica, in the background: a reader's first bytes may come from the kernel's pages, and
  /// the rest must then be of the same version.
  void prepare();
  /// Opens all replicas, in the background: the file's name went, and `last` is where it was.
  void hold(FileLocation last);
  /// Whether what hold() or prepare() began is still under way; waited for, at most so long.
  task<void> wait_until_open(std::chrono::milliseconds most);
  void read(std::uint64_t offset, std::size_t size, ReadDone done);
  /// The version that is read; before the first read, that of the open.
  const InodeRef& inode() const { return inode_; }
  /// Whether reading began, so that the version may be fixed.
  bool started() const { return phase_ != Phase::untouched; }
  /// Whether bytes that were given proved to be wrong: every further read fails.
  bool spoilt() const { return spoilt_; }
  /// Whether the whole file is in memory.
  bool holds_bytes() const;
  /// The node that gave the last bytes.
  std::optional<NodeIndex> served_by() const;

 private:
  friend class ReadJob;
  enum class Phase { untouched, locating, ready };
  struct Source;
  using Job = std::shared_ptr<ReadJob>;
  using SourceRef = std::shared_ptr<Source>;

  void locate(bool fresh, std::chrono::milliseconds pause = {});
  void open_all();
  static task<void> run_locate(std::shared_ptr<Content> self, bool fresh, std::chrono::milliseconds pause);
  result<void> located(result<FileLocation> location);
  void advance(const Job& job);
  void start_opening(const SourceRef& source);
  void issue(const Job& job, const SourceRef& source);
  static task<void> open(std::shared_ptr<Content> self, SourceRef source);
  static task<result<void>> open_source(Content& self, Source& source);
  static task<result<void>> read_checked(Content& self, Source& source);
  void attempt_failed(const Job& job, const SourceRef& source, const Error& error);
  void attempt_late(const SourceRef& source);
  void abandon(const SourceRef& source);
  void give_up(const Job& job);
  void damaged(const SourceRef& source);

  std::shared_ptr<ReplicaAccess> access_;
  std::weak_ptr<FileLocator> locator_;
  InodeRef inode_;
  Path path_;
  Phase phase_ = Phase::untouched;
  bool moving_ = false;             // no copy is where it should be: nodes follow what was changed
  std::vector<SourceRef> sources_;  // the best first
  std::size_t current_ = 0;         // in sources_: where reads begin
  std::vector<Job> waiting_;        // for locate()
  Notifier opened_;
  std::optional<FileLocation> last_;  // of a file whose name is gone
  std::atomic<bool> given_{false};    // bytes were handed out
  std::atomic<bool> spoilt_{false};
  std::atomic<int> served_by_{-1};
};

}  // namespace geogrid
