#pragma once
// The kinds of values that a configuration is made of.

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>

#include "config/fields.hpp"

namespace geogrid {

Value<std::string> text();
/// A name of a cluster, node, class or identity: up to 64 letters, digits, '.', '_' and '-'.
Value<std::string> name();
bool is_valid_name(std::string_view text);
/// A path on this machine: absolute; kept without "." and ".." and repeated or final slashes.
Value<std::string> local_path();
/// A path in the archive; kept as Path::str() has it.
Value<std::string> archive_path();
/// RE2, taken as written: '$' has its own meaning there, so ${NAME} is not expanded.
Value<std::string> pattern();
Value<bool> boolean();
Value<int> integer(int least, int most);
/// Above `least` (or equal, if `or_equal`) and at most `most`.
Value<double> number(double least, bool or_equal, double most);
Value<std::uint64_t> size();                  ///< 0 too
Value<std::uint64_t> rate();                  ///< more than 0
Value<std::chrono::milliseconds> duration();  ///< more than 0, at most kLongestDuration
Value<Endpoint> endpoint();
Value<HttpUrl> http_url();
Value<MetadataLocation> metadata_url();
Value<LogLevel> log_level();
/// A glob (fnmatch(3)) for one name: without '/'.
Value<std::string> name_pattern();
Value<std::string> mail_address();
/// A number of GiB, as bytes; 0 too.
Value<std::uint64_t> gibibytes();
/// The path of a file that holds a secret.
Value<Secret> secret_file();
/// A secret itself: only as ${NAME}, never written out.
Value<Secret> secret_variable();

inline constexpr std::chrono::milliseconds kLongestDuration = std::chrono::hours(24 * 36525);

/// One of several words.
template <typename E>
Value<E> choice(std::vector<std::pair<std::string, E>> words) {
  return {[words = std::move(words)](ReadContext& context, const YamlNode& node, E& out) {
    const auto given = context.text(node);
    if (!given) return;
    std::vector<std::string> known;
    for (const auto& [word, value] : words) {
      if (word == *given) {
        out = value;
        return;
      }
      known.push_back(word);
    }
    context.fault(node, fmt::format("'{}' is none of: {}", *given, fmt::join(known, ", ")));
  }};
}

}  // namespace geogrid
