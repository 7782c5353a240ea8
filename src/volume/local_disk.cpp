#include "volume/local_disk.hpp"

#include <fcntl.h>

#include <cerrno>

#include "volume/marker.hpp"

namespace geogrid {
namespace {

// What a folder that is not mounted, or a server that went away, answers; not what this process lacks
// (EMFILE, EACCES).
bool means_absent(const Error& error) {
  switch (to_errno(error)) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
    case EIO:
    case ESTALE:
    case ENOTCONN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      return true;
    default:
      return false;
  }
}

result<void> check_marker(const VolumeMarker& found, const VolumeMarker& expected) {
  if (found.cluster_uuid != expected.cluster_uuid)
    return fail(errc::foreign, "the volume belongs to the cluster '{}' ({}), not to '{}' ({})",
                printable(found.cluster_name), printable(found.cluster_uuid),
                printable(expected.cluster_name), printable(expected.cluster_uuid));
  if (found.node != expected.node)
    return fail(errc::foreign,
                "the volume says that it is the node '{}', not '{}': is another disk mounted there, or was a "
                "whole volume "
                "copied with its folder .geogrid?",
                printable(found.node), printable(expected.node));
  if (found.uuid != expected.uuid)
    return fail(errc::foreign,
                "the volume is another one of the node '{}': its id is {}, the registered one is {}",
                printable(found.node), printable(found.uuid), printable(expected.uuid));
  return {};
}

}  // namespace

LocalDisk::LocalDisk(std::shared_ptr<Env> env, std::string root, VolumeMarker expected)
    : env_(std::move(env)), root_(std::move(root)), expected_(std::move(expected)) {}

bool LocalDisk::seen(const struct stat& marker) const {
  const std::scoped_lock lock(seen_mutex_);
  return seen_.inode == marker.st_ino && seen_.device == marker.st_dev &&
         seen_.changed.tv_sec == marker.st_ctim.tv_sec && seen_.changed.tv_nsec == marker.st_ctim.tv_nsec;
}

result<UniqueFd> LocalDisk::attach() {
  auto root = env_->open_root(root_);
  if (!root && means_absent(root.error()))
    return fail(errc::volume_absent, "node {}: the volume {} is not there ({}): is its disk mounted?",
                expected_.node, printable(root_), root.error().message);
  if (!root) return root.error().within(fmt::format("node {}: {}", expected_.node, printable(root_)));

  // Through a symlink in place of .geogrid this could find another file, but then not the one that was read
  // beneath the root.
  const auto marker = env_->status_at(root->get(), std::string(kMarkerPath));
  if (marker && seen(*marker)) return root;
  auto read = read_marker(*env_, root->get());
  if (!read && !read.error().is(errc::corrupt) && means_absent(read.error()))
    return fail(errc::volume_absent, "node {}: {} has no marker {} ({}): is its disk mounted?",
                expected_.node, printable(root_), kMarkerPath, read.error().message);
  const auto right = read ? check_marker(*read, expected_) : result<void>(read.error());
  if (!right) return right.error().within(fmt::format("node {}: {}", expected_.node, printable(root_)));
  if (marker) {
    const std::scoped_lock lock(seen_mutex_);
    seen_ = {.device = marker->st_dev, .inode = marker->st_ino, .changed = marker->st_ctim};
  }
  return root;
}

Error LocalDisk::explain(int root, std::string_view path, const Error& error) {
  if (error.is(std::errc::no_such_file_or_directory))
    if (auto absent = prove_absence(root); !absent) return absent.error();
  return error.within(fmt::format("node {}: {}", expected_.node, printable(path)));
}

result<void> LocalDisk::prove_absence(int root) {
  const auto marker = env_->status_at(root, std::string(kMarkerPath));
  if (marker) return {};
  return fail(errc::volume_absent, "node {}: the volume {} went away meanwhile", expected_.node,
              printable(root_));
}

result<UniqueFd> LocalDisk::make_folder_in(const UniqueFd& at, const std::string& name, mode_t mode) {
  GG_TRY(const struct stat above, env_->status(at.get()));
  const auto made = folders_made_.remember({above.st_dev, above.st_ino},
                                           [&] { return env_->make_folder(at.get(), name, mode); });
  if (!made && !made.error().is(std::errc::file_exists)) return made.error();
  GG_TRY(UniqueFd folder, env_->open(at.get(), name, O_RDONLY | O_DIRECTORY));
  if (!made) return folder;
  GG_TRY(const struct stat own, env_->status(folder.get()));
  if ((own.st_mode & 07777U) != mode) GG_CHECK(env_->set_mode(folder.get(), mode));
  if (own.st_uid != above.st_uid || own.st_gid != above.st_gid)
    (void)env_->set_owner(folder.get(), above.st_uid, above.st_gid);  // as far as this process may
  return folder;
}

