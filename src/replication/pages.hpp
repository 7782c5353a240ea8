#pragma once
// Long lists, cut into the batches that a store takes.

#include <algorithm>
#include <iterator>
#include <vector>

namespace geogrid {

template <typename T>
std::vector<std::vector<T>> in_pages(std::vector<T> all, std::size_t size) {
  std::vector<std::vector<T>> pages;
  for (std::size_t at = 0; at < all.size(); at += size) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(at);
    const auto to = all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), at + size));
    pages.emplace_back(std::make_move_iterator(from), std::make_move_iterator(to));
  }
  return pages;
}

}  // namespace geogrid
