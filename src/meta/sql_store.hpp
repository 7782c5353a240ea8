#pragma once
// The one implementation of MetadataStore: all rules, over any SqlDriver. Its members are spread over
// sql_store_*.cpp, a file a family of rules.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "meta/metadata_store.hpp"
#include "meta/sql_tx.hpp"

namespace geogrid {

class SqlStore final : public MetadataStore {
 public:
  SqlStore(std::unique_ptr<SqlDriver> driver, std::shared_ptr<const StoreContext> context,
           ClusterInfo cluster);
  ~SqlStore() override;

  Origin origin() const override { return context_->origin; }
  void close() override;

  // ---- NamespaceStore ----
  task<result<Inode>> get(InodeId id) override;
  task<result<std::optional<Inode>>> lookup(InodeId parent, std::string name) override;
  task<result<std::vector<Inode>>> list(InodeId parent, InodeId after, std::size_t limit) override;
  task<result<Inode>> resolve(Path path) override;
  task<result<Path>> path_of(InodeId id) override;
  task<result<Inode>> make_node(NewNode node) override;
  task<result<CreatedFile>> create_file(NewFile file) override;
  task<result<void>> renew_leases(LeaseOwner owner, std::chrono::seconds lease) override;
  task<result<bool>> is_alive(LeaseOwner owner) override;
  task<result<void>> end_owner(LeaseOwner owner) override;
  task<result<void>> abandon(InodeId id, LeaseOwner owner) override;
  task<result<std::vector<Inode>>> expire_leases(std::size_t limit) override;
  task<result<PublicationPlace>> begin_publication(InodeId id, LeaseOwner owner, NodeSet nodes,
                                                   std::chrono::seconds lease) override;
  task<result<Published>> publish(Publication publication, bool durable) override;
  task<result<void>> cancel_publication(InodeId id, LeaseOwner owner, NodeSet nodes,
                                        Version version) override;
  task<result<Inode>> set_attributes(InodeId id, AttributeChange change) override;
  task<result<Removed>> unlink(InodeId parent, std::string name, Timestamp now, LeaseOwner by) override;
  task<result<Removed>> remove_folder(InodeId parent, std::string name, Timestamp now,
                                      LeaseOwner by) override;
  task<result<Renamed>> rename(InodeId parent, std::string name, InodeId new_parent, std::string new_name,
                               RenameMode mode, Timestamp now, LeaseOwner by,
                               bool durable_if_replaced) override;
  task<result<std::vector<Intent>>> owed_by(NodeIndex node, IntentId after, std::size_t limit) override;
  task<result<std::vector<Intent>>> take_owed(NodeIndex node, LeaseOwner by, std::size_t limit,
                                              std::chrono::seconds hold) override;
  task<result<std::vector<bool>>> finish_intents(NodeIndex node, std::vector<IntentId> ids) override;
  task<result<void>> sync() override;

  // ---- CopyStore ----
  task<result<std::vector<Registration>>> register_found(NodeIndex node, InodeId folder, ChangeId seen,
                                                         std::vector<FoundEntry> entries) override;
  task<result<std::vector<ClaimOutcome>>> claim_copies(NodeIndex node, std::vector<CopyClaim> claims,
                                                       bool durable) override;
  task<result<std::vector<bool>>> withdraw_copies(NodeIndex node,
                                                  std::vector<Withdrawal> withdrawals) override;
  task<result<std::vector<WorkItem>>> take_work(NodeIndex node, std::uint64_t owner, std::size_t limit,
                                                std::chrono::seconds hold) override;
  task<result<void>> return_work(NodeIndex node, std::vector<InodeId> ids, bool failed,
                                 std::chrono::seconds retry_after) override;
  task<result<std::vector<WorkItem>>> unhashed(NodeIndex node, InodeId after, std::size_t limit) override;
  task<result<QueueSummary>> queue_summary() override;
  task<result<std::vector<QueueEntry>>> queue_page(std::size_t offset, std::size_t limit) override;
  task<result<void>> proved_folder(NodeIndex node, InodeId folder, Timestamp when) override;
  task<result<void>> proved_files(NodeIndex node, std::vector<InodeId> files, Timestamp when) override;
  task<result<std::vector<ProvedTime>>> proved_times(InodeId file) override;
  task<result<void>> report(std::vector<Finding> findings) override;
  task<result<void>> settle(FindingKind kind, NodeIndex node, Path path) override;
  task<result<std::vector<Finding>>> findings(std::size_t limit) override;

  // ---- NodeRegistry ----
  task<result<std::vector<NodeRecord>>> nodes(NodeKind kind) override;
  task<result<NodeRecord>> add_node(NewStorageNode node) override;
  task<result<NodeRecord>> change_node(std::string name, NodeChange change) override;
  task<result<void>> heartbeat(NodeIndex node, std::uint64_t free_bytes, std::uint64_t total_bytes) override;
  task<result<void>> finish_first_walk(NodeIndex node) override;

  // ---- ChangeLog ----
  task<result<ChangeId>> latest_change() override;
  task<result<std::vector<Change>>> changes_after(ChangeId after, std::size_t limit) override;
  task<result<std::uint64_t>> change_hint() override;
  task<result<ChangeId>> pruned_up_to() override;
  task<result<bool>> prune_changes(std::chrono::seconds keep) override;

  // ---- StoreAdmin ----
  task<result<ClusterInfo>> cluster() override;
  task<result<Totals>> totals() override;
  task<result<std::string>> checkpoint(NodeIndex node, std::string key) override;
  task<result<void>> set_checkpoint(NodeIndex node, std::string key, std::string value) override;
  task<result<Classified>> classify(InodeId after, std::size_t limit, bool dry_run) override;
  task<result<bool>> run_jobs() override;

 private:
  /// The rules of one call: reads `in`, sets `out`, which is new each time that it runs.
  template <typename In, typename Out>
  using Rules = task<result<void>> (*)(Tx&, const In& in, Out& out);

  /// Runs rules in a write transaction, or in a read, with what they need kept alive even if the calling
  /// coroutine is dropped. What write() changes is logged under origin(), what record() does is not.
  template <typename In, typename Out>
  task<result<Out>> write(TransactOptions options, Rules<In, Out> rules, In in);
  template <typename In, typename Out>
  task<result<Out>> record(TransactOptions options, Rules<In, Out> rules, In in);
  template <typename In, typename Out>
  task<result<Out>> write_as(Origin origin, TransactOptions options, Rules<In, Out> rules, In in);
  template <typename In, typename Out>
  task<result<Out>> read(Rules<In, Out> rules, In in);

  /// Whether a copy counts there: one scan, in short reads that let the loop go on in between.
  task<result<bool>> any_copy_on(NodeIndex node);

  const std::unique_ptr<SqlDriver> driver_;
  const std::shared_ptr<const StoreContext> context_;
  const ClusterInfo cluster_;
};

/// For rules that return nothing, or take nothing.
struct Nothing {};

/// Checks an argument that is a batch. Errors: errc::invalid_argument.
result<void> check_batch(std::size_t size);

}  // namespace geogrid

#include "meta/sql_store_impl.hpp"
