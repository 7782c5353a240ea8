#pragma once
// Files that were closed a moment ago, their replicas still open: who opens one again soon finds it ready,
// and descriptors are closed many at a time.

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

#include "vfs/content.hpp"

namespace geogrid {

/// Bounded in number and in time: a disk that nobody uses can be unmounted a second later. Used on the loop.
class IdleContents {
 public:
  static constexpr std::size_t kMost = 256;
  static constexpr std::chrono::seconds kKept{1};

  explicit IdleContents(asio::any_io_executor loop) : timer_(std::in_place, std::move(loop)) {}

  void put(std::shared_ptr<Content> content);
  /// The content of this very version, taken out; nullptr if it is not here.
  std::shared_ptr<Content> take(const Inode& inode);
  void drop(InodeId file);
  void clear();
  /// No more: what is put from now on is closed at once. After it, this object may outlive the loop.
  void stop();

 private:
  struct Idle {
    std::shared_ptr<Content> content;
    std::chrono::steady_clock::time_point since;
  };
  void let_go_oldest(std::size_t count);
  void arm();

  std::optional<asio::steady_timer> timer_;                // none: stopped
  std::shared_ptr<char> life_ = std::make_shared<char>();  // a wait that ends after this does not touch it
  std::unordered_map<InodeId, Idle> contents_;
  std::deque<std::pair<InodeId, std::chrono::steady_clock::time_point>>
      order_;  // what was put, the oldest first
};

}  // namespace geogrid
