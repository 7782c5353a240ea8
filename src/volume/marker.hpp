#pragma once
// The marker's file `.geogrid/volume`, as bytes and on the disk. Blocking.

#include <string>
#include <string_view>

#include "os/env.hpp"
#include "volume/volume.hpp"

namespace geogrid {

inline constexpr std::string_view kMarkerPath = ".geogrid/volume";
inline constexpr std::size_t kMaxMarkerBytes = 64 * 1024;

/// The folders in `.geogrid`.
inline constexpr std::string_view kTemporaryFolder = ".geogrid/tmp";
inline constexpr std::string_view kTrashFolder = ".geogrid/trash";
inline constexpr std::string_view kConflictsFolder = ".geogrid/conflicts";
inline constexpr std::string_view kLostFolder = ".geogrid/lost+found";
/// Notes of exchanges, by the intent's id.
inline constexpr std::string_view kIntentsFolder = ".geogrid/intents";
inline constexpr std::string_view kLocksFolder = ".geogrid/locks";

std::string format_marker(const VolumeMarker& marker);
/// Errors: errc::corrupt says what is wrong with it.
result<VolumeMarker> parse_marker(std::string_view text);

/// Reads the marker of the tree whose root is open. Errors: ENOENT, errc::corrupt, others as system codes.
result<VolumeMarker> read_marker(Env& env, int root);

/// What initialise_volume() does, with the effects of `env`.
result<NewVolume> initialise_volume_with(Env& env, const std::string& root, VolumeMarker marker);

}  // namespace geogrid
