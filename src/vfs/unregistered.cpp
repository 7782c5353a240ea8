#include "vfs/unregistered.hpp"

#include <cstring>

#include "base/digest.hpp"

namespace geogrid {

InodeId Unregistered::id_of(const Path& path) {
  const Digest digest = digest_of(path.str());
  std::uint64_t number = 0;
  std::memcpy(&number, digest.bytes.data(), sizeof number);
  return InodeId(kBit | (number & (kBit - 1)));
}

InodeRef Unregistered::remember(InodeId parent, const Path& path, NodeIndex node, const DiskEntry& entry) {
  auto inode = std::make_shared<Inode>();
  inode->id = id_of(path);
  inode->parent = parent;
  inode->name = std::string(path.filename());
  inode->type = entry.type;
  inode->attributes = entry.attributes;
  inode->size = entry.type == FileType::symlink ? entry.link_target.size() : entry.size;
  inode->link_target = entry.link_target;
  inode->state = ContentState::published;
  inode->replicas = NodeSet::of(node);
  known_.put(inode->id, Known{inode, path});
  return inode;
}

bool Unregistered::is_shown(const Path& path, const DiskEntry& entry) {
  if (path.is_reserved() || entry.name.rfind(".nfs", 0) == 0) return false;
  if (entry.name == "lost+found" && path.parent().is_root()) return false;
  return entry.type == FileType::folder || entry.type == FileType::file || entry.type == FileType::symlink;
}

}  // namespace geogrid
