#include "support/tree_picture.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <span>
#include <system_error>
#include <vector>

#include "base/digest.hpp"
#include "base/unique_fd.hpp"

namespace geogrid::test {
namespace {

[[noreturn]] void complain(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string digest_of_file(int folder, const std::string& name, const std::string& path) {
  const UniqueFd file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) complain("opening " + path);
  Hasher hasher;
  std::vector<std::byte> buffer(1 << 20);
  for (ssize_t got = 0; (got = ::read(file.get(), buffer.data(), buffer.size())) != 0;) {
    if (got < 0) complain("reading " + path);
    hasher.update(std::span(buffer.data(), static_cast<std::size_t>(got)));
  }
  return hasher.finish().str();
}

void add(TreePicture& picture, int folder, const std::string& at);

void add_entry(TreePicture& picture, int folder, const std::string& name, const std::string& path) {
  struct stat status {};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) complain("looking at " + path);
  PictureEntry entry;
  entry.mode = status.st_mode;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  if (S_ISREG(status.st_mode)) {
    entry.size = status.st_size;
    entry.mtime_sec = status.st_mtim.tv_sec;
    entry.mtime_nsec = status.st_mtim.tv_nsec;
    entry.digest = digest_of_file(folder, name, path);
  }
  if (S_ISLNK(status.st_mode)) {
    char target[4096];
    const ssize_t size = ::readlinkat(folder, name.c_str(), target, sizeof target);
    if (size < 0) complain("reading the link " + path);
    entry.size = status.st_size;
    entry.link_target.assign(target, static_cast<std::size_t>(size));
  }
  picture.emplace(path, std::move(entry));
  if (!S_ISDIR(status.st_mode)) return;
  const UniqueFd below(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!below) complain("opening " + path);
  add(picture, below.get(), path);
}

void add(TreePicture& picture, int folder, const std::string& at) {
  DIR* const listing = ::fdopendir(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
  if (!listing) complain("listing " + at);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing)) names.emplace_back(entry->d_name);
  ::closedir(listing);
  for (const std::string& name : names)
    if (name != "." && name != ".." && !(at.empty() && name == ".geogrid"))
      add_entry(picture, folder, name, at + "/" + name);
}

}  // namespace

std::string PictureEntry::str() const {
  char text[200];
  std::snprintf(text, sizeof text, "mode %o owner %u:%u size %lld mtime %lld.%09lld ", mode, uid, gid,
                static_cast<long long>(size), static_cast<long long>(mtime_sec),
                static_cast<long long>(mtime_nsec));
  return text + digest + link_target;
}

TreePicture picture_of(const std::string& folder) {
  const UniqueFd root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) complain("opening " + folder);
  TreePicture picture;
  add(picture, root.get(), "");
  return picture;
}

}  // namespace geogrid::test
