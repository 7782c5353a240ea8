#pragma once
// "Did you mean …?"

#include <string>
#include <string_view>
#include <vector>

namespace geogrid {

/// Letters that were added, dropped, changed or swapped with their neighbour between two words.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The word that `word` was most probably meant to be; empty if none is near (a third of its letters, at
/// least one).
std::string_view nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace geogrid
