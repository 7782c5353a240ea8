#pragma once
// The change log as a stream: what any process changed, in the order the log gives it, each change once.

#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "base/log.hpp"
#include "meta/registry_store.hpp"

namespace geogrid {

/// Told of changes, on the loop. Must not block.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  /// Own changes (origin) are included; a listener skips its echo itself.
  virtual void on_changes(std::span<const Change> changes) = 0;
  /// Changes were lost (the process was away for longer than the log is kept, or the store was): start
  /// afresh.
  virtual void on_gap() = 0;
};

/// Tails the log: asks change_hint() every `interval`, reads what is new, and re-reads a window, since ids
/// commit out of order on MariaDB (the rows it has seen are remembered, bounded by the window). Keeps on
/// through outages of the store.
class ChangeFeed {
 public:
  struct Options {
    std::chrono::milliseconds interval{100};
    std::chrono::seconds window{10};  ///< how long a commit may come after its id was handed out
    std::size_t page = 1000;
  };
  virtual ~ChangeFeed() = default;
  /// Listeners are called in the order of subscription; they must outlive the feed or unsubscribe.
  virtual void subscribe(ChangeListener& listener) = 0;
  virtual void unsubscribe(ChangeListener& listener) = 0;
  /// Runs until cancelled; starts at the newest change.
  virtual task<result<void>> run() = 0;
};

std::unique_ptr<ChangeFeed> make_change_feed(ChangeLog& log, Log logger, ChangeFeed::Options options);

}  // namespace geogrid
