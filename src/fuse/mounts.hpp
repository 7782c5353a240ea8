#pragma once
// All mounts of one process over one union namespace.

#include <memory>
#include <vector>

#include "async/notifier.hpp"
#include "fuse/session.hpp"

namespace geogrid {

struct MountsOptions {
  UnionOptions names;
  std::vector<MountOptions> mounts;
};

/// Used on the loop. `store` and `feed` must outlive it, and feed.run() must be under way before start():
/// what the kernel remembers is right only as long as somebody takes it back.
class Mounts {
 public:
  /// Mounts all of them, or none. Errors: those of FuseSession::mount(), of the store.
  static task<result<std::unique_ptr<Mounts>>> start(MetadataStore& store, ChangeFeed& feed,
                                                     std::vector<NodeVolume> volumes, MountsOptions options,
                                                     Log log);
  /// Ends what run() did not: lazily, at once.
  ~Mounts();
  Mounts(const Mounts&) = delete;
  Mounts& operator=(const Mounts&) = delete;

  /// Serves until all are unmounted from outside, or `stop`: then unmounts, lets what is under way come to
  /// its end (at most `kGrace`) and cuts off who still has files open.
  task<result<void>> run(std::shared_ptr<StopSignal> stop);
  static constexpr std::chrono::seconds kGrace{5};

  UnionNamespace& names() { return *names_; }

 private:
  Mounts(ChangeFeed& feed, std::shared_ptr<UnionNamespace> names, Log log);
  task<void> unmount_all();

  ChangeFeed& feed_;
  Log log_;
  std::shared_ptr<UnionNamespace> names_;
  std::vector<std::unique_ptr<FuseSession>> sessions_;
  struct Served {
    std::size_t count = 0;
    Notifier changed;
  };
  std::shared_ptr<Served> served_ = std::make_shared<Served>();  // outlives this in what ends last
};

}  // namespace geogrid
