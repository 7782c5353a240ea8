#pragma once
// Carries out on the nodes' disks what changes of names left to be done there.

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "base/log.hpp"
#include "meta/metadata_store.hpp"
#include "volume/volume.hpp"

namespace geogrid {

class NodeDebts;

/// One a process. Used on the loop; `store` must outlive close(). A node's intents are carried out in order,
/// one drain at a time; a node that is absent or hangs holds up itself only.
class IntentRunner : public std::enable_shared_from_this<IntentRunner> {
 public:
  /// How long what soon() announces may wait for more.
  static constexpr std::chrono::milliseconds kGather{200};

  /// `by` must be the owner that the changes were made with.
  IntentRunner(asio::any_io_executor loop, MetadataStore& store, std::vector<NodeVolume> volumes,
               LeaseOwner by, Log log);
  ~IntentRunner();

  /// Carries out everything that the node owes and that nobody else has taken, after what made it owed is
  /// power-safe (trash moves wait for that). Calls for one node share a run. False if something is left that
  /// another worker has taken. Errors: the volume's, the store's; what is left is tried again by soon() or
  /// the storage loop. An intent that fails by itself holds up only what touches its names.
  task<result<bool>> drain(NodeIndex node);
  /// Carries these out right now, out of turn: REQUIRES the node to be in Renamed::at_once. They are struck
  /// off later, after a sync of the disk.
  task<result<void>> carry_out_now(NodeIndex node, std::vector<Intent> intents);
  /// These nodes owe something new: drained within kGather or a little more, many changes at a time.
  void soon(NodeSet nodes);
  /// Drains what soon() announced and strikes off what was carried out: before a clean end. Does not wait for
  /// a node longer than `most`.
  task<void> finish(std::chrono::milliseconds most);
  /// No more; what runs ends by itself.
  void close();

 private:
  std::map<NodeIndex, std::shared_ptr<NodeDebts>> nodes_;
  bool closed_ = false;
};

}  // namespace geogrid
