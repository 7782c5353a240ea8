#pragma once
// The drafts of one file on one or several nodes, written and placed as one.

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "vfs/write_bytes.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// A copy that failed, and why.
struct LostCopy {
  NodeIndex node;
  Error error;
};

/// Used on the loop. As with Draft, one awaitable call at a time. Copies that failed are left out from then
/// on, once drop() was called for them.
class DraftSet : public std::enable_shared_from_this<DraftSet> {
 public:
  struct Copy {
    NodeIndex node;
    std::shared_ptr<Draft> draft;
  };
  explicit DraftSet(std::vector<Copy> copies) : copies_(std::move(copies)) {}

  bool empty() const { return copies_.empty(); }
  const std::vector<Copy>& copies() const { return copies_; }
  NodeSet nodes() const;
  void add(Copy copy) { copies_.push_back(std::move(copy)); }
  /// Leaves a copy out, whose bytes the others have.
  void drop(NodeIndex node);
  void keep();

  /// Writes to all. `done` is called once, on a thread of a volume, with the copies that failed.
  using Written = std::function<void(std::vector<LostCopy>)>;
  void write(std::uint64_t offset, std::span<const std::byte> data, Written done);
  /// From the first that gives them.
  void read(std::uint64_t offset, std::size_t size, Draft::Read done);

  task<std::vector<LostCopy>> truncate(std::uint64_t size);
  task<std::vector<LostCopy>> allocate(int mode, std::uint64_t offset, std::uint64_t length);
  task<result<std::uint64_t>> seek(std::uint64_t offset, int whence);
  task<result<Digest>> digest(DigestAlgorithm algorithm);
  /// Each at its own node, all at the same time. `replaces`: nodes where an older version of the file lies.
  task<std::vector<LostCopy>> place(DraftPlace where, NodeSet replaces);
  task<std::vector<LostCopy>> sync();
  task<std::vector<LostCopy>> take_back();
  task<std::vector<LostCopy>> settle(Timestamp when);

 private:
  using Step = std::function<task<result<void>>(const Copy&)>;
  /// Runs a step on all copies at the same time.
  task<std::vector<LostCopy>> on_all(Step step);
  void read_from(std::size_t copy, std::uint64_t offset, std::size_t size, Draft::Read done);

  std::vector<Copy> copies_;
};

}  // namespace geogrid
