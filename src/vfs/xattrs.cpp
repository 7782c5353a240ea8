#include "vfs/xattrs.hpp"

namespace geogrid {

std::optional<std::string> xattr_value(std::string_view name, const Inode& file, const NodeView& nodes,
                                       std::optional<NodeIndex> served_by) {
  if (!file.is_file()) return std::nullopt;
  if (name == "user.geogrid.replicas") return nodes.names(file.replicas, NodeKind::storage);
  if (name == "user.geogrid.backups") return nodes.names(file.backups, NodeKind::backup);
  if (name == "user.geogrid.class") return file.storage_class;
  if (name == "user.geogrid.digest") return file.digest.str();
  if (name == "user.geogrid.version") return std::to_string(file.version.value);
  if (name == "user.geogrid.served_by")
    return served_by ? nodes.names(NodeSet::of(*served_by), NodeKind::storage) : std::string();
  return std::nullopt;
}

}  // namespace geogrid
