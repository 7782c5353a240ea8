#include "volume/marker.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "os/publish.hpp"

namespace geogrid {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr std::size_t kMaxValueBytes = 1024;

result<std::string> text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string())
    return fail(errc::corrupt, "\"{}\" is missing or no text", key);
  std::string value = found->get<std::string>();
  if (value.empty() || value.size() > kMaxValueBytes)
    return fail(errc::corrupt, "\"{}\" is empty or longer than {} bytes", key, kMaxValueBytes);
  return value;
}

// A folder of ours: made if it is missing, never a symlink. Belongs to whom the tree belongs, so that a
// daemon which runs as that user can work after root has set the volume up.
result<UniqueFd> make_own_folder(Env& env, int parent, const std::string& name, mode_t mode,
                                 const struct stat& root) {
  auto made = env.make_folder(parent, name, mode);
  if (!made && !made.error().is(std::errc::file_exists)) return made.error();
  GG_TRY(UniqueFd folder, env.open(parent, name, O_RDONLY | O_DIRECTORY));
  if (made) {
    GG_CHECK(env.set_mode(folder.get(), mode));
    GG_TRY(const struct stat own, env.status(folder.get()));
    if (own.st_uid != root.st_uid || own.st_gid != root.st_gid)
      (void)env.set_owner(folder.get(), root.st_uid, root.st_gid);  // as far as this process may
  }
  return folder;
}

result<bool> holds_nothing(Env& env, int root) {
  GG_TRY(const auto entries, env.list(root));
  return std::all_of(entries.begin(), entries.end(), [](const FolderEntry& entry) {
    return entry.name == kReservedName || (entry.name == "lost+found" && S_ISDIR(entry.status.st_mode));
  });
}

result<void> initialise_at(Env& env, int root, const VolumeMarker& marker) {
  GG_TRY(const struct stat root_status, env.status(root));
  GG_TRY(const UniqueFd own, make_own_folder(env, root, std::string(kReservedName), 0755, root_status));
  GG_TRY(const UniqueFd temporary, make_own_folder(env, own.get(), "tmp", 0700, root_status));
  for (const char* name : {"trash", "conflicts", "lost+found", "intents", "locks"}) {
    GG_TRY(const UniqueFd folder, make_own_folder(env, own.get(), name, 0700, root_status));
  }
  const std::string text = format_marker(marker);
  GG_CHECK(publish_bytes(env, temporary.get(), own.get(), "volume", std::as_bytes(std::span(text)), 0644,
                         IfTaken::fail));
  return env.sync(root);
}

}  // namespace

std::string format_marker(const VolumeMarker& marker) {
  return Json{{"format", kFormat},
              {"cluster", marker.cluster_name},
              {"cluster_uuid", marker.cluster_uuid},
              {"node", marker.node},
              {"uuid", marker.uuid}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

result<VolumeMarker> parse_marker(std::string_view text) {
  if (text.size() > kMaxMarkerBytes) return fail(errc::corrupt, "longer than {} bytes", kMaxMarkerBytes);
  const Json object = Json::parse(text, nullptr, false);
  if (object.is_discarded() || !object.is_object()) return fail(errc::corrupt, "not a JSON object");
  const auto format = object.find("format");
  if (format == object.end() || !format->is_number_integer())
    return fail(errc::corrupt, "\"format\" is missing");
  if (*format != kFormat)
    return fail(errc::corrupt, "its format is not {}: written by a newer geogridd?", kFormat);
  VolumeMarker marker;
  GG_TRY(marker.cluster_name, text_of(object, "cluster"));
  GG_TRY(marker.cluster_uuid, text_of(object, "cluster_uuid"));
  GG_TRY(marker.node, text_of(object, "node"));
  GG_TRY(marker.uuid, text_of(object, "uuid"));
  return marker;
}

result<VolumeMarker> read_marker(Env& env, int root) {
  auto text = read_small_file(env, root, kMarkerPath, kMaxMarkerBytes);
  if (!text && text.error().is(std::errc::file_too_large))
    return fail(errc::corrupt, "the marker {} is longer than {} bytes", kMarkerPath, kMaxMarkerBytes);
  if (!text &&
      (text.error().is(errc::not_supported) || text.error().is(std::errc::too_many_symbolic_link_levels)))
    return fail(errc::corrupt, "the marker {} is not an ordinary file", kMarkerPath);
  if (!text) return text.error().within(kMarkerPath);
  auto marker = parse_marker(*text);
  if (!marker)
    return fail(errc::corrupt,
                "the marker {} is damaged ({}); if this is the right disk, write it again with 'node add'",
                kMarkerPath, marker.error().message);
  return marker;
}

result<NewVolume> initialise_volume_with(Env& env, const std::string& root, VolumeMarker marker) {
  auto opened = env.open_root(root);
  if (!opened) return opened.error().within(printable(root));
  GG_TRY(const UniqueFd folder, env.open(opened->get(), "", O_RDONLY | O_DIRECTORY));
  auto empty = holds_nothing(env, folder.get());
  if (!empty) return empty.error().within(printable(root));
  auto done = initialise_at(env, folder.get(), marker);
  if (!done && done.error().is(std::errc::file_exists))
    return fail(errc::already_exists, "{} is a volume already: it has a marker {}", printable(root),
                kMarkerPath);
  if (!done) return done.error().within(printable(root));
  return NewVolume{.marker = std::move(marker), .empty = *empty};
}

result<VolumeMarker> read_volume_marker(const std::string& root) {
  const auto env = make_posix_env();
  auto opened = env->open_root(root);
  if (!opened) return opened.error().within(printable(root));
  auto marker = read_marker(*env, opened->get());
  if (!marker) return marker.error().within(printable(root));
  return marker;
}

result<NewVolume> initialise_volume(const std::string& root, VolumeMarker marker) {
  return initialise_volume_with(*make_posix_env(), root, std::move(marker));
}

}  // namespace geogrid
