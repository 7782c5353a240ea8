#include "vfs/content.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "os/clock.hpp"
#include "vfs/read_job.hpp"

namespace geogrid {
namespace {

/// Files up to this size are read and checked as a whole before their first byte is given, where digests are
/// checked.
constexpr std::size_t kCheckedWhole = 1 << 20;

/// As while a node has yet to follow a rename or a new version.
bool is_elsewhere(const Error& error) {
  return error.is(std::errc::no_such_file_or_directory) || error.is(std::errc::not_a_directory) ||
         error.is(errc::stale) || error.is(errc::conflict) || error.is(errc::is_a_folder);
}

}  // namespace

Content::Content(std::shared_ptr<ReplicaAccess> access, std::weak_ptr<FileLocator> locator, InodeRef inode)
    : access_(std::move(access)), locator_(std::move(locator)), inode_(std::move(inode)) {}

std::optional<NodeIndex> Content::served_by() const {
  const int node = served_by_;
  if (node < 0) return std::nullopt;
  return NodeIndex(static_cast<std::uint8_t>(node));
}

void Content::read(std::uint64_t offset, std::size_t size, ReadDone done) {
  if (spoilt_) return done(fail(errc::corrupt, "bytes of this file that were read before are damaged"));
  if (offset >= inode_->size) return done(std::span<const std::byte>());
  const auto job = std::make_shared<ReadJob>(shared_from_this(), offset, size, std::move(done));
  if (phase_ == Phase::ready) {
    job->clip(inode_->size);
    return advance(job);
  }
  waiting_.push_back(job);
  if (phase_ == Phase::untouched) locate(false);
}

void Content::prepare() {
  if (phase_ == Phase::untouched && inode_->size > 0) locate(false);
}

void Content::hold(FileLocation last) {
  if (inode_->size == 0 || last_) return;
  last_ = std::move(last);
  if (phase_ == Phase::untouched && !located(*last_)) return;
  if (phase_ == Phase::ready) open_all();
}

task<void> Content::wait_until_open(std::chrono::milliseconds most) {
  const auto self = shared_from_this();
  const auto busy = [this] {
    return phase_ == Phase::locating ||
           std::any_of(sources_.begin(), sources_.end(),
                       [](const SourceRef& source) { return source->state == Source::State::opening; });
  };
  const auto until = std::chrono::steady_clock::time_point(system_clock().steady() + most);
  while (busy()) {
    const auto left = until - system_clock().steady();
    if (left.count() <= 0) co_return;
    co_await opened_.wait_for(left);
  }
}

void Content::open_all() {
  for (const SourceRef& source : sources_)
    if (source->state == Source::State::untried) start_opening(source);
}

void Content::locate(bool fresh, std::chrono::milliseconds pause) {
  phase_ = Phase::locating;
  asio::co_spawn(access_->loop(), run_locate(shared_from_this(), fresh, pause), asio::detached);
}

task<void> Content::run_locate(std::shared_ptr<Content> self, bool fresh, std::chrono::milliseconds pause) {
  if (pause.count() > 0) {
    const auto slept = co_await sleep_for(pause);
    (void)slept;  // cancelled: the rest says so
  }
  const auto locator = self->locator_.lock();
  result<FileLocation> location = fail(errc::cancelled, "the mount ends");
  if (locator) location = co_await locator->locate(self->inode_->id, fresh);
  const auto outcome = self->located(std::move(location));
  self->opened_.notify_all();
  const std::vector<Job> jobs = std::exchange(self->waiting_, {});
  if (jobs.empty() && outcome && !self->sources_.empty() &&
      self->sources_.front()->state == Source::State::untried)
    self->start_opening(self->sources_.front());
  if (self->last_) self->open_all();
  for (const Job& job : jobs) {
    if (outcome) {
      job->clip(self->inode_->size);
      self->advance(job);
    } else {
      ++self->access_->counters().failed;
      job->answer(outcome.error());
    }
  }
}

result<void> Content::located(result<FileLocation> location) {
  if (!location && location.error().is(errc::not_found) && last_ && sources_.empty()) location = *last_;
  if (!location) {
    phase_ = sources_.empty() ? Phase::untouched : Phase::ready;
    return location.error();
  }
  phase_ = Phase::ready;
  if (given_ && location->inode->version != inode_->version)
    return fail(errc::stale, "{} was replaced while it was read", printable(location->path.str()));
  inode_ = std::move(location->inode);
  moving_ = inode_->replicas.empty() && !inode_->older.empty();  // a writer is about to publish
  path_ = std::move(location->path);
  sources_.clear();
  current_ = 0;
  for (const NodeIndex node : access_->order(*inode_, path_, location->serving)) {
    auto source = std::make_shared<Source>();
    source->node = node;
    source->volume = access_->volume(node);
    sources_.push_back(std::move(source));
  }
  return {};
}

void Content::advance(const Job& job) {
  if (job->done()) return;
  for (std::size_t step = 0; step < sources_.size(); ++step) {
    const SourceRef source = sources_[(current_ + step) % sources_.size()];
    if (source->state == Source::State::failed || job->has_tried(source->node)) continue;
    if (source->state == Source::State::open) return issue(job, source);
    job->start_attempt(source);
    source->waiting.push_back(job);
    if (source->state == Source::State::untried) start_opening(source);
    return;
  }
  if (!job->is_waiting_for_a_replica()) give_up(job);
}

void Content::start_opening(const SourceRef& source) {
  source->state = Source::State::opening;
  asio::co_spawn(access_->loop(), open(shared_from_this(), source), asio::detached);
}

void Content::issue(const Job& job, const SourceRef& source) {
  const auto started = job->start_attempt(source);
  if (source->whole) {
    const auto all = std::span<const std::byte>(*source->whole);
    const std::size_t from = std::min<std::size_t>(job->offset(), all.size());
    return job->arrived(source, all.subspan(from, std::min(job->size(), all.size() - from)), started);
  }
  source->file->read(job->offset(), job->size(),
                     [job, source, started](result<std::span<const std::byte>> bytes) {
                       job->arrived(source, std::move(bytes), started);
                     });
}

task<void> Content::open(std::shared_ptr<Content> self, SourceRef source) {
  const auto opened = co_await open_source(*self, *source);
  self->opened_.notify_all();
  const std::vector<Job> waiting = std::exchange(source->waiting, {});
  if (opened) {
    source->state = Source::State::open;
    for (const Job& job : waiting) {
      job->attempt_ended();  // waiting for the open becomes the read
      if (!job->done()) self->issue(job, source);
    }
    co_return;
  }
  self->abandon(source);
  self->moving_ = self->moving_ || is_elsewhere(opened.error());
  self->access_->failed(source->node, self->path_, opened.error());
  if (opened.error().is(errc::corrupt)) self->damaged(source);
  for (const Job& job : waiting) {
    job->attempt_ended();
    self->advance(job);
  }
}

task<result<void>> Content::open_source(Content& self, Source& source) {
  const Inode& file = *self.inode_;
  const bool checked = self.access_->options().verify && !file.digest.pending();
  if (checked && file.size <= kCheckedWhole) source.room = self.access_->borrow(file.size);
  if (source.room) co_return co_await read_checked(self, source);
  GG_CO_TRY(source.file, co_await source.volume->open(self.path_));
  const DiskEntry& entry = source.file->entry();
  if (entry.type != FileType::file) co_return fail(errc::conflict, "it is no ordinary file there");
  if (entry.size != file.size)
    co_return fail(errc::stale, "it has {} bytes there, not {}", entry.size, file.size);
  if (checked) source.check = std::make_shared<StreamCheck>(file.size, file.digest);
  co_return result<void>();
}

task<result<void>> Content::read_checked(Content& self, Source& source) {
  const InodeRef file = self.inode_;
  GG_CO_TRY(WholeFile whole,
            co_await source.volume->read_whole(self.path_, kCheckedWhole, file->digest.algorithm));
  if (whole.entry.size != file->size)
    co_return fail(errc::stale, "it has {} bytes there, not {}", whole.entry.size, file->size);
  if (whole.digest != file->digest)
    co_return fail(errc::corrupt, "its bytes do not have the recorded digest");
  source.whole = std::move(whole.bytes);
  co_return result<void>();
}

void Content::attempt_failed(const Job& job, const SourceRef& source, const Error& error) {
  job->attempt_ended();
  // A full queue says nothing of the replica: the next read may have it again.
  if (!error.is(errc::busy) && source->state != Source::State::failed) {
    abandon(source);
    access_->failed(source->node, path_, error);
    if (error.is(errc::corrupt)) damaged(source);
  }
  advance(job);
}

void Content::attempt_late(const SourceRef& source) {
  access_->late(source->node, path_);
  // Not failed: its answer still counts, and it may be the last copy. But nobody begins there any more.
  for (std::size_t i = 0; i < sources_.size(); ++i)
    if (sources_[i] == source && i == current_) current_ = (i + 1) % sources_.size();
}

void Content::abandon(const SourceRef& source) {
  source->state = Source::State::failed;
  source->file = nullptr;
  source->whole = nullptr;
  source->room = nullptr;
}

bool Content::holds_bytes() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const SourceRef& source) { return source->whole != nullptr; });
}

void Content::give_up(const Job& job) {
  if (phase_ == Phase::locating) {
    waiting_.push_back(job);
    return;
  }
  if (const auto pause = job->start_afresh(moving_)) {
    // What this client knows of the file may be old: it may have moved, have other copies or, if nothing was
    // given yet, other content by now.
    waiting_.push_back(job);
    return locate(true, *pause);
  }
  access_->gave_up(path_,
                   fmt::format("{} recorded, {} within reach", inode_->replicas.size(), sources_.size()));
  job->answer(Error(std::make_error_code(std::errc::io_error), "no copy can be read"));
}

void Content::damaged(const SourceRef& source) {
  ++access_->counters().damaged;
  if (const auto locator = locator_.lock()) locator->found_damaged(source->node, *inode_, path_);
}

}  // namespace geogrid
