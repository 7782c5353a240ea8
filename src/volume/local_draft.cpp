#include "volume/local_draft.hpp"

#include <fcntl.h>

#include "volume/attached.hpp"
#include "volume/digesting.hpp"
#include "volume/marker.hpp"
#include "volume/naming.hpp"
#include "volume/reading.hpp"

namespace geogrid {
namespace {

// An empty draft is made by whatever comes first on a thread: nobody hops there for that alone. Thread-safe.
class FileWhenNeeded {
 public:
  explicit FileWhenNeeded(DraftName name) : name_(name) {}
  explicit FileWhenNeeded(std::shared_ptr<DraftFile> file) : name_(file->name), file_(std::move(file)) {}

  const DraftName& name() const { return name_; }
  /// Blocking. What fails is tried again the next time.
  result<std::shared_ptr<DraftFile>> get(LocalDisk& disk) {
    const std::scoped_lock lock(mutex_);
    if (file_) return file_;
    GG_TRY(const UniqueFd root, disk.attach());
    GG_TRY(file_, make_draft(disk, root.get(), name_));
    return file_;
  }
  /// Null: it was never needed.
  std::shared_ptr<DraftFile> made() const {
    const std::scoped_lock lock(mutex_);
    return file_;
  }

 private:
  const DraftName name_;
  mutable std::mutex mutex_;
  std::shared_ptr<DraftFile> file_;  // guarded by mutex_
};

// Members are the loop's; what runs on a thread gets the file, and holds it.
class LocalDraft final : public Draft {
 public:
  LocalDraft(std::shared_ptr<LocalCore> core, std::shared_ptr<FileWhenNeeded> file)
      : core_(std::move(core)), file_(std::move(file)) {}
  ~LocalDraft() override;

  void write(std::uint64_t offset, std::span<const std::byte> data, Written done) override;
  void read(std::uint64_t offset, std::size_t size, Read done) override;
  task<result<void>> truncate(std::uint64_t size) override;
  task<result<void>> allocate(int mode, std::uint64_t offset, std::uint64_t length) override;
  task<result<std::uint64_t>> seek(std::uint64_t offset, int whence) override;
  task<result<Digest>> digest(DigestAlgorithm algorithm) override;
  task<result<void>> sync() override;

  task<result<void>> place(DraftPlace where) override;
  task<result<void>> take_back() override;
  task<result<void>> settle(Timestamp when) override;
  void keep() override { keep_ = true; }

 private:
  std::string subject() const { return placed_ ? placed_->path.str() : file_->name().str(); }
  Error finished() const;
  template <typename Operation>
  auto on_file(BlockingPool LocalCore::*pool, Operation operation)
      -> task<std::invoke_result_t<Operation, Env&, int>>;

