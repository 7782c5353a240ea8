#include "volume/local_volume.hpp"

#include <fcntl.h>

#include <algorithm>

#include "volume/attached.hpp"
#include "volume/changes.hpp"
#include "volume/digesting.hpp"
#include "volume/exchange.hpp"
#include "volume/incoming.hpp"
#include "volume/marker.hpp"
#include "volume/publication.hpp"
#include "volume/reading.hpp"
#include "volume/temporary.hpp"

namespace geogrid {
namespace {

class LocalOpenFile final : public OpenFile {
 public:
  LocalOpenFile(std::shared_ptr<LocalCore> core, UniqueFd file, DiskEntry entry)
      : core_(std::move(core)),
        file_(std::make_shared<UniqueFd>(std::move(file))),
        entry_(std::move(entry)) {}
  ~LocalOpenFile() override {
    (void)core_->reads.post([file = std::move(file_)]() mutable { file.reset(); });
  }
  const DiskEntry& entry() const override { return entry_; }

  void read(std::uint64_t offset, std::size_t size,
            std::function<void(result<std::span<const std::byte>>)> done) override {
    read_on_thread(core_, file_, file_->get(), offset, size, std::move(done));
  }

 private:
  std::shared_ptr<LocalCore> core_;
  std::shared_ptr<UniqueFd> file_;
  DiskEntry entry_;
};

std::vector<DiskEntry> disk_entries(std::vector<FolderEntry> found, bool is_root) {
  std::vector<DiskEntry> entries;
  entries.reserve(found.size());
  for (FolderEntry& entry : found)
    if (!is_root || entry.name != kReservedName)
      entries.push_back(disk_entry(std::move(entry.name), entry.status));
  std::sort(entries.begin(), entries.end(),
            [](const DiskEntry& a, const DiskEntry& b) { return a.name < b.name; });
  return entries;
}

result<std::shared_ptr<LocalIncomingFile>> start_copy(const std::shared_ptr<LocalCore>& core,
                                                      std::uint64_t reserve) {
  auto temporary = attached(core->disk, kTemporaryFolder,
                            [](LocalDisk& disk, int root) { return make_temporary(disk, root); });
  if (!temporary) return temporary.error();
  auto file = std::make_shared<LocalIncomingFile>(core, std::move(*temporary));
  auto reserved = file->reserve(reserve);
  if (!reserved) return reserved.error().within(fmt::format("node {}", core->disk.marker().node));
  return file;
}

}  // namespace

result<std::vector<DiskEntry>> list_folder(Env& env, int root, const Path& path) {
  GG_TRY(const UniqueFd folder, env.open(root, path.relative(), O_RDONLY | O_DIRECTORY));
  GG_TRY(auto found, env.list(folder.get()));
  std::vector<DiskEntry> entries = disk_entries(std::move(found), path.is_root());
  for (DiskEntry& entry : entries) {
    if (entry.type != FileType::symlink) continue;
    GG_TRY(entry.link_target, env.read_link(folder.get(), entry.name));
  }
  return entries;
}

task<result<VolumeSpace>> LocalVolume::probe() {
  auto look = [](LocalDisk& disk, int root) -> result<VolumeSpace> {
    GG_TRY(const struct statvfs space, disk.env().space(root));
    return VolumeSpace{.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize,
                       .total_bytes = std::uint64_t{space.f_blocks} * space.f_frsize};
  };
  co_return co_await attached_on(&LocalCore::watch, core_, "/", look);
}

task<result<DiskEntry>> LocalVolume::stat(Path path) {
  auto look = [path](LocalDisk& disk, int root) { return find_entry(disk.env(), root, path); };
  co_return co_await attached_on(&LocalCore::reads, core_, path.str(), std::move(look));
}

task<result<std::vector<DiskEntry>>> LocalVolume::list(Path folder) {
  auto look = [folder](LocalDisk& disk, int root) { return list_folder(disk.env(), root, folder); };
  co_return co_await attached_on(&LocalCore::reads, core_, folder.str(), std::move(look));
}

task<result<std::shared_ptr<OpenFile>>> LocalVolume::open(Path path) {
  auto open = [core = core_, path](LocalDisk& disk, int root) -> result<std::shared_ptr<OpenFile>> {
    struct stat status {};
    GG_TRY(UniqueFd file, open_file(disk.env(), root, path, status));
    return std::make_shared<LocalOpenFile>(core, std::move(file),
                                           disk_entry(std::string(path.filename()), status));
  };
  co_return co_await attached_on(&LocalCore::reads, core_, path.str(), std::move(open));
}

task<result<WholeFile>> LocalVolume::read_whole(Path path, std::size_t limit, DigestAlgorithm algorithm) {
  auto work = [core = core_, path = std::move(path), limit, algorithm] {
    return read_whole_file(core->disk, path, limit, algorithm);
  };
  co_return co_await offload(core_->work, std::move(work));
}

task<std::vector<result<WholeFile>>> LocalVolume::digest(std::vector<Path> paths, DigestAlgorithm algorithm,
                                                         bool keep_cached) {
  const std::size_t count = paths.size();
  auto work = [core = core_, paths = std::move(paths), algorithm,
               keep_cached]() -> result<std::vector<result<WholeFile>>> {
    return digest_files(core->disk, paths, algorithm, keep_cached);
  };
  auto answers = co_await offload(core_->work, std::move(work));
  if (!answers) co_return std::vector<result<WholeFile>>(count, answers.error());
  co_return std::move(*answers);
}

task<result<std::shared_ptr<IncomingFile>>> LocalVolume::receive(std::uint64_t expected_size) {
  auto work = [core = core_, expected_size]() -> result<std::shared_ptr<IncomingFile>> {
    GG_TRY(auto file, start_copy(core, expected_size));
    return file;
  };
  co_return co_await offload(core_->work, std::move(work));
}

task<result<std::shared_ptr<IncomingFile>>> LocalVolume::receive_whole(
    std::shared_ptr<const std::vector<std::byte>> data) {
  auto work = [core = core_, data]() -> result<std::shared_ptr<IncomingFile>> {
    GG_TRY(auto file, start_copy(core, 0));
    GG_CHECK(file->append_now(*data));
    return file;
  };
  co_return co_await offload(core_->work, std::move(work));
}

task<std::vector<result<PublishOutcome>>> LocalVolume::publish(std::vector<PublishRequest> requests) {
  const std::size_t count = requests.size();
  const auto shared = std::make_shared<std::vector<PublishRequest>>(std::move(requests));
  auto work = [core = core_, shared]() -> result<std::vector<result<PublishOutcome>>> {
    return publish_all(core, std::move(*shared));
  };
  auto outcomes = co_await offload(core_->syncs, std::move(work));
  if (!outcomes) co_return std::vector<result<PublishOutcome>>(count, outcomes.error());
  co_return std::move(*outcomes);
}

task<result<std::string>> LocalVolume::put_aside(Path path, AsideReason reason, Timestamp when) {
  auto change = [path, reason, when](LocalDisk& disk, int root) {
    return put_aside_at(disk, root, path, reason, when);
  };
  co_return co_await attached_on(&LocalCore::work, core_, path.str(), std::move(change));
}

task<result<void>> LocalVolume::take_back(Path path, const DiskEntry& published) {
  auto change = [path, published](LocalDisk& disk, int root) {
    return take_back_at(disk, root, path, published);
  };
  co_return co_await attached_on(&LocalCore::work, core_, path.str(), std::move(change));
}

task<result<void>> LocalVolume::make_folder(Path path, Attributes attributes) {
  auto change = [path, attributes](LocalDisk& disk, int root) {
    return make_folder_at(disk, root, path, attributes);
  };
  co_return co_await attached_on(&LocalCore::work, core_, path.str(), std::move(change));
}

task<result<void>> LocalVolume::make_symlink(Path path, std::string target, Attributes attributes) {
  auto change = [path, target = std::move(target), attributes](LocalDisk& disk, int root) {
    return make_symlink_at(disk, root, path, target, attributes);
  };
  co_return co_await attached_on(&LocalCore::work, core_, path.str(), std::move(change));
}

task<result<void>> LocalVolume::set_mtime(Path path, Timestamp mtime) {
  auto change = [path, mtime](LocalDisk& disk, int root) { return set_mtime_at(disk, root, path, mtime); };
  co_return co_await attached_on(&LocalCore::work, core_, path.str(), std::move(change));
}

task<result<std::size_t>> LocalVolume::clean_temporary() {
  auto change = [](LocalDisk& disk, int root) {
    remove_old_notes(disk, root);
    return remove_abandoned_temporaries(disk, root);
  };
  co_return co_await attached_on(&LocalCore::work, core_, std::string(kTemporaryFolder), change);
}

task<result<std::shared_ptr<void>>> LocalVolume::lock(std::string name) {
  auto take = [core = core_, name](LocalDisk& disk, int root) -> result<std::shared_ptr<void>> {
    GG_TRY(UniqueFd file, take_lock_at(disk, root, name));
    // Given back on the same thread that takes locks, so that whoever asks next gets it.
    const auto give_back = [core](UniqueFd* held) {
      const std::shared_ptr<UniqueFd> owned(held);
      (void)core->watch.post([owned] { owned->reset(); });
    };
    return std::shared_ptr<void>(std::shared_ptr<UniqueFd>(new UniqueFd(std::move(file)), give_back));
  };
  co_return co_await attached_on(&LocalCore::watch, core_, std::string(kLocksFolder), std::move(take));
}

std::shared_ptr<Volume> open_local_volume(LocalVolumeOptions options, VolumeMarker expected) {
  auto env = options.env ? std::move(options.env) : make_posix_env();
  expected.node = std::move(options.node);
  return std::make_shared<LocalVolume>(std::make_shared<LocalCore>(std::move(env), std::move(options.root),
                                                                   std::move(expected), options.threads));
}

}  // namespace geogrid
