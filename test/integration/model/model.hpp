#pragma once
// What the mounts ought to show: a plain directory to which every operation is done too, and what two mounts
// of one archive add to it: the other mount sees content when it is closed.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hand.hpp"
#include "operation.hpp"

namespace geogrid::test {

/// Bytes that were closed once and then removed or replaced: they belong into the trash, under this path.
struct Discarded {
  std::string path;
  std::string bytes;
};

struct Expected {
  Outcome outcome;
  bool any_data = false;    ///< any bytes are right, but no error
  bool any_amount = false;  ///< size and times are not known (another mount is writing it)
  bool visible = false;     ///< the other mount has something new to see
};

/// A name in the tree.
struct ModelEntry {
  std::string path;
  Seen seen;
  std::optional<std::string> link;
  /// Of a file: the mount that holds it open for writing, else -1.
  int writer = -1;
  /// Of a file: what was closed last, which is what the other mount and the nodes have; unset if not known,
  /// or if it was never closed.
  std::optional<std::string> published;
};

class Model {
 public:
  /// `root` is an empty directory on an ordinary filesystem. `close_to_open`: one mount sees what is written
  /// through the other when it is closed, not before.
  Model(std::string root, bool close_to_open) : hand_(std::move(root)), close_to_open_(close_to_open) {}

  const Hand& hand() const { return hand_; }
  /// Whether the outcome is defined: not where both mounts change one file's content at a time. Says no to
  /// operations on slots that are not open.
  bool admits(const Operation& op) const;
  /// REQUIRES admits(op). Carries it out.
  Expected apply(const Operation& op);
  /// The mount that an operation goes through: a slot's, else its own.
  int mount_of(const Operation& op) const;

  std::vector<ModelEntry> tree() const;  ///< by path, folders before what is in them; not the root itself
  std::vector<int> slots() const;        ///< those that are open
  bool any_writer() const;
  /// The real path, below the root, of a path whose folders may be symlinks.
  std::string true_path(const std::string& path) const;
  std::vector<Discarded> take_discarded() { return std::exchange(discarded_, {}); }

  /// Slots of a mount with files of which it is not known what was closed last: nothing, or one of several
  /// contents.
  std::vector<int> uncertain_slots(int mount) const;
  /// A mount died: its descriptors are gone, and what was not closed is as it was before. REQUIRES: no
  /// uncertain slots.
  struct Lost {
    std::vector<int> slots;
    std::vector<std::string> rolled_back;  ///< files whose content went back
  };
  Lost lose_mount(int mount);

 private:
  struct FileState {
    std::optional<std::string> published;
    bool dirty = false;
    bool vague = false;  ///< which content was published last is not known
    std::array<int, 2> writers{};
  };
  struct Slot {
    int mount = 0;
    std::uint64_t file = 0;
    bool writes = false;
    bool disturbed = false;  ///< the other mount published since it was opened
  };

  const FileState* state_at(const std::string& path, bool follow) const;
  bool foreign_writer(const std::string& path, int mount, bool follow) const;
  bool admits_on_slot(const Operation& op) const;
  bool admits_open(const Operation& op) const;
  Expected apply_content(const Operation& op);
  Expected apply_open(const Operation& op);
  Expected apply_on_slot(const Operation& op);
  Expected apply_names(const Operation& op);
  Expected expect_xattr(const Operation& op) const;
  void publish(std::uint64_t file, int mount);
  void discard(const std::string& path);
  std::optional<std::string> where(std::uint64_t file) const;
  std::string content(std::uint64_t file) const;

  Hand hand_;
  bool close_to_open_;
  std::map<std::uint64_t, FileState> files_;  ///< by the plain directory's inode numbers
  std::map<int, Slot> slots_;
  std::vector<Discarded> discarded_;
};

/// The class that the model test's archives give a file of this name.
std::string class_for(const std::string& path);

}  // namespace geogrid::test