result<UniqueFd> LocalDisk::open_or_make_folder(int root, std::string_view path) {
  auto found = env_->open(root, path, O_RDONLY | O_DIRECTORY);
  if (found || !found.error().is(std::errc::no_such_file_or_directory)) return found;

  GG_TRY(UniqueFd at, env_->open(root, "", O_RDONLY | O_DIRECTORY));
  bool in_ours = false;  // right in .geogrid
  for (bool first = true; !path.empty(); first = false) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    auto next = env_->open(at.get(), name, O_RDONLY | O_DIRECTORY);
    if (!next && next.error().is(std::errc::no_such_file_or_directory))
      next = make_folder_in(at, name, in_ours ? 0700 : 0755);
    if (!next) return next;
    at = std::move(*next);
    in_ours = first && name == kReservedName;
  }
  return at;
}

result<void> LocalDisk::sync_way_to(int root, std::string_view path) {
  if (folders_made_.none()) return {};
  GG_TRY(UniqueFd at, env_->open(root, "", O_RDONLY | O_DIRECTORY));
  while (!path.empty()) {
    GG_TRY(const struct stat here, env_->status(at.get()));
    const FoldersMade::FolderId id(here.st_dev, here.st_ino);
    if (const auto made = folders_made_.last_made_in(id)) {
      GG_CHECK(env_->sync(at.get()));
      folders_made_.forget(id, *made);
    }
    const std::size_t slash = path.find('/');
    GG_TRY(at, env_->open(at.get(), path.substr(0, slash), O_RDONLY | O_DIRECTORY));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return {};
}

result<void> LocalDisk::sync_folder(int root, std::string_view path) {
  GG_TRY(const UniqueFd folder, env_->open(root, path, O_RDONLY | O_DIRECTORY));
  GG_CHECK(sync_way_to(root, path));
  return env_->sync(folder.get());
}

DiskEntry disk_entry(std::string name, const struct stat& status) {
  DiskEntry entry;
  entry.name = std::move(name);
  switch (status.st_mode & S_IFMT) {
    case S_IFDIR:
      entry.type = FileType::folder;
      break;
    case S_IFLNK:
      entry.type = FileType::symlink;
      break;
    case S_IFIFO:
      entry.type = FileType::fifo;
      break;
    case S_IFSOCK:
      entry.type = FileType::socket;
      break;
    case S_IFCHR:
      entry.type = FileType::character_device;
      break;
    case S_IFBLK:
      entry.type = FileType::block_device;
      break;
    default:
      entry.type = FileType::file;
      break;
  }
  entry.attributes = {.mode = status.st_mode & 07777U,
                      .uid = status.st_uid,
                      .gid = status.st_gid,
                      .atime = Timestamp::from(status.st_atim),
                      .mtime = Timestamp::from(status.st_mtim),
                      .ctime = Timestamp::from(status.st_ctim)};
  entry.size = static_cast<std::uint64_t>(status.st_size);
  entry.disk_inode = status.st_ino;
  entry.disk_device = status.st_dev;
  return entry;
}

result<DiskEntry> find_entry(Env& env, int root, const Path& path) {
  GG_TRY(const UniqueFd found, env.open(root, path.relative(), O_PATH));
  GG_TRY(const struct stat status, env.status(found.get()));
  DiskEntry entry = disk_entry(path.is_root() ? "" : std::string(path.filename()), status);
  if (entry.type == FileType::symlink) {
    GG_TRY(entry.link_target, env.read_link(found.get(), ""));  // the link itself, readlinkat(2)
  }
  return entry;
}

result<UniqueFd> open_file(Env& env, int root, const Path& path, struct stat& status) {
  // Opening a device or a fifo has effects of its own, so the type is looked up before, and again after.
  GG_TRY(const UniqueFd found, env.open(root, path.relative(), O_PATH));
  GG_TRY(status, env.status(found.get()));
  const auto ordinary = [&status]() -> result<void> {
    if (S_ISREG(status.st_mode)) return {};
    if (S_ISDIR(status.st_mode)) return fail(errc::is_a_folder, "is a folder");
    if (S_ISLNK(status.st_mode)) return system_error(ELOOP, "is a symlink, which is not followed");
    return fail(errc::not_supported, "is a fifo, socket or device, which is never opened");
  };
  GG_CHECK(ordinary());
  constexpr int flags = O_RDONLY | O_NONBLOCK;
  auto file = env.open(root, path.relative(), flags | O_NOATIME);
  // Only the owner and root may leave the access time alone.
  if (!file && file.error().is(std::errc::operation_not_permitted))
    file = env.open(root, path.relative(), flags);
  if (!file) return file;
  GG_TRY(status, env.status(file->get()));
  GG_CHECK(ordinary());
  return file;
}

}  // namespace geogrid
