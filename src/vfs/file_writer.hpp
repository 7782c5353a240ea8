#pragma once
// A file that is being written by this client: its bytes are private until a close publishes them.

#include <atomic>
#include <deque>
#include <memory>
#include <optional>

#include "async/semaphore.hpp"
#include "intents/intent_runner.hpp"
#include "policy/storage_class.hpp"
#include "vfs/digest_stream.hpp"
#include "vfs/draft_set.hpp"
#include "vfs/inode_cache.hpp"
#include "vfs/settler.hpp"
#include "vfs/write_nodes.hpp"

namespace geogrid {

/// What writers ask of the namespace they belong to. On the loop.
class WriterHost {
 public:
  struct Place {
    InodeRef inode;  ///< with its replicas
    Path path;
  };
  virtual ~WriterHost() = default;
  /// `fresh`: from the store, past every cache.
  virtual task<result<Place>> place_of(InodeId file, bool fresh) = 0;
  /// The record, if it is at hand.
  virtual InodeRef known(InodeId file) = 0;
  /// Bytes of the version that is published, from any replica.
  virtual void read_published(InodeRef inode, std::uint64_t offset, std::size_t size, Draft::Read done) = 0;
  /// This client published the file: readers take its bytes from the replicas from now on.
  virtual void was_published(const InodeRef& inode) = 0;
  /// The writer needs no longer be kept.
  virtual void writer_idle(InodeId file) = 0;
};

/// What the writers of one client share. `store` must outlive them.
struct WriterContext {
  std::shared_ptr<ReplicaAccess> access;
  MetadataStore* store = nullptr;
  std::shared_ptr<const StorageClasses> classes;
  std::shared_ptr<WriteNodes> nodes;
  std::shared_ptr<IntentRunner> intents;
  std::shared_ptr<Settler> settler;
  std::weak_ptr<WriterHost> host;
  LeaseOwner owner;
  Log log;
  std::uint64_t drafts = 0;  ///< made so far: numbers their names
};

/// One for all descriptors of a file in this client. Nothing is on disk before the first change; then the
/// bytes are in drafts, on as many nodes as the class wants copies at close, and every reader of this client
/// gets them from there. flush() publishes them; the next change begins new drafts. Used on the loop.
class FileWriter : public std::enable_shared_from_this<FileWriter> {
 public:
  static constexpr std::chrono::seconds kLease{60};

  /// `created`: the row is pending, under this client's lease, and to be published even if it stays empty.
  FileWriter(std::shared_ptr<WriterContext> context, InodeRef inode, bool created);

  void write(std::uint64_t offset, WriteBytes bytes, WriteDone done);
  task<result<void>> truncate(std::uint64_t size);
  /// fallocate(2). EOPNOTSUPP where the node cannot.
  task<result<void>> allocate(int mode, std::uint64_t offset, std::uint64_t length);
  /// At close of a descriptor: what changed is published. Errors mean that it may not be: the bytes are kept.
  task<result<void>> flush();
  /// fsync(2).
  task<result<void>> sync();

  /// Whether bytes must be read from here.
  bool has_draft() const { return drafts_ != nullptr; }
  void read(std::uint64_t offset, std::size_t size, Draft::Read done);
  task<result<std::uint64_t>> seek(std::uint64_t offset, int whence);

  /// Whether something is not published yet.
  bool changed() const { return changes_ != published_changes_; }
  /// The record as readers of this client must see it.
  InodeRef overlay(const InodeRef& record) const;
  /// utimensat(2) set it; holds until the next write.
  void set_mtime(Timestamp mtime);
  /// Its name is gone: nothing is published any more, what is open goes on.
  void removed();
  bool is_removed() const { return removed_; }

  /// Descriptors.
  void opened() { ++descriptors_; }
  int descriptors() const { return descriptors_; }
  void closed();
  /// Whatever of it is not published is left to salvage.
  void keep_drafts() {
    if (drafts_) drafts_->keep();
  }
  bool idle() const { return descriptors_ == 0 && busy_ == 0; }

 private:
  struct Write {
    std::uint64_t offset;
    WriteBytes bytes;
    WriteDone done;
    std::uint64_t size_before;
  };
  // Writes on their way, counted where threads of volumes can: they end there.
  struct Flight;
  // Holds the file for an operation that must be alone: writes wait, those under way have ended.
  class Alone;
  friend class Alone;

