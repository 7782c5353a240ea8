#include "fuse/invalidator.hpp"

#include <pthread.h>
#include <unistd.h>

#include <cstdint>
#include <unordered_set>

namespace geogrid {
namespace {

/// Tells the kernel that every name it knows may be wrong (Linux 6.16; older ones answer EINVAL).
/// libfuse 3.14 has no call for it, and older headers not its number.
void start_new_epoch(fuse_session* session) {
  struct Header {  // fuse_out_header of linux/fuse.h
    std::uint32_t length;
    std::int32_t code;
    std::uint64_t unique;
  };
  constexpr std::int32_t kNotifyIncEpoch = 8;
  const Header header{sizeof(Header), kNotifyIncEpoch, 0};
  [[maybe_unused]] const auto written = ::write(fuse_session_fd(session), &header, sizeof header);
}

}  // namespace

Invalidator::Invalidator(std::shared_ptr<Connection> connection, std::function<void()> overflowed)
    : connection_(std::move(connection)), overflowed_(std::move(overflowed)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "fuse-forget");
}

Invalidator::~Invalidator() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  changed_.notify_one();
  thread_.join();
}

void Invalidator::forget_entry(InodeId parent, const std::string& name) {
  push({What::entry, parent, name});
  // The kernel takes the folder's listing back only with a name that it knows.
  push({What::folder, parent, {}});
}
void Invalidator::forget_folder(InodeId folder) {
  push({What::folder, folder, {}});
}
void Invalidator::forget_attributes(InodeId inode) {
  push({What::attributes, inode, {}});
}
void Invalidator::forget_content(InodeId inode) {
  push({What::content, inode, {}});
}
void Invalidator::forget_all() {
  push({What::all, kRootInode, {}});
}

void Invalidator::push(Order order) {
  bool overflow = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    if (queue_.size() >= kQueueLimit) {
      overflow = true;
      queue_.clear();
      queue_.push_back({What::all, kRootInode, {}});
    } else {
      queue_.push_back(std::move(order));
    }
  }
  changed_.notify_one();
  if (overflow) overflowed_();
}

void Invalidator::run() {
  for (;;) {
    std::vector<Order> orders;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      orders.swap(queue_);
    }
    carry_out(std::move(orders));
  }
}

void Invalidator::carry_out(std::vector<Order> orders) {
  // A walk registers hundreds of names in one folder at a time, whose listing is to be forgotten once.
  std::unordered_set<InodeId> folders;
  for (const Order& order : orders) {
    if (order.what == What::folder)
      folders.insert(order.inode);
    else
      carry_out(order);
  }
  for (const InodeId folder : folders) carry_out({What::folder, folder, {}});
}

void Invalidator::carry_out(const Order& order) {
  fuse_session* const session = connection_->session();
  // ENOENT, the usual answer, means that the kernel did not know it; ENODEV, that the mount is gone.
  switch (order.what) {
    case What::entry:
      fuse_lowlevel_notify_inval_entry(session, order.inode.value, order.name.data(), order.name.size());
      break;
    case What::folder:
    case What::content:
      fuse_lowlevel_notify_inval_inode(session, order.inode.value, 0, 0);
      break;
    case What::attributes:
      fuse_lowlevel_notify_inval_inode(session, order.inode.value, -1, 0);
      break;
    case What::all:
      start_new_epoch(session);
      break;
  }
}

}  // namespace geogrid
