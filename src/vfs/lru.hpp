#pragma once
// A bounded map that forgets what was not used for longest.

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace geogrid {

/// One thread. REQUIRES: limit > 0.
template <typename Key, typename Value>
class Lru {
 public:
  explicit Lru(std::size_t limit) : limit_(limit) {}

  /// The value, made the most recently used; nullptr if there is none. Valid until the next change.
  Value* find(const Key& key) {
    const auto at = index_.find(key);
    if (at == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, at->second);
    return &at->second->second;
  }
  void put(const Key& key, Value value) {
    if (Value* known = find(key)) {
      *known = std::move(value);
      return;
    }
    if (order_.size() >= limit_) {
      // The oldest node is used again: no allocation once the cache is full.
      order_.splice(order_.begin(), order_, std::prev(order_.end()));
      index_.erase(order_.front().first);
      order_.front() = {key, std::move(value)};
    } else {
      order_.emplace_front(key, std::move(value));
    }
    index_.emplace(key, order_.begin());
  }
  void erase(const Key& key) {
    const auto at = index_.find(key);
    if (at == index_.end()) return;
    order_.erase(at->second);
    index_.erase(at);
  }
  void clear() {
    index_.clear();
    order_.clear();
  }
  std::size_t size() const { return order_.size(); }
  /// Entries, the most recently used first.
  auto begin() const { return order_.begin(); }
  auto end() const { return order_.end(); }

 private:
  using Order = std::list<std::pair<Key, Value>>;
  std::size_t limit_;
  Order order_;
  std::unordered_map<Key, typename Order::iterator> index_;
};

}  // namespace geogrid