  const std::shared_ptr<LocalCore> core_;
  std::shared_ptr<FileWhenNeeded> file_;
  std::optional<PlacedDraft> placed_;
  bool keep_ = false;
  bool name_is_safe_ = false;  // its name in .geogrid/tmp
};

Error LocalDraft::finished() const {
  return fail(errc::invalid_argument, "{}: the draft has its path, its bytes stay as they are",
              printable(subject()));
}

LocalDraft::~LocalDraft() {
  // Where this cannot be done, the draft is salvaged one day.
  (void)core_->writes.post([core = core_, file = std::move(file_), remove = !placed_ && !keep_]() mutable {
    if (const auto made = file->made(); made && remove)
      if (const auto root = core->disk.attach(); root) remove_draft(core->disk, root->get(), *made);
    file.reset();
  });
}

// On a thread.
result<void> write_at(LocalDisk& disk, FileWhenNeeded& file, std::uint64_t offset,
                      std::span<const std::byte> data) {
  GG_TRY(const auto made, file.get(disk));
  return disk.env().write(made->file.get(), offset, data);
}

void LocalDraft::write(std::uint64_t offset, std::span<const std::byte> data, Written done) {
  if (placed_) return done(finished());
  // Shared, so that a full queue leaves something to call.
  const auto answer = std::make_shared<Written>(std::move(done));
  const bool accepted = core_->writes.post([core = core_, file = file_, answer, offset, data] {
    const auto written = write_at(core->disk, *file, offset, data);
    if (written)
      (*answer)(written);
    else
      (*answer)(
          written.error().within(fmt::format("node {}: {}", core->disk.marker().node, file->name().str())));
  });
  if (!accepted) (*answer)(Error(errc::busy, "too many writes wait for this volume"));
}

void LocalDraft::read(std::uint64_t offset, std::size_t size, Read done) {
  const auto made = file_->made();
  if (!made) return done(std::span<const std::byte>());  // nothing was written yet
  read_on_thread(core_, made, made->file.get(), offset, size, std::move(done));
}

// Runs `operation(env, fd)` without looking at the volume's marker: the file is open.
template <typename Operation>
auto LocalDraft::on_file(BlockingPool LocalCore::*pool, Operation operation)
    -> task<std::invoke_result_t<Operation, Env&, int>> {
  using Outcome = std::invoke_result_t<Operation, Env&, int>;
  auto work = [core = core_, file = file_, subject = subject(), operation = std::move(operation)] {
    const auto made = file->get(core->disk);
    Outcome outcome = made ? operation(core->disk.env(), (*made)->file.get()) : Outcome(made.error());
    if (!outcome)
      outcome =
          outcome.error().within(fmt::format("node {}: {}", core->disk.marker().node, printable(subject)));
    return outcome;
  };
  co_return co_await offload(core_.get()->*pool, std::move(work));
}

task<result<void>> LocalDraft::truncate(std::uint64_t size) {
  if (placed_) co_return finished();
  auto change = [size](Env& env, int fd) { return env.truncate(fd, size); };
  co_return co_await on_file(&LocalCore::writes, change);
}

task<result<void>> LocalDraft::allocate(int mode, std::uint64_t offset, std::uint64_t length) {
  if (placed_) co_return finished();
  auto change = [mode, offset, length](Env& env, int fd) { return env.allocate(fd, mode, offset, length); };
  co_return co_await on_file(&LocalCore::writes, change);
}

task<result<std::uint64_t>> LocalDraft::seek(std::uint64_t offset, int whence) {
  if (!file_->made()) co_return system_error(ENXIO, "looking for data or a hole");  // nothing was written yet
  auto look = [offset, whence](Env& env, int fd) { return env.seek(fd, offset, whence); };
  co_return co_await on_file(&LocalCore::reads, look);
}

task<result<Digest>> LocalDraft::digest(DigestAlgorithm algorithm) {
  auto read = [algorithm](Env& env, int fd) { return digest_of_file(env, fd, algorithm); };
  co_return co_await on_file(&LocalCore::syncs, read);
}

task<result<void>> LocalDraft::sync() {
  // Bytes that have no name after a power loss are not safe.
  const std::string folder =
      placed_ ? std::string(placed_->path.parent().relative()) : std::string(kTemporaryFolder);
  auto make_safe = [file = file_, folder, placed = placed_.has_value(), name_is_safe = name_is_safe_](
                       LocalDisk& disk, int root) -> result<void> {
    Env& env = disk.env();
    GG_TRY(const auto made, file->get(disk));
    // The modification time too, once it has one.
    GG_CHECK(placed ? env.sync(made->file.get()) : env.sync_bytes(made->file.get()));
    if (name_is_safe) return {};
    auto synced = disk.sync_folder(root, folder);
    // Its folder has moved on: whoever moved it makes that power-safe.
    if (!synced && placed && is_no_such_path(synced.error())) return disk.prove_absence(root);
    return synced;
  };
  auto synced = co_await attached_on(&LocalCore::syncs, core_, subject(), std::move(make_safe));
  if (synced) name_is_safe_ = true;
  co_return synced;
}

task<result<void>> LocalDraft::place(DraftPlace where) {
  if (placed_) co_return finished();
  const std::string subject = where.path.str();
  const bool power_safe = where.power_safe;
  const auto pool = power_safe ? &LocalCore::syncs : &LocalCore::writes;
  auto change = [file = file_, where = std::move(where)](LocalDisk& disk, int root) -> result<PlacedDraft> {
    GG_TRY(const auto made, file->get(disk));
    return place_draft(disk, root, *made, where);
  };
  auto placed = co_await attached_on(pool, core_, subject, std::move(change));
  if (!placed) co_return placed.error();
  placed_ = std::move(*placed);
  name_is_safe_ = power_safe;
  co_return result<void>();
}

task<result<void>> LocalDraft::take_back() {
  if (!placed_) co_return result<void>();
  auto change = [file = file_->made(), placed = *placed_](LocalDisk& disk, int root) {
    return take_back_draft(disk, root, *file, placed);
  };
  // It may have to be copied.
  auto back = co_await attached_on(&LocalCore::syncs, core_, subject(), std::move(change));
  if (!back) co_return back.error();
  const std::string path = subject();
  placed_.reset();
  name_is_safe_ = false;
  if (*back == nullptr) co_return result<void>();
  file_ = std::make_shared<FileWhenNeeded>(std::move(*back));
  co_return fail(errc::stale, "node {}: {}: another file lies there by now: left alone",
                 core_->disk.marker().node, printable(path));
}

task<result<void>> LocalDraft::settle(Timestamp when) {
  if (!placed_ || !placed_->displaced) co_return result<void>();
  auto change = [file = file_->made(), placed = *placed_, when](LocalDisk& disk, int root) {
    return put_displaced_aside(disk, root, *file, placed, when);
  };
  const auto pool = placed_->power_safe ? &LocalCore::syncs : &LocalCore::writes;
  auto settled = co_await attached_on(pool, core_, subject(), std::move(change));
  if (settled) placed_->displaced = false;
  co_return settled;
}

}  // namespace

task<result<std::shared_ptr<Draft>>> start_local_draft(std::shared_ptr<LocalCore> core,
                                                       DraftRequest request) {
  if (!request.base)
    co_return std::make_shared<LocalDraft>(core, std::make_shared<FileWhenNeeded>(request.name));
  const std::string subject = request.base->str();
  auto start = [core, request = std::move(request)](LocalDisk& disk,
                                                    int root) -> result<std::shared_ptr<Draft>> {
    GG_TRY(auto file, make_draft_from(disk, root, request));
    return std::make_shared<LocalDraft>(core, std::make_shared<FileWhenNeeded>(std::move(file)));
  };
  co_return co_await attached_on(&LocalCore::syncs, core, subject, std::move(start));
}

}  // namespace geogrid
