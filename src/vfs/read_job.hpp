#pragma once
// One read on its way through the replicas of a file.

#include <atomic>
#include <memory>

#include "vfs/content.hpp"
#include "vfs/stream_check.hpp"

namespace geogrid {

/// Where the bytes of one replica come from. Loop only, but for `check`.
struct Content::Source {
  enum class State { untried, opening, open, failed };
  NodeIndex node;
  std::shared_ptr<Volume> volume;
  State state = State::untried;
  std::shared_ptr<OpenFile> file;                       // open, read block by block
  std::shared_ptr<const std::vector<std::byte>> whole;  // or: open, and all of it checked and at hand
  std::shared_ptr<void> room;                           // what `whole` takes of the memory for such files
  std::shared_ptr<StreamCheck> check;                   // of `file`, where digests are checked
  std::vector<std::shared_ptr<ReadJob>> waiting;        // for the open
};

/// Answered once, by whichever replica is first; the rest of it belongs to the loop.
class ReadJob : public Watched, public std::enable_shared_from_this<ReadJob> {
 public:
  ReadJob(std::shared_ptr<Content> content, std::uint64_t offset, std::size_t wanted, ReadDone done)
      : content_(std::move(content)), offset_(offset), wanted_(wanted), done_(std::move(done)) {}
  /// Answers with an error what nobody answered.
  ~ReadJob() override;

  std::uint64_t offset() const { return offset_; }
  std::size_t size() const { return size_; }
  using Time = std::chrono::steady_clock::time_point;
  bool done() const override { return answered_.load(std::memory_order_acquire); }
  void late() override;

  /// A replica's answer; on any thread. Good bytes go to the reader at once; else the loop takes the next
  /// replica.
  void arrived(const Content::SourceRef& source, result<std::span<const std::byte>> bytes, Time started);
  /// False if it was answered already.
  bool answer(result<std::span<const std::byte>> bytes);

  // ---- for Content, on the loop ----
  /// How much there is to read of a file of this size. REQUIRES: no replica is being asked.
  void clip(std::uint64_t file_size);
  Time start_attempt(const Content::SourceRef& source);
  bool has_tried(NodeIndex node) const { return tried_.contains(node); }
  void attempt_ended() { --outstanding_; }
  bool is_waiting_for_a_replica() const { return outstanding_ > 0; }
  /// Begins again after every replica failed: how long to wait before. `moving`: it is gone from its path, or
  /// of another size there, as while nodes follow a rename or a new version; that is waited for. nullopt: no
  /// more.
  std::optional<std::chrono::milliseconds> start_afresh(bool moving);

 private:
  Error short_read(std::size_t got) const;

  const std::shared_ptr<Content> content_;
  const std::uint64_t offset_;
  const std::size_t wanted_;
  std::size_t size_ = 0;  // of wanted_, what lies within the file
  const ReadDone done_;
  std::atomic<bool> answered_{false};

  NodeSet tried_;
  int outstanding_ = 0;
  Content::SourceRef attempt_;  // the newest
  Time attempt_started_{};
  std::optional<Time> first_afresh_;
  std::chrono::milliseconds pause_{0};  // before the newest attempt
};

}  // namespace geogrid
