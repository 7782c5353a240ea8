#include "volume/local_core.hpp"

#include <algorithm>

namespace geogrid {
namespace {

BlockingPool::Options pool(const std::string& node, const char* purpose, unsigned threads) {
  // The kernel keeps 15 characters of a thread's name.
  return {.name = fmt::format("{}:{}", purpose, node), .threads = std::max(threads, 1U)};
}

}  // namespace

LocalCore::LocalCore(std::shared_ptr<Env> env, std::string root, VolumeMarker expected, unsigned threads)
    : disk(std::move(env), std::move(root), std::move(expected)),
      watch(pool(disk.marker().node, "watch", 1)),
      reads(pool(disk.marker().node, "read", threads)),
      writes(pool(disk.marker().node, "write", threads)),
      work(pool(disk.marker().node, "work", threads)),
      syncs(pool(disk.marker().node, "sync", kParallelSyncs)) {}

}  // namespace geogrid
