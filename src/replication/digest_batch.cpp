#include "replication/digest_batch.hpp"

#include <algorithm>
#include <tuple>

#include "async/task_group.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kPieceFiles = 64;
constexpr std::uint64_t kPieceBytes = 4 << 20;

DigestAlgorithm algorithm_of(const Comparison& item, DigestAlgorithm otherwise) {
  return item.known == nullptr || item.known->digest.pending() ? otherwise : item.known->digest.algorithm;
}

// What the pieces of one batch share; they refer to nothing else.
struct Batch {
  std::shared_ptr<Volume> volume;
  Path folder;
  std::shared_ptr<DigestLimits> limits;
  std::vector<DigestedFile> done;
};

task<void> digest_piece(std::shared_ptr<Batch> batch, std::vector<Comparison> piece) {
  const Semaphore::Place place = co_await batch->limits->places.take();
  if (batch->limits->stop->stopped()) {
    for (const Comparison& item : piece) batch->done.push_back({item});
    co_return;
  }
  std::vector<Path> paths;
  paths.reserve(piece.size());
  for (const Comparison& item : piece) paths.push_back(batch->folder.child(item.name()));
  const DigestAlgorithm algorithm = algorithm_of(piece.front(), batch->limits->algorithm);
  auto files = co_await batch->volume->digest(std::move(paths), algorithm, false);
  for (std::size_t i = 0; i < piece.size(); ++i) batch->done.push_back({piece[i], std::move(files[i])});
}

}  // namespace

std::vector<std::vector<Comparison>> cut_for_digesting(std::vector<Comparison> items,
                                                       DigestAlgorithm otherwise) {
  const auto key = [&](const Comparison& item) {
    return std::tuple(algorithm_of(item, otherwise), item.disk->disk_device, item.disk->disk_inode);
  };
  std::ranges::sort(items, {}, key);
  std::vector<std::vector<Comparison>> pieces;
  std::uint64_t bytes = 0;
  for (const Comparison& item : items) {
    const bool fits = !pieces.empty() && pieces.back().size() < kPieceFiles &&
                      bytes + item.disk->size <= kPieceBytes &&
                      algorithm_of(pieces.back().back(), otherwise) == algorithm_of(item, otherwise);
    if (!fits) {
      pieces.emplace_back();
      bytes = 0;
    }
    pieces.back().push_back(item);
    bytes += item.disk->size;
  }
  return pieces;
}

task<std::vector<DigestedFile>> digest_batch(std::shared_ptr<Volume> volume, Path folder,
                                             std::vector<Comparison> items,
                                             std::shared_ptr<DigestLimits> limits) {
  const auto batch = std::make_shared<Batch>(Batch{std::move(volume), std::move(folder), limits, {}});
  batch->done.reserve(items.size());
  TaskGroup pieces(16);
  for (auto& piece : cut_for_digesting(std::move(items), limits->algorithm))
    co_await pieces.start(digest_piece(batch, std::move(piece)));
  co_await pieces.wait();
  co_return std::move(batch->done);
}

}  // namespace geogrid