  void begin_change();
  void touch();
  void issue(Write write);
  void answer_ahead(Write& write);
  bool is_ahead();
  static task<void> wait_until_landed(std::shared_ptr<FileWriter> self);
  static task<void> run_read(std::shared_ptr<FileWriter> self, std::uint64_t offset, std::size_t size,
                             Draft::Read done);
  void issue_waiting();
  static task<void> run_waiting(std::shared_ptr<FileWriter> self);
  static task<void> run_failed(std::shared_ptr<FileWriter> self, Write write, std::vector<LostCopy> lost);
  task<result<void>> repair(const Write& write, std::vector<LostCopy> lost);
  static task<void> run_last_close(std::shared_ptr<FileWriter> self);
  void fail_for_good(const Error& error);
  void let_go();

  // ---- drafts (file_writer_drafts.cpp) ----
  struct Extent {
    std::uint64_t offset = 0;
    std::uint64_t end = 0;
  };
  /// `over`: what the change at hand replaces; all of the file where it covers that.
  task<result<void>> ensure_drafts(std::optional<Extent> over);
  struct Start {
    WriterHost::Place place;
    bool empty = false;  ///< nothing of the published bytes is needed
  };
  task<result<std::shared_ptr<DraftSet>>> start_drafts(Start start, std::vector<NodeIndex> nodes);
  task<result<DraftSet::Copy>> start_draft(Start start, NodeIndex node);
  task<result<void>> fill_from_published(std::shared_ptr<Draft> draft, InodeRef inode);
  task<result<void>> fill_from_drafts(std::shared_ptr<Draft> draft, std::shared_ptr<DraftSet> from);
  task<result<void>> replace_lost(std::vector<LostCopy> lost);
  task<result<void>> do_without(std::vector<LostCopy> lost, bool others_left);
  std::size_t copies_wanted() const;

  // ---- publication (file_writer_publish.cpp) ----
  enum class Attempt { published, vanished, again };
  struct Target {
    Attempt attempt = Attempt::published;  ///< what came of asking; published: go on
    WriterHost::Place place;
    NodeSet replaces;  ///< nodes where an older version lies at the path
  };
  task<result<void>> publish(bool power_safe);
  task<result<Attempt>> attempt_publication(bool power_safe, bool first);
  task<result<Target>> ask_where(bool first);
  task<void> give_up_publication(Error why);
  task<void> take_back();
  task<result<Digest>> digest();
  task<result<Attempt>> place_drafts(Target target, bool power_safe);
  task<result<Attempt>> record(Path path, bool durable, std::uint64_t change);
  void recorded(Published published, Path path, std::uint64_t change, bool durable);
  static task<void> hash_later(std::shared_ptr<FileWriter> self, std::shared_ptr<DraftSet> drafts,
                               CopyClaim claim);

  const std::shared_ptr<WriterContext> context_;
  const InodeId id_;
  InodeRef base_;                   // the version that the bytes started from
  bool created_;                    // never published, and the lease is ours
  std::uint64_t size_;              // as readers see it, with writes that still wait
  std::uint64_t drafted_size_ = 0;  // of the drafts
  Timestamp mtime_;
  Timestamp ctime_;
  std::uint64_t changes_ = 0;
  std::uint64_t published_changes_ = 0;
  std::shared_ptr<DraftSet> drafts_;
  std::shared_ptr<DraftSet> placed_;  // of the last publication: what fsync(2) makes power-safe
  Path placed_at_;
  std::shared_ptr<DigestStream> stream_ = std::make_shared<DigestStream>();
  NodeSet refused_;  // nodes that failed this writer

  std::shared_ptr<Flight> flight_;
  Notifier landed_;
  Semaphore alone_{1};
  int waiting_for_alone_ = 0;
  Semaphore recovery_{1};
  int recovering_ = 0;  // failed writes that are being repaired
  std::deque<Write> waiting_;
  bool running_waiting_ = false;
  std::optional<Error> failed_;      // bytes were lost
  std::optional<Error> late_error_;  // of a write that was answered ahead: told at close
  bool ahead_ = false;               // such a write may still be under way
  bool copy_lost_ = false;           // fewer copies than the class wants at close
  bool removed_ = false;
  int descriptors_ = 0;
  int busy_ = 0;
};

}  // namespace geogrid
