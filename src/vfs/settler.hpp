#pragma once
// The end of publications: what new content replaced goes to trash, once metadata is power-safe.

#include <memory>
#include <vector>

#include "async/notifier.hpp"
#include "meta/metadata_store.hpp"
#include "vfs/draft_set.hpp"

namespace geogrid {

/// Gathers for a moment, so that many publications share one commit to the disk. Used on the loop; `store`
/// must outlive finish() or close().
class Settler : public std::enable_shared_from_this<Settler> {
 public:
  static constexpr std::chrono::milliseconds kGather{200};

  Settler(asio::any_io_executor loop, MetadataStore& store, Log log)
      : loop_(std::move(loop)), store_(store), log_(std::move(log)) {}

  void add(std::shared_ptr<DraftSet> drafts, Timestamp when, bool power_safe_already);
  /// Waits until all is settled, but not longer than `most`: before a clean end.
  task<void> finish(std::chrono::milliseconds most);
  void close() { closed_ = true; }

 private:
  struct Item {
    std::shared_ptr<DraftSet> drafts;
    Timestamp when;
  };
  static task<void> run(std::shared_ptr<Settler> self);
  task<void> settle(std::vector<Item> items);

  asio::any_io_executor loop_;
  MetadataStore& store_;
  Log log_;
  std::vector<Item> waiting_;
  bool running_ = false;
  bool closed_ = false;
  bool at_once_ = false;
  Notifier ended_;
  Notifier hurry_;
};

}  // namespace geogrid
