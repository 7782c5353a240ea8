#include "vfs/idle_contents.hpp"

#include "os/clock.hpp"

namespace geogrid {

void IdleContents::put(std::shared_ptr<Content> content) {
  if (!timer_) return;
  if (order_.size() >= kMost) let_go_oldest(kMost / 2);
  const auto now = system_clock().steady();
  const InodeId file = content->inode()->id;
  contents_.insert_or_assign(file, Idle{std::move(content), now});
  order_.emplace_back(file, now);
  if (order_.size() == 1) arm();
}

std::shared_ptr<Content> IdleContents::take(const Inode& inode) {
  const auto at = contents_.find(inode.id);
  if (at == contents_.end() || at->second.content->inode()->version != inode.version) return nullptr;
  auto content = std::move(at->second.content);
  contents_.erase(at);
  return content;
}

void IdleContents::drop(InodeId file) {
  contents_.erase(file);
}

void IdleContents::clear() {
  contents_.clear();
}

void IdleContents::stop() {
  contents_.clear();
  order_.clear();
  timer_.reset();
  life_.reset();
}

void IdleContents::let_go_oldest(std::size_t count) {
  for (; count > 0 && !order_.empty(); --count) {
    const auto [file, since] = order_.front();
    order_.pop_front();
    // It may have been taken, and put again later.
    const auto at = contents_.find(file);
    if (at != contents_.end() && at->second.since == since) contents_.erase(at);
  }
}

void IdleContents::arm() {
  timer_->expires_at(order_.front().second + kKept);
  timer_->async_wait([this, life = std::weak_ptr<char>(life_)](boost::system::error_code error) {
    if (error || life.expired()) return;
    const auto now = system_clock().steady();
    std::size_t over = 0;
    while (over < order_.size() && order_[over].second + kKept <= now) ++over;
    let_go_oldest(over);
    if (!order_.empty()) arm();
  });
}

}  // namespace geogrid
