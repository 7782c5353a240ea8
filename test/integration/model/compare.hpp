#pragma once
// Whether what a mount shows is what the model expects.

#include <optional>
#include <string>

#include "hand.hpp"
#include "model.hpp"

namespace geogrid::test {

/// What differs between the outcome on the plain directory and on a mount. Inode numbers are not compared.
/// Times are the same where they were set, and about the same where they are those of a change.
std::optional<std::string> difference(const Expected& expected, const Outcome& real);

/// What differs in names and attributes between the model and the mount, or the mount and the other one
/// (which have to agree in every bit of an attribute). Asks for names that are not there too.
std::optional<std::string> tree_difference(const Model& model, const Hand& mount, const Hand& other,
                                           int number);

/// What differs in the bytes of the files and the texts of the symlinks.
std::optional<std::string> content_difference(const Model& model, const Hand& mount, int number);

}  // namespace geogrid::test
