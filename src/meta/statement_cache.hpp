#pragma once
// Prepared statements by their text, the longest unused ones closed when there are too many. Both drivers use
// it.

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace geogrid {

/// Pure bookkeeping; `Statement` closes what it stands for in its destructor. One thread.
template <typename Statement>
class StatementCache {
 public:
  explicit StatementCache(std::size_t limit) : limit_(limit) {}

  /// The kept statement, now the most recently used; or null.
  Statement* find(std::string_view sql) {
    const auto found = by_text_.find(sql);
    if (found == by_text_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->statement;
  }

  /// Keeps a statement, after closing the least recently used one if the cache is full. REQUIRES: !find(sql).
  Statement& add(std::string_view sql, Statement statement) {
    if (entries_.size() >= limit_) {
      by_text_.erase(entries_.back().text);
      entries_.pop_back();
    }
    entries_.push_front(Entry{std::string(sql), std::move(statement)});
    by_text_.emplace(entries_.front().text, entries_.begin());
    return entries_.front().statement;
  }

  void erase(std::string_view sql) {
    const auto found = by_text_.find(sql);
    if (found == by_text_.end()) return;
    const auto entry = found->second;
    by_text_.erase(found);  // its key is the entry's text
    entries_.erase(entry);
  }

  void clear() {
    by_text_.clear();
    entries_.clear();
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string text;
    Statement statement;
  };
  std::size_t limit_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> by_text_;
};

}  // namespace geogrid
