#pragma once
// Parts of FileWriter that its own files share.

#include "vfs/file_writer.hpp"

namespace geogrid {

struct FileWriter::Flight {
  explicit Flight(std::shared_ptr<LoopGate> loop) : gate(std::move(loop)) {}

  const std::shared_ptr<LoopGate> gate;
  std::atomic<int> writes{0};
  std::atomic<int> awaited{0};  // by how many, on the loop
  std::weak_ptr<FileWriter> writer;

  /// Any thread.
  void ended() {
    if (writes.fetch_sub(1) != 1 || awaited.load() == 0) return;
    gate->post([weak = writer] {
      if (const auto self = weak.lock()) self->landed_.notify_all();
    });
  }
};

/// Taken by every operation that changes more than bytes within a draft. While somebody has it, or waits for
/// it, writes queue up; they go on when the last one lets go.
class FileWriter::Alone {
 public:
  static task<Alone> take(std::shared_ptr<FileWriter> writer);
  Alone(Alone&&) noexcept = default;
  Alone& operator=(Alone&&) = delete;
  ~Alone();

 private:
  Alone(std::shared_ptr<FileWriter> writer, Semaphore::Place place)
      : writer_(std::move(writer)), place_(std::move(place)) {}
  std::shared_ptr<FileWriter> writer_;
  Semaphore::Place place_;
};

}  // namespace geogrid
