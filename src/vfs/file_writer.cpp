#include "vfs/file_writer.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <limits>

#include "os/clock.hpp"
#include "vfs/answer.hpp"
#include "vfs/file_writer_impl.hpp"

namespace geogrid {
namespace {

constexpr std::uint64_t kLargestFile = std::numeric_limits<std::int64_t>::max();
constexpr int kMoves = 4;  // to other nodes, for one write
constexpr std::size_t kAnsweredAhead = 1 << 20;

Error its_bytes_were_lost(const Error& why) {
  return Error(std::make_error_code(std::errc::io_error), "bytes that were written are lost: " + why.message);
}

}  // namespace

task<FileWriter::Alone> FileWriter::Alone::take(std::shared_ptr<FileWriter> writer) {
  ++writer->waiting_for_alone_;
  ++writer->busy_;
  Semaphore::Place place = co_await writer->alone_.take();
  co_await wait_until_landed(writer);
  co_return Alone(std::move(writer), std::move(place));
}

task<void> FileWriter::wait_until_landed(std::shared_ptr<FileWriter> self) {
  ++self->flight_->awaited;
  while (self->flight_->writes > 0) co_await self->landed_.wait();
  --self->flight_->awaited;
}

FileWriter::Alone::~Alone() {
  if (!writer_) return;
  --writer_->waiting_for_alone_;
  --writer_->busy_;
  if (writer_->waiting_for_alone_ == 0) writer_->issue_waiting();
  place_ = Semaphore::Place();
  writer_->let_go();
}

FileWriter::FileWriter(std::shared_ptr<WriterContext> context, InodeRef inode, bool created)
    : context_(std::move(context)),
      id_(inode->id),
      base_(std::move(inode)),
      created_(created),
      size_(base_->size),
      mtime_(base_->attributes.mtime),
      ctime_(base_->attributes.ctime),
      changes_(created ? 1 : 0),
      flight_(std::make_shared<Flight>(context_->access->gate())) {}

// Where this client has nothing of its own, the next change is one of the newest version.
void FileWriter::begin_change() {
  if (changed() || drafts_) return;
  const auto host = context_->host.lock();
  const InodeRef newest = host ? host->known(id_) : nullptr;
  if (!newest) return;
  base_ = newest;
  size_ = base_->size;
}

void FileWriter::touch() {
  mtime_ = ctime_ = system_clock().wall();
  ++changes_;
}

// ---- writing ----

void FileWriter::write(std::uint64_t offset, WriteBytes bytes, WriteDone done) {
  if (failed_) return done(*failed_);
  const std::uint64_t length = bytes.data.size();
  if (offset > kLargestFile || length > kLargestFile - offset) return done(system_error(EFBIG, "writing"));
  if (length == 0) return done({});
  if (flight_->writer.expired()) flight_->writer = weak_from_this();
  begin_change();
  Write write{offset, std::move(bytes), std::move(done), size_};
  // Before it is written: who asks for the size right after the answer must get the new one.
  size_ = std::max(size_, offset + length);
  touch();
  // Else it could overtake one that was answered already, or miss a copy that is just being replaced.
  const bool in_order = !is_ahead() && recovering_ == 0;
  if (drafts_ && waiting_for_alone_ == 0 && waiting_.empty() && in_order) return issue(std::move(write));
  waiting_.push_back(std::move(write));
  if (waiting_for_alone_ == 0 && !std::exchange(running_waiting_, true)) {
    ++busy_;
    asio::co_spawn(context_->access->loop(), run_waiting(shared_from_this()), asio::detached);
  }
}

// The first write of a new file, which mostly is the whole of it, is answered before the disk has it: what
// goes wrong is told at close, which waits for it. Whatever comes next on this file waits for it, too.
void FileWriter::answer_ahead(Write& write) {
  const bool first = drafted_size_ == 0 && write.offset == 0 && flight_->writes == 0;
  if (!first || write.bytes.data.size() > kAnsweredAhead || drafts_->copies().size() != 1) return;
  ahead_ = true;
  const WriteDone answer = std::exchange(write.done, [weak = weak_from_this()](result<void> outcome) {
    if (outcome) return;
    if (const auto self = weak.lock()) self->late_error_ = outcome.error();
  });
  answer({});
}

bool FileWriter::is_ahead() {
  if (ahead_ && flight_->writes == 0) ahead_ = false;
  return ahead_;
}

void FileWriter::issue(Write write) {
  answer_ahead(write);
  ++flight_->writes;
  ++changes_;  // again: a publication may have come between the kernel's request and now
  const std::uint64_t offset = write.offset;
  const std::span<const std::byte> data = write.bytes.data;
  drafted_size_ = std::max(drafted_size_, offset + data.size());
  const auto shared = std::make_shared<Write>(std::move(write));
  auto written = [shared, flight = flight_, stream = stream_](std::vector<LostCopy> lost) {
    if (lost.empty()) {
      stream->add(shared->offset, shared->bytes);
      flight->ended();
      shared->done({});
      stream->work();  // nobody waits for it
      return;
    }
    stream->spoil();
    // Under way until it is repaired: a close that waits for it must find it done.
    const bool posted = flight->gate->post([shared, flight, lost] {
      const auto self = flight->writer.lock();
      if (self) {
        ++self->recovering_;
        asio::co_spawn(self->context_->access->loop(), run_failed(self, std::move(*shared), lost),
                       asio::detached);
      } else {
        flight->ended();
        shared->done(its_bytes_were_lost(lost.front().error));
      }
    });
    if (!posted) shared->done(its_bytes_were_lost(lost.front().error));
  };
  drafts_->write(offset, data, std::move(written));
}

void FileWriter::issue_waiting() {
  if (waiting_.empty()) return;
  if (!drafts_ && !failed_) {
    if (!std::exchange(running_waiting_, true)) {
      ++busy_;
      asio::co_spawn(context_->access->loop(), run_waiting(shared_from_this()), asio::detached);
    }
    return;
  }
  for (std::deque<Write> writes = std::exchange(waiting_, {}); !writes.empty(); writes.pop_front()) {
    if (failed_)
      writes.front().done(*failed_);
    else
      issue(std::move(writes.front()));
  }
}

task<void> FileWriter::run_waiting(std::shared_ptr<FileWriter> self) {
  const Alone alone = co_await Alone::take(self);
  self->running_waiting_ = false;
  --self->busy_;
  if (self->waiting_.empty()) co_return;
  const Write& first = self->waiting_.front();
  // Another one waits too: the first alone does not say what the file becomes.
  std::optional<Extent> over = Extent{first.offset, first.offset + first.bytes.data.size()};
  const auto ready = co_await self->ensure_drafts(over);
  if (ready) co_return;  // the end of `alone` has them written
  std::deque<Write> writes = std::exchange(self->waiting_, {});
  self->size_ = writes.front().size_before;
  for (Write& write : writes) write.done(ready.error());
}

// Nobody has the file alone meanwhile, since the write is still under way; and no other write begins.
task<void> FileWriter::run_failed(std::shared_ptr<FileWriter> self, Write write, std::vector<LostCopy> lost) {
  ++self->busy_;
  {
    const Semaphore::Place place = co_await self->recovery_.take();
    result<void> repaired = co_await self->repair(write, std::move(lost));
    if (!repaired && !self->failed_) {
      const std::uint64_t end = write.offset + write.bytes.data.size();
      if (self->size_ == end) self->size_ = write.size_before;
      self->drafted_size_ = std::min(self->drafted_size_, self->size_);
      // A part of it may be there.
      if (self->drafts_) (void)co_await self->drafts_->truncate(self->drafted_size_);
    }
    write.done(std::move(repaired));
  }
  --self->recovering_;
  --self->busy_;
  self->flight_->ended();
  self->let_go();
}

task<result<void>> FileWriter::repair(const Write& write, std::vector<LostCopy> lost) {
  for (int i = 0; i < kMoves; ++i) {
    if (failed_) co_return *failed_;
    // Another write's repair may have replaced them.
    const NodeSet present = drafts_->nodes();
    std::erase_if(lost, [present](const LostCopy& copy) { return !present.contains(copy.node); });
    if (!lost.empty()) GG_CO_CHECK(co_await replace_lost(lost));
    const Answer<std::vector<LostCopy>> written(context_->access->gate());
    drafts_->write(write.offset, write.bytes.data,
                   [written](std::vector<LostCopy> failed) { written.give(std::move(failed)); });
    lost = co_await written.wait();
    if (lost.empty()) co_return result<void>();
  }
  co_return lost.front().error;
}

task<result<void>> FileWriter::truncate(std::uint64_t size) {
  if (size > kLargestFile) co_return system_error(EFBIG, "truncating");
  const Alone alone = co_await Alone::take(shared_from_this());
  if (failed_) co_return *failed_;
  // Of a file that is cut to nothing, nothing need be copied first.
  std::optional<Extent> over;
  if (size == 0) over = Extent{0, kLargestFile};
  begin_change();
  GG_CO_CHECK(co_await ensure_drafts(over));
  const auto lost = co_await drafts_->truncate(size);
  if (!lost.empty()) {
    stream_->spoil();
    const auto replaced = co_await replace_lost(lost);
    if (!replaced) co_return replaced.error();
    const auto again = co_await drafts_->truncate(size);
    if (!again.empty()) co_return again.front().error;
  }
  if (size == 0)
    stream_->reset();
  else if (size != drafted_size_)
    stream_->spoil();
  size_ = drafted_size_ = size;
  touch();
  co_return result<void>();
}

task<result<void>> FileWriter::allocate(int mode, std::uint64_t offset, std::uint64_t length) {
  constexpr int kKeepSize = 0x01;  // FALLOC_FL_KEEP_SIZE
  if (offset > kLargestFile || length > kLargestFile - offset) co_return system_error(EFBIG, "allocating");
  const Alone alone = co_await Alone::take(shared_from_this());
  if (failed_) co_return *failed_;
  begin_change();
  GG_CO_CHECK(co_await ensure_drafts(std::nullopt));
  auto lost = co_await drafts_->allocate(mode, offset, length);
  if (!lost.empty() && mode == 0 && lost.front().error.is(std::errc::operation_not_supported)) {
    // posix_fallocate(3) asks for the size above all.
    lost.clear();
    if (offset + length > drafted_size_) lost = co_await drafts_->truncate(offset + length);
  }
  if (!lost.empty()) co_return lost.front().error;
  stream_->spoil();
  if ((mode & kKeepSize) == 0) {
    drafted_size_ = std::max(drafted_size_, offset + length);
    size_ = std::max(size_, drafted_size_);
  }
  touch();
  co_return result<void>();
}

// ---- reading ----

void FileWriter::read(std::uint64_t offset, std::size_t size, Draft::Read done) {
  if (!is_ahead() && recovering_ == 0) return drafts_->read(offset, size, std::move(done));
  asio::co_spawn(context_->access->loop(), run_read(shared_from_this(), offset, size, std::move(done)),
                 asio::detached);
}

task<void> FileWriter::run_read(std::shared_ptr<FileWriter> self, std::uint64_t offset, std::size_t size,
                                Draft::Read done) {
  co_await wait_until_landed(self);
  const auto drafts = self->drafts_ ? self->drafts_ : self->placed_;
  if (drafts)
    drafts->read(offset, size, std::move(done));
  else
    done(Error(std::make_error_code(std::errc::io_error), "the bytes are gone"));
}

task<result<std::uint64_t>> FileWriter::seek(std::uint64_t offset, int whence) {
  co_await wait_until_landed(shared_from_this());
  const auto drafts = drafts_ ? drafts_ : placed_;
  if (!drafts) co_return fail(errc::unavailable, "the bytes are gone");
  co_return co_await drafts->seek(offset, whence);
}

InodeRef FileWriter::overlay(const InodeRef& record) const {
  if (!changed()) return record;
  auto seen = std::make_shared<Inode>(*record);
  seen->size = size_;
  seen->attributes.mtime = mtime_;
  seen->attributes.ctime = std::max(record->attributes.ctime, ctime_);
  return seen;
}

void FileWriter::set_mtime(Timestamp mtime) {
  mtime_ = mtime;
}

// ---- closing ----

task<result<void>> FileWriter::flush() {
  const Alone alone = co_await Alone::take(shared_from_this());
  if (failed_) co_return *failed_;
  if (changed() && !removed_) GG_CO_CHECK(co_await publish(false));
  if (const auto late = std::exchange(late_error_, std::nullopt)) co_return *late;
  if (std::exchange(copy_lost_, false))
    co_return Error(std::make_error_code(std::errc::io_error),
                    "a copy that the class wants at close was lost: what could be written is kept");
  co_return result<void>();
}

task<result<void>> FileWriter::sync() {
  const Alone alone = co_await Alone::take(shared_from_this());
  if (failed_) co_return *failed_;
  if (removed_) co_return result<void>();
  if (changed()) {
    GG_CO_CHECK(co_await publish(true));
    if (const auto late = std::exchange(late_error_, std::nullopt)) co_return *late;
    co_return result<void>();
  }
  if (placed_) {
    for (const NodeIndex node : placed_->nodes()) {
      const auto volume = context_->access->volume(node);
      std::vector<DiskChanged> names(1);
      names.front().to = placed_at_.relative();
      if (volume) GG_CO_CHECK(co_await volume->make_power_safe(std::move(names)));
    }
    const auto lost = co_await placed_->sync();
    if (!lost.empty()) co_return lost.front().error;
  }
  co_return co_await context_->store->sync();
}

void FileWriter::removed() {
  removed_ = true;
}

void FileWriter::closed() {
  --descriptors_;
  if (descriptors_ > 0) return;
  if (changed() && !removed_ && !failed_) {
    ++busy_;
    asio::co_spawn(context_->access->loop(), run_last_close(shared_from_this()), asio::detached);
    return;
  }
  let_go();
}

// What was written through mmap(2) may come after the last flush.
task<void> FileWriter::run_last_close(std::shared_ptr<FileWriter> self) {
  const auto flushed = co_await self->flush();
  if (!flushed) {
    self->context_->log.error(
        "what was written to file #{} last could not be published: {}; its bytes stay in "
        ".geogrid/tmp of nodes and come to lost+found after this process ended",
        self->id_.value, flushed.error().message);
    if (self->drafts_) self->drafts_->keep();
  }
  --self->busy_;
  self->let_go();
}

void FileWriter::fail_for_good(const Error& error) {
  failed_ = its_bytes_were_lost(error);
  if (drafts_) drafts_->keep();
}

void FileWriter::let_go() {
  if (!idle()) return;
  if (const auto host = context_->host.lock()) host->writer_idle(id_);
}

}  // namespace geogrid
