#pragma once
// What a local volume and the files it handed out share: the disk and the threads that may block on it.

#include <memory>
#include <string>

#include "async/blocking_pool.hpp"
#include "volume/local_disk.hpp"

namespace geogrid {

/// Pools of their own, so that none waits behind another: a reader not behind a digest of gigabytes, the
/// heartbeat not behind either. A disk that hangs blocks all of these threads, and no others. Threads start
/// when first needed.
struct LocalCore {
  LocalCore(std::shared_ptr<Env> env, std::string root, VolumeMarker expected, unsigned threads);

  LocalDisk disk;
  BlockingPool
      watch;  ///< probe() and locks: one thread, so that a lock given back is free for the next lock()
  BlockingPool reads;   ///< what somebody waits for: stat, list, open, read
  BlockingPool writes;  ///< what a client's write waits for: drafts, their places, changes of names
  BlockingPool work;    ///< digests and changes that nobody waits for
  BlockingPool syncs;   ///< what takes long though somebody waits: fsync(2), publication, drafts that begin
                        ///< with a copy, digests of drafts
};

/// fsync(2) calls at one time. The journal commits those that wait together: on an SSD with ext4, one after
/// the other made 2,700 small files a second power-safe, 16 at once 8,700, more threads no more.
inline constexpr unsigned kParallelSyncs = 16;

}  // namespace geogrid
