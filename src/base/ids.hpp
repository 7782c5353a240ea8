#pragma once
// Strong types for the numbers that must never be mixed up, and the set of nodes that a copy record is.

#include <bit>
#include <compare>
#include <cstdint>
#include <functional>
#include <iterator>

namespace geogrid {

/// A number of its own kind; compares and hashes, but does not convert or calculate.
template <typename Tag, typename Int>
struct StrongId {
  Int value{};
  constexpr StrongId() = default;
  constexpr explicit StrongId(Int v) : value(v) {}
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
};

/// Folders and files share one id space: row id = inode number = FUSE node id. Never reused.
using InodeId = StrongId<struct InodeTag, std::uint64_t>;
inline constexpr InodeId kRootInode{1};

/// Rises with every change of a file's content. A file that was never published has version 0.
using Version = StrongId<struct VersionTag, std::uint64_t>;

/// The bit a node owns in copy sets: 0..63 among storage nodes, and 0..63 among backup nodes.
using NodeIndex = StrongId<struct NodeIndexTag, std::uint8_t>;
inline constexpr int kMaxNodes = 64;

/// A process that changes metadata, so that it can skip the echo of its own changes in the change feed.
/// Random, never 0.
using Origin = StrongId<struct OriginTag, std::uint64_t>;

/// A position in the change log.
using ChangeId = StrongId<struct ChangeTag, std::uint64_t>;

/// A set of nodes, one bit each.
class NodeSet {
 public:
  constexpr NodeSet() = default;
  constexpr explicit NodeSet(std::uint64_t bits) : bits_(bits) {}
  static constexpr NodeSet of(NodeIndex n) { return NodeSet(std::uint64_t{1} << n.value); }

  constexpr bool contains(NodeIndex n) const { return (bits_ >> n.value) & 1U; }
  constexpr NodeSet with(NodeIndex n) const { return *this | of(n); }
  constexpr NodeSet without(NodeIndex n) const { return *this - of(n); }
  constexpr int size() const { return std::popcount(bits_); }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint64_t bits() const { return bits_; }
  /// The lowest member. REQUIRES: !empty().
  constexpr NodeIndex first() const { return NodeIndex(static_cast<std::uint8_t>(std::countr_zero(bits_))); }

  friend constexpr NodeSet operator|(NodeSet a, NodeSet b) { return NodeSet(a.bits_ | b.bits_); }
  friend constexpr NodeSet operator&(NodeSet a, NodeSet b) { return NodeSet(a.bits_ & b.bits_); }
  friend constexpr NodeSet operator-(NodeSet a, NodeSet b) { return NodeSet(a.bits_ & ~b.bits_); }
  friend constexpr bool operator==(NodeSet, NodeSet) = default;

  /// Iterates over the members in rising order.
  class iterator {
   public:
    using value_type = NodeIndex;
    using difference_type = std::ptrdiff_t;
    constexpr iterator() = default;
    constexpr explicit iterator(std::uint64_t rest) : rest_(rest) {}
    constexpr NodeIndex operator*() const {
      return NodeIndex(static_cast<std::uint8_t>(std::countr_zero(rest_)));
    }
    constexpr iterator& operator++() {
      rest_ &= rest_ - 1;
      return *this;
    }
    constexpr iterator operator++(int) {
      iterator old = *this;
      ++*this;
      return old;
    }
    friend constexpr bool operator==(iterator, iterator) = default;

   private:
    std::uint64_t rest_ = 0;
  };
  constexpr iterator begin() const { return iterator(bits_); }
  constexpr iterator end() const { return iterator(); }

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace geogrid

template <typename Tag, typename Int>
struct std::hash<geogrid::StrongId<Tag, Int>> {
  std::size_t operator()(geogrid::StrongId<Tag, Int> id) const noexcept { return std::hash<Int>{}(id.value); }
};
