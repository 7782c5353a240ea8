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
#include "vfs/file_writer.hpp"
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
  /// What writing needs; none: everything that changes something answers EROFS.
  struct Writing {
    std::shared_ptr<const StorageClasses> classes;
    LeaseOwner owner;
    std::uint64_t min_free = 0;
  };
  std::optional<Writing> writing;
  std::size_t cached_files = 24 * 1024;
  std::size_t cached_folders = 8 * 1024;
};

/// A name's inode. Null: there is no such name.
struct Entry {
  InodeRef inode;
  bool lasting = true;   ///< may be remembered until the namespace says otherwise; else for a second
  bool removed = false;  ///< its name is gone, and somebody has it open
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

struct Created {
  Entry entry;
  Opened opened;
};

/// Who asks for a change.
struct Caller {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  KernelCache* kernel = nullptr;  ///< which knows of the change by itself
  bool set_id_bits = false;  ///< a change of bytes or owner takes set-id bits away here; else the kernel does
};

/// What is left of a mode after the caller changed the file's bytes: root keeps all of it.
std::uint32_t without_set_id_bits(std::uint32_t mode, const Caller& caller);

/// What chmod, chown, truncate and utimensat ask for.
struct AttributeRequest {
  AttributeChange change;
  std::optional<std::uint64_t> size;
  std::optional<HandleId> handle;  ///< through which it was asked for
};

/// Used on the loop. Errors, beside the store's: EACCES for the reserved name at the top. Who may do what is
/// the kernel's business (default_permissions).
class UnionNamespace : public ChangeListener,
                       public FileLocator,
                       public WriterHost,
                       public std::enable_shared_from_this<UnionNamespace> {
 public:
  /// `store` must outlive close().
  UnionNamespace(asio::any_io_executor loop, MetadataStore& store, std::vector<NodeVolume> volumes,
                 UnionOptions options, Log log);
  ~UnionNamespace() override;

  /// Reads the node registry; before the first operation.
  task<result<void>> start();
  /// Publishes what was written and not closed properly, and does what disks owe: before a clean end.
  task<void> finish(std::chrono::milliseconds most);
  /// Ends reading and probing; calls after it fail. After it, this object may outlive the loop: a thread of a
  /// volume that comes back late may be the last to hold it.
  void close();

  task<result<Entry>> lookup(InodeId parent, std::string name);
  task<result<Entry>> get(InodeId id);
  /// The record, if it is at hand; never asks the store.
  InodeRef cached(InodeId id) { return cache_.find(id); }
  std::optional<Entry> cached_entry(InodeId id) {
    InodeRef inode = cache_.find(id);
    if (!inode) return std::nullopt;
    return entry_of(std::move(inode), true);
  }
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

  // ---- names (union_names.cpp) ----
  task<result<Entry>> make_folder(InodeId parent, std::string name, std::uint32_t mode, Caller caller);
  /// A fifo, socket or device; an ordinary file too, empty.
  task<result<Entry>> make_special(InodeId parent, std::string name, FileType type, std::uint32_t mode,
                                   std::uint64_t rdev, Caller caller);
  task<result<Entry>> make_symlink(InodeId parent, std::string name, std::string target, Caller caller);
  task<result<void>> unlink(InodeId parent, std::string name, Caller caller);
  task<result<void>> remove_folder(InodeId parent, std::string name, Caller caller);
  task<result<void>> rename(InodeId parent, std::string name, InodeId new_parent, std::string new_name,
                            RenameMode mode, Caller caller);
  task<result<Entry>> set_attributes(InodeId id, AttributeRequest request, Caller caller);
  /// Errors: errc::invalid_argument if there is no such class.
  task<result<void>> set_class(InodeId id, std::string storage_class, Caller caller);
  task<result<void>> sync_folders();

  // ---- writing (union_writing.cpp) ----
  /// Errors: ESTALE if the name turned out to be taken, and O_EXCL was not asked for: look it up again.
  task<result<Created>> create(InodeId parent, std::string name, std::uint32_t mode, bool exclusive,
                               Caller caller);
  /// For writing, or for both.
  task<result<Opened>> open_for_writing(InodeId id, Caller caller);
  void write(HandleId handle, std::uint64_t offset, WriteBytes bytes, WriteDone done, Caller caller);
  task<result<void>> flush(HandleId handle);
  task<result<void>> sync(HandleId handle);
  task<result<void>> allocate(HandleId handle, int mode, std::uint64_t offset, std::uint64_t length);
  task<result<std::uint64_t>> seek(HandleId handle, std::uint64_t offset, int whence);
  /// copy_file_range(2); may copy less than asked for.
  task<result<std::size_t>> copy_range(HandleId from, std::uint64_t from_offset, HandleId to,
                                       std::uint64_t to_offset, std::size_t length);

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

  // ---- WriterHost ----
  task<result<Place>> place_of(InodeId file, bool fresh) override;
  InodeRef known(InodeId file) override { return cache_.find(file); }
  void read_published(InodeRef inode, std::uint64_t offset, std::size_t size, Draft::Read done) override;
  void was_published(const InodeRef& inode) override;
  void writer_idle(InodeId file) override;

 private:
  struct Handle {
    std::shared_ptr<Content> content;  // null: to be found at the next read
    InodeId file;
    bool outdated = false;               // a newer version was published since its first read
    InodeRef inode;                      // as of the open, or of this client's last publication
    std::shared_ptr<FileWriter> writer;  // of those for writing
    KernelCache* kernel = nullptr;       // through which those write
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
  Entry entry_of(InodeRef inode, bool lasting);
  Handle* handle_of(HandleId id);
  HandleId keep_handle(Handle handle);
  void read_through(Handle& handle, std::uint64_t offset, std::size_t size, ReadDone done);

  // ---- changing names ----
  task<result<Entry>> make(InodeId parent, std::string name, FileType type, std::uint32_t mode,
                           std::uint64_t rdev, std::string target, Caller caller);
  NodeSet reachable_nodes() const;
  /// Whether the class's copies at close could be had now.
  task<result<void>> check_copies(InodeRef inode);
  static bool changes_row(const AttributeChange& change);
  void take_set_id_bits(const Inode& inode, AttributeRequest& request, const Caller& caller);
  static task<void> take_bits_and_write(std::shared_ptr<UnionNamespace> self,
                                        std::shared_ptr<FileWriter> writer, InodeId id, std::uint64_t offset,
                                        WriteBytes bytes, WriteDone done, Caller caller);
  task<result<InodeRef>> record_or_open(InodeId id);
  result<void> check_writable(InodeId parent) const;
  Error refused(const Error& error);
  task<result<Attributes>> new_attributes(InodeId parent, std::uint32_t mode, bool folder, Caller caller);
  Entry made(const InodeRef& inode, std::uint64_t epoch, const Caller& caller);
  void name_changed_here(InodeId parent, const std::string& name, Timestamp now, bool folder,
                         const Caller& caller);
  task<void> removed_here(Inode inode, InodeId folder, std::string name, Caller caller);
  static task<void> hold_open(std::shared_ptr<UnionNamespace> self, InodeRef gone, InodeId folder,
                              std::string name);
  void tell_others(const Caller& caller, void (KernelCache::*what)(InodeId), InodeId inode);
  task<void> carry_out(std::vector<Intent> intents, NodeSet at_once);
  static task<void> carry_out_on(std::shared_ptr<IntentRunner> runner, NodeIndex node,
                                 std::vector<Intent> intents, std::shared_ptr<Notifier> ended,
                                 std::shared_ptr<int> left);
  task<result<Entry>> change_removed(InodeId id, AttributeRequest request);
  void change_on_nodes(const InodeRef& inode);
  static task<void> run_change_on_nodes(std::shared_ptr<UnionNamespace> self, InodeRef inode);

  // ---- writing ----
  task<result<void>> start_writing();
  void close_writing();
  std::shared_ptr<FileWriter> writer_of(const InodeRef& inode, bool created);
  FileWriter* find_writer(InodeId id);
  static task<void> keep_leases(std::shared_ptr<UnionNamespace> self);

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
  std::shared_ptr<WriterContext> writing_;  // null: nothing can be changed
  std::unordered_map<InodeId, std::shared_ptr<FileWriter>> writers_;
  std::size_t changes_on_nodes_ = 0;  // under way
  std::optional<asio::steady_timer> lease_timer_;
  std::chrono::steady_clock::time_point complained_{};
  bool closed_ = false;
};

}  // namespace geogrid
