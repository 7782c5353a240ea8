#pragma once
// One tree over all nodes: names and attributes from metadata, bytes from the best replica. What a mount's
// operations mean, without the kernel's interface.

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "meta/change_feed.hpp"
#include "meta/metadata_store.hpp"
#include "vfs/content.hpp"
#include "vfs/idle_contents.hpp"
#include "vfs/inode_cache.hpp"
#include "vfs/kernel_cache.hpp"
#include "vfs/listing_cache.hpp"
#include "vfs/node_view.hpp"
#include "vfs/replica_access.hpp"
#include "vfs/unregistered.hpp"

namespace geogrid {

struct UnionOptions {
  ReadPreferences preferences;
  std::chrono::milliseconds deadline{
      2000};  ///< after which the next replica is tried, and metadata counts as away
  ShowUnknown show_unregistered = ShowUnknown::automatic;
  bool verify_reads = false;
  NodeSet same_machine;
  std::size_t copies = 2;  ///< of the default class: what statfs reckons with
  std::size_t cached_files = 24 * 1024;
  std::size_t cached_folders = 8 * 1024;
};

/// A name's inode. Null: there is no such name.
struct Entry {
  InodeRef inode;
  bool lasting = true;  ///< may be remembered until the namespace says otherwise; else for a second
};
struct Listing {
  std::vector<Entry> entries;
  bool end = false;
};
using HandleId = StrongId<struct HandleTag, std::uint64_t>;
struct Opened {
  HandleId handle;
  bool keep_cache = true;  ///< pages that the kernel has of this file are right
  bool shared_cache =
      true;  ///< false: the kernel must not use its pages: a reader of an older version fills them
};

/// Used on the loop. Errors, beside the store's: EACCES for the reserved name at the top.
class UnionNamespace : public ChangeListener,
                       public FileLocator,
                       public std::enable_shared_from_this<UnionNamespace> {
 public:
  /// `store` must outlive close().
  UnionNamespace(asio::any_io_executor loop, MetadataStore& store, std::vector<NodeVolume> volumes,
                 UnionOptions options, Log log);
  ~UnionNamespace() override;

  /// Reads the node registry; before the first operation.
  task<result<void>> start();
  /// Ends reading and probing; calls after it fail. After it, this object may outlive the loop: a thread of a
  /// volume that comes back late may be the last to hold it.
  void close();

  task<result<Entry>> lookup(InodeId parent, std::string name);
  task<result<Entry>> get(InodeId id);
  /// The record, if it is at hand; never asks the store.
  InodeRef cached(InodeId id) { return cache_.find(id); }
  /// Entries after the one with id `after` (0: from the start), at most `limit`, in an order that no change
  /// upsets.
  task<result<Listing>> list(InodeId folder, InodeId after, std::size_t limit);
  task<result<std::string>> xattr(InodeId id, std::string name);
  task<result<Space>> space();

  /// For reading. Errors: errc::is_a_folder.
  task<result<Opened>> open(InodeId id);
  result<Opened> open(const InodeRef& inode);
  /// To be called once the kernel has its answer to the open: the best replica is opened in the background.
  void prepare(HandleId handle);
  void read(HandleId handle, std::uint64_t offset, std::size_t size, ReadDone done);
  void release(HandleId handle);

  /// Mounts' kernels, which hear of every change. Detach before the cache dies.
  void attach(KernelCache& kernel);
  void detach(KernelCache& kernel);

  ReadCounters& counters() { return access_->counters(); }
  const NodeView& nodes() const { return nodes_; }
  std::chrono::milliseconds deadline() const { return options_.deadline; }

  // ---- ChangeListener ----
  void on_changes(std::span<const Change> changes) override;
  void on_gap() override;

  // ---- FileLocator ----
  task<result<FileLocation>> locate(InodeId file, bool fresh) override;
  void found_damaged(NodeIndex node, const Inode& file, const Path& path) override;

 private:
  struct Handle {
    std::shared_ptr<Content> content;
    InodeId file;
    bool outdated = false;  // a newer version was published since its first read
  };

  // Copies that this client read with another digest than recorded: read last from now on.
  struct DamagedCopies {
    Version version;
    NodeSet nodes;
  };

  task<result<InodeRef>> record(InodeId id);
  FileLocation located(InodeRef inode, Path path);
  task<result<Path>> path_of(InodeRef inode);
  task<result<ListingRest>> read_listing(InodeId folder, InodeId after, std::size_t limit);
  Listing keep_rest(InodeId folder, InodeId after, Listing listing, ListingRest rest,
                    std::chrono::steady_clock::time_point now);
  std::shared_ptr<Content> content_of(const InodeRef& inode, bool& outdated_readers);
  static task<void> report(std::shared_ptr<UnionNamespace> self, Finding finding);

  // ---- changes ----
  void apply(const Change& change);
  void entry_changed(InodeId parent, const std::string& name);
  void content_changed(InodeId file);
  void forget_everything(const std::vector<std::string>& top);
  static task<void> forget_top(std::shared_ptr<UnionNamespace> self);
  void nodes_changed();
  static task<void> refresh_nodes(std::shared_ptr<UnionNamespace> self);
  void tell(void (KernelCache::*what)(InodeId), InodeId inode);

  // ---- names that metadata does not know ----
  bool shows_unknown() const;
  std::vector<NodeVolume> volumes_to_look_at() const;
  task<result<Path>> folder_path(InodeId folder);
  task<result<Entry>> lookup_unknown(InodeId parent, std::string name);
  task<result<std::set<std::string>>> registered_names(InodeId folder);
  task<result<ListingRest>> list_unknown(InodeId folder, InodeId after);
  void forget_folder_soon(InodeId folder);

  asio::any_io_executor loop_;
  MetadataStore& store_;
  UnionOptions options_;
  Log log_;
  std::shared_ptr<ReplicaAccess> access_;
  InodeCache cache_;
  ListingCache listings_;
  Unregistered unregistered_;
  std::vector<InodeId> folders_to_forget_;
  std::optional<asio::steady_timer> forgetting_{loop_};  // none: closed
  NodeView nodes_;
  bool refreshing_nodes_ = false;
  bool nodes_changed_again_ = false;
  std::optional<Space> space_;
  std::chrono::steady_clock::time_point space_read_{};
  IdleContents idle_{loop_};
  Lru<InodeId, NodeIndex> served_by_;
  Lru<InodeId, DamagedCopies> damaged_;
  std::vector<KernelCache*> kernels_;
  std::unordered_map<std::uint64_t, Handle> handles_;
  std::unordered_multimap<InodeId, std::uint64_t> open_files_;  // inode → handles
  std::uint64_t last_handle_ = 0;
  bool closed_ = false;
};

}  // namespace geogrid
