#pragma once
// Which nodes a client's new bytes go to.

#include <chrono>
#include <memory>
#include <vector>

#include "meta/metadata_store.hpp"
#include "policy/placement.hpp"
#include "vfs/lru.hpp"
#include "vfs/replica_access.hpp"

namespace geogrid {

/// Used on the loop. `store` must outlive the calls.
class WriteNodes : public std::enable_shared_from_this<WriteNodes> {
 public:
  struct Wish {
    std::size_t copies = 1;
    std::uint64_t bytes = 0;  ///< as far as known
    NodeSet holders;          ///< of the present version: taken first
    NodeSet refused;          ///< that failed already
    InodeId folder;           ///< whose files are kept together
  };

  WriteNodes(MetadataStore& store, std::shared_ptr<ReplicaAccess> access, std::uint64_t min_free)
      : store_(store), access_(std::move(access)), min_free_(min_free), last_used_(kFolders) {}

  /// As many different nodes as wished. Errors: ENOSPC where nodes are within reach but too few have room;
  /// errc::unavailable where too few are within reach.
  task<result<std::vector<NodeIndex>>> choose(Wish wish);
  /// What the registry says is to be read again before the next choice.
  void nodes_changed() { read_at_ = {}; }

 private:
  static constexpr std::chrono::seconds kKept{2};
  /// Before nodes are said to be lacking, what is known of them is made this new.
  static constexpr std::chrono::milliseconds kKeptForNo{20};
  static constexpr std::size_t kFolders = 4096;

  task<result<void>> refresh();
  static task<void> refresh_behind(std::shared_ptr<WriteNodes> self);
  std::vector<PlacementNode> candidates(NodeSet refused) const;
  result<std::vector<NodeIndex>> choose_known(const Wish& wish);

  MetadataStore& store_;
  const std::shared_ptr<ReplicaAccess> access_;
  const std::uint64_t min_free_;
  std::vector<NodeRecord> nodes_;
  std::chrono::steady_clock::time_point read_at_{};
  bool refreshing_ = false;
  Lru<InodeId, NodeSet> last_used_;
};

}  // namespace geogrid
