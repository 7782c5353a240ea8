#include "replication/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task_group.hpp"
#include "replication/folder_compare.hpp"
#include "replication/folder_listing.hpp"

namespace geogrid {
namespace {

using Bytes = std::shared_ptr<const std::vector<std::byte>>;

Fetch from_source(Error error) {
  Fetch fetch;
  fetch.end = ends_traversal(error) && !error.is(errc::busy) ? FetchEnd::source_gone : FetchEnd::source_error;
  fetch.error = std::move(error);
  return fetch;
}

Fetch from_destination(Error error) {
  Fetch fetch;
  fetch.end = FetchEnd::destination_error;
  fetch.error = std::move(error);
  return fetch;
}

// What the source has, against what is recorded.
Fetch judge(const Inode& recorded, const DiskEntry& entry, Digest digest) {
  Fetch fetch;
  fetch.digest = std::move(digest);
  if (entry.size == recorded.size && (recorded.digest.pending() || fetch.digest == recorded.digest))
    return fetch;
  const bool looks_right =
      entry.size == recorded.size && same_mtime(entry.attributes.mtime, recorded.attributes.mtime);
  fetch.end = FetchEnd::wrong_bytes;
  fetch.reason = looks_right ? FindingKind::damaged : FindingKind::changed_outside;
  fetch.detail = fmt::format("{} bytes, {} here; {} bytes, {} recorded", entry.size,
                             fetch.digest.pending() ? "not digested" : fetch.digest.str(), recorded.size,
                             recorded.digest.str());
  return fetch;
}

task<Fetch> fetch_whole(std::shared_ptr<Volume> source, std::shared_ptr<Volume> destination, WorkItem item,
                        DigestAlgorithm algorithm) {
  auto whole = co_await source->read_whole(item.path, kWholeFileBytes, algorithm);
  if (!whole && whole.error().is(std::errc::file_too_large)) {
    DiskEntry larger;
    larger.size = kWholeFileBytes + 1;
    co_return judge(item.inode, larger, {});
  }
  if (!whole) co_return from_source(std::move(whole).error());
  Fetch fetch = judge(item.inode, whole->entry, whole->digest);
  if (fetch.end != FetchEnd::fetched) co_return fetch;
  auto received = co_await destination->receive_whole(whole->bytes);
  if (!received) co_return from_destination(std::move(received).error());
  fetch.file = std::move(*received);
  co_return fetch;
}

// A large file on its way. Touched by the loop, and by one thread of the source at a time (`hasher`).
struct Passage {
  std::shared_ptr<OpenFile> from;
  std::shared_ptr<IncomingFile> to;
  std::shared_ptr<Hasher> hasher;
  result<void> written;
};

// Reads and digests a piece on a thread of the source, and resumes on the loop with a copy of it.
task<result<Bytes>> read_piece(std::shared_ptr<Passage> passage, std::uint64_t offset) {
  auto start = [passage, offset](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    const auto executor = asio::get_associated_executor(*shared);
    auto guard = std::make_shared<asio::executor_work_guard<decltype(executor)>>(executor);
    passage->from->read(
        offset, kWholeFileBytes,
        [shared, guard, executor, hasher = passage->hasher](result<std::span<const std::byte>> got) {
          result<Bytes> piece = got ? result<Bytes>(nullptr) : result<Bytes>(got.error());
          if (got) {
            hasher->update(*got);
            piece = std::make_shared<const std::vector<std::byte>>(got->begin(), got->end());
          }
          asio::post(executor, [shared, guard, piece = std::move(piece)]() mutable {
            guard->reset();
            std::move (*shared)(std::move(piece));
          });
        });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(result<Bytes>)>(
      start, asio::use_awaitable);
}

task<void> write_piece(std::shared_ptr<Passage> passage, Bytes piece) {
  passage->written = co_await passage->to->append(std::move(piece));
}

task<Fetch> pass_pieces(std::shared_ptr<Passage> passage, const Inode& recorded) {
  TaskGroup writing(1);
  std::optional<Fetch> failed;
  std::uint64_t offset = 0;
  while (!failed) {
    auto piece = co_await read_piece(passage, offset);
    co_await writing.wait();
    if (!piece)
      failed = from_source(std::move(piece).error());
    else if (!passage->written)
      failed = from_destination(passage->written.error());
    if (failed || (*piece)->empty()) break;
    offset += (*piece)->size();
    if (offset > recorded.size) break;
    co_await writing.start(write_piece(passage, std::move(*piece)));
  }
  co_await writing.wait();
  if (!failed && !passage->written) failed = from_destination(passage->written.error());
  if (failed) co_return std::move(*failed);
  DiskEntry entry = passage->from->entry();
  entry.size = offset;
  Fetch fetch = judge(recorded, entry, passage->hasher->finish());
  fetch.file = passage->to;
  co_return fetch;
}

task<Fetch> fetch_in_pieces(std::shared_ptr<Volume> source, std::shared_ptr<Volume> destination,
                            WorkItem item, DigestAlgorithm algorithm) {
  auto from = co_await source->open(item.path);
  if (!from) co_return from_source(std::move(from).error());
  if ((*from)->entry().size != item.inode.size) co_return judge(item.inode, (*from)->entry(), {});
  auto to = co_await destination->receive(item.inode.size);
  if (!to) co_return from_destination(std::move(to).error());
  auto passage = std::make_shared<Passage>(Passage{*from, *to, std::make_shared<Hasher>(algorithm), {}});
  co_return co_await pass_pieces(passage, item.inode);
}

}  // namespace

task<Fetch> fetch(std::shared_ptr<Volume> source, std::shared_ptr<Volume> destination, WorkItem item,
                  DigestAlgorithm algorithm) {
  if (!item.inode.digest.pending()) algorithm = item.inode.digest.algorithm;
  if (item.inode.size <= kWholeFileBytes)
    co_return co_await fetch_whole(std::move(source), std::move(destination), std::move(item), algorithm);
  co_return co_await fetch_in_pieces(std::move(source), std::move(destination), std::move(item), algorithm);
}

}  // namespace geogrid
