#include "random_folder.hpp"

#include <algorithm>

namespace geogrid::test {
namespace {

const std::vector<FileType> kTypes{FileType::file, FileType::file,   FileType::file,
                                   FileType::file, FileType::folder, FileType::symlink,
                                   FileType::fifo, FileType::socket, FileType::character_device};

}  // namespace

RandomFolder::RandomFolder(unsigned seed) : random_(seed) {
  const auto names = random_() % 30;
  for (std::size_t i = 0; i < names; ++i) {
    std::string name = chance(10) ? ".nfs" : chance(5) ? "lost+found" : chance(5) ? ".geogrid" : "";
    if (name.empty() || name == ".nfs")
      name += std::string(1, static_cast<char>(random_() % 255 + 1)) + std::to_string(i);
    std::ranges::replace(name, '/', '_');
    if (name != "lost+found" && name != ".geogrid") name += "x";
    const auto same_name = [&](const auto& entry) { return entry.name == name; };
    if (std::ranges::any_of(disk, same_name) || std::ranges::any_of(known, same_name)) continue;
    const auto kind = random_() % 4;
    if (kind <= 1 || kind == 3) disk.push_back(make_disk(name));
    if (kind == 2) known.push_back(make_known(name));
    if (kind == 1) known.push_back(make_matching(disk.back()));
    if (kind == 3) known.push_back(make_known(name));
  }
  std::ranges::sort(disk, {}, &DiskEntry::name);
  std::ranges::shuffle(known, random_);
}

DiskEntry RandomFolder::make_disk(const std::string& name) {
  DiskEntry entry;
  entry.name = name;
  entry.type = kTypes[random_() % kTypes.size()];
  entry.size = random_() % 3;
  entry.attributes.mtime = {static_cast<std::int64_t>(random_() % 3),
                            static_cast<std::int32_t>(random_() % 2) * 7};
  entry.attributes.ctime = {static_cast<std::int64_t>(random_() % 100), 0};
  if (entry.type == FileType::symlink) entry.link_target = "to" + std::to_string(random_() % 2);
  entry.disk_inode = random_();
  return entry;
}

Inode RandomFolder::make_known(const std::string& name) {
  Inode inode;
  inode.id = InodeId(next_id_++);
  inode.parent = InodeId(1);
  inode.name = name;
  inode.type = kTypes[random_() % kTypes.size()];
  inode.size = random_() % 3;
  inode.attributes.mtime = {static_cast<std::int64_t>(random_() % 3),
                            static_cast<std::int32_t>(random_() % 2) * 7};
  if (inode.type == FileType::symlink) inode.link_target = "to" + std::to_string(random_() % 2);
  if (inode.type != FileType::file) return inode;
  inode.state = chance(85) ? ContentState::published : ContentState::pending;
  inode.version = Version(random_() % 4 + 1);
  if (chance(80)) inode.digest = digest_of(std::to_string(random_() % 2));
  inode.replicas = NodeSet(random_() % 64);
  inode.older = NodeSet(random_() % 64) - inode.replicas;
  return inode;
}

Inode RandomFolder::make_matching(const DiskEntry& entry) {
  Inode inode = make_known(entry.name);
  inode.type = entry.type;
  inode.size = entry.size;
  inode.attributes.mtime = entry.attributes.mtime;
  inode.link_target = entry.link_target;
  if (inode.type != FileType::file) {
    inode.replicas = inode.older = NodeSet();
  } else if (chance(70)) {
    inode.state = ContentState::published;
    inode.replicas = inode.replicas.with(kNode);
    inode.older = inode.older.without(kNode);
  }
  return inode;
}

}  // namespace geogrid::test
