#pragma once
// What metadata knows, as values.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/attributes.hpp"
#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/path.hpp"

namespace geogrid {

/// Whether a file has content that counts. Stored by number.
enum class ContentState : std::uint8_t {
  pending = 0,  ///< created under a lease, never published: not listed to backups, replicated or walked
  published = 1,
};

/// One row of the tree: a folder, a file or a special file.
struct Inode {
  InodeId id;
  InodeId parent;    ///< the root is its own parent
  std::string name;  ///< empty for the root
  FileType type = FileType::file;
  Attributes attributes;
  std::uint64_t size = 0;        ///< of a file; the length of a symlink's target
  std::uint64_t rdev = 0;        ///< of a device
  std::uint32_t subfolders = 0;  ///< of a folder: nlink = 2 + subfolders
  std::string link_target;       ///< of a symlink: bytes, never followed by the daemon

  // Files only.
  ContentState state = ContentState::pending;
  Version version;
  Digest digest;  ///< of this version; pending() until somebody hashed it
  std::string storage_class;
  std::uint8_t replica_target = 0;
  std::uint8_t backup_target = 0;
  NodeSet replicas;  ///< storage nodes whose copy of this version was checked
  NodeSet older;     ///< storage nodes that still hold an older version
  NodeSet backups;   ///< backup nodes that hold this version

  bool is_folder() const { return type == FileType::folder; }
  bool is_file() const { return type == FileType::file; }
  std::uint32_t nlink() const { return is_folder() ? 2 + subfolders : 1; }
};

enum class NodeKind : std::uint8_t { storage = 1, backup = 2 };

/// Stored by number: never renumber.
enum class NodeState : std::uint8_t {
  joining =
      1,  ///< its first walk is not complete: takes copies, serves, but its tree may hold what nobody knows
  active = 2,
  readonly = 3,  ///< serves, takes no copies
  draining = 4,  ///< serves, takes no copies, is being emptied
  down = 5,      ///< set by the operator: expected back
  away = 6,      ///< a silent backup node
  retired = 7,
};
std::string_view name_of(NodeState state);
result<NodeState> parse_node_state(std::string_view name);

struct NodeRecord {
  NodeIndex index;
  NodeKind kind = NodeKind::storage;
  std::string name;
  NodeState state = NodeState::joining;
  std::string zone;
  double weight = 1.0;
  std::string volume_uuid;
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::optional<Timestamp> last_heartbeat;            ///< by the database's clock
  std::optional<std::chrono::seconds> heartbeat_age;  ///< by the database's clock, when this record was read
  std::optional<Timestamp> first_walk_finished;

  /// Whether replication may put copies here: joining or active storage nodes.
  bool takes_copies() const { return state == NodeState::joining || state == NodeState::active; }
  /// Whether reads may come from here.
  bool serves() const { return state != NodeState::retired && state != NodeState::down; }
};

/// Kinds of rows in the change log. Stored by number.
enum class ChangeKind : std::uint8_t {
  created = 1,     ///< a name appeared: (parent, name) now is `inode`
  removed = 2,     ///< a name went
  moved = 3,       ///< `inode` left (parent, name) for (new_parent, new_name); a folder takes all below along
  content = 4,     ///< a new version
  attributes = 5,  ///< mode, owner, times, class, targets
  copies = 6,      ///< the sets of nodes that hold it
  node = 7,        ///< the node registry
};

struct Change {
  ChangeId id;
  Origin origin;
  ChangeKind kind = ChangeKind::created;
  InodeId inode;
  InodeId parent;
  std::string name;
  InodeId new_parent;    ///< moved only
  std::string new_name;  ///< moved only
};

/// Who the store belongs to.
struct ClusterInfo {
  std::string name;
  std::string uuid;
  int schema = 0;
};

/// Something a person should know of; the same finding reported again only renews `last_seen`.
enum class FindingKind : std::uint8_t {
  damaged = 1,          ///< a copy whose bytes do not have the recorded digest
  changed_outside = 2,  ///< a copy that was changed on its node, not through geogridd
  missing = 3,          ///< a copy that is not on its node any more
  conflict = 4,         ///< other content lies where a copy belongs
  type_conflict = 5,    ///< a folder where metadata has a file, or the other way round
  unreadable = 6,       ///< EIO or EACCES on a node
  special_file = 7,     ///< a fifo, socket or device on a node: left alone
};
std::string_view name_of(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::damaged;
  NodeIndex node;
  Path path;
  std::string detail;
  Timestamp first_seen;
  Timestamp last_seen;
};

}  // namespace geogrid
