#pragma once
// Makes one mount's kernel forget, from a thread of its own: an invalidation takes locks that any request in
// flight may hold, so that whoever sends it must never be needed for an answer.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "fuse/connection.hpp"
#include "vfs/kernel_cache.hpp"

namespace geogrid {

class Invalidator : public KernelCache {
 public:
  static constexpr std::size_t kQueueLimit = 65536;

  /// `overflowed` is called, on the thread that gave the order, when more orders wait than the limit: they
  /// were dropped for one forget_all().
  Invalidator(std::shared_ptr<Connection> connection, std::function<void()> overflowed);
  /// Waits for the order that is being carried out: end the connection first, or that may take long.
  ~Invalidator() override;

  void forget_entry(InodeId parent, const std::string& name) override;
  void forget_folder(InodeId folder) override;
  void forget_attributes(InodeId inode) override;
  void forget_content(InodeId inode) override;
  void forget_all() override;

 private:
  enum class What { entry, folder, attributes, content, all };
  struct Order {
    What what;
    InodeId inode;
    std::string name;
  };
  void push(Order order);
  void run();
  void carry_out(std::vector<Order> orders);
  void carry_out(const Order& order);

  const std::shared_ptr<Connection> connection_;
  const std::function<void()> overflowed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Order> queue_;  // guarded by mutex_, as is stopping_
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace geogrid
