#pragma once
// ${NAME} in values.

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "config/reader.hpp"

namespace geogrid {

/// `text` with each ${NAME} replaced by that variable's value, ${NAME:-word} by the word if it is not set or
/// empty, and
/// "$${" by "${". A '$' elsewhere stays.
/// Errors: errc::invalid_argument for a variable that is not set, and for a malformed ${…}.
result<std::string> expand(std::string_view text, const Environment& environment);

}  // namespace geogrid
