#pragma once
// Carries out operations on a folder by system calls, and says what came of them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "operation.hpp"

struct stat;

namespace geogrid::test {

/// What stat(2) says, as far as it can be compared. Times are nanoseconds.
struct Seen {
  std::uint64_t inode = 0;
  std::uint32_t mode = 0, uid = 0, gid = 0, nlink = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0, ctime = 0;

  bool is_folder() const;
  bool is_file() const;
  std::string str() const;
  friend bool operator==(const Seen&, const Seen&) = default;
};
Seen seen_of(const struct stat& status);

struct Outcome {
  int error = 0;  ///< errno, 0 if it worked
  std::int64_t value = 0;
  std::string bytes;               ///< read, or a symlink's text
  std::vector<std::string> names;  ///< in order, with the type's letter in front
  std::optional<Seen> seen;

  std::string str() const;
};

/// One folder, and the descriptors that are open in it. For one thread.
class Hand {
 public:
  explicit Hand(std::string root) : root_(std::move(root)) {}
  const std::string& root() const { return root_; }
  std::string full(const std::string& path) const { return path.empty() ? root_ : root_ + "/" + path; }

  Outcome perform(const Operation& op);
  bool holds(int slot) const { return open_.count(slot) != 0; }
  int descriptor(int slot) const { return open_.at(slot).get(); }
  void drop(int slot) { open_.erase(slot); }  ///< whatever close(2) says

  std::optional<Seen> look(const std::string& path, bool follow = false) const;
  Outcome list(const std::string& path) const;
  Outcome read_whole(const std::string& path) const;

 private:
  Outcome on_path(const Operation& op) const;
  Outcome on_slot(const Operation& op);
  Outcome open_one(const Operation& op);

  std::string root_;
  std::map<int, UniqueFd> open_;
};

}  // namespace geogrid::test
