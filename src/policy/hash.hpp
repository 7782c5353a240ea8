#pragma once
// Hashes that decide: the same on every machine and in every version, unlike std::hash.

#include <cstdint>

namespace geogrid {

/// Spreads every bit of `x` over all 64 (the finaliser of SplitMix64).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

constexpr std::uint64_t mix64(std::uint64_t a, std::uint64_t b) {
  return mix64(mix64(a) ^ b);
}

/// A hash as a number in the open interval (0, 1).
constexpr double unit_interval(std::uint64_t hash) {
  return (static_cast<double>(hash >> 12U) + 0.5) / static_cast<double>(std::uint64_t{1} << 52U);
}

}  // namespace geogrid
