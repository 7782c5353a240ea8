// What clients write, what the node owes, and its trash.

#include "volume/attached.hpp"
#include "volume/carrying_out.hpp"
#include "volume/changes.hpp"
#include "volume/digesting.hpp"
#include "volume/found_drafts.hpp"
#include "volume/local_draft.hpp"
#include "volume/local_volume.hpp"
#include "volume/marker.hpp"
#include "volume/naming.hpp"
#include "volume/trash_folder.hpp"

namespace geogrid {

task<result<std::shared_ptr<Draft>>> LocalVolume::start_draft(DraftRequest request) {
  return start_local_draft(core_, std::move(request));
}

task<result<std::vector<DraftFound>>> LocalVolume::drafts() {
  auto look = [](LocalDisk& disk, int root) { return find_drafts(disk, root); };
  co_return co_await attached_on(&LocalCore::work, core_, std::string(kTemporaryFolder), look);
}

task<result<std::string>> LocalVolume::salvage(DraftName draft, Path path, Timestamp when) {
  auto change = [draft, path, when](LocalDisk& disk, int root) {
    return salvage_draft(disk, root, draft, path, when);
  };
  co_return co_await attached_on(&LocalCore::work, core_, path.str(), std::move(change));
}

task<result<void>> LocalVolume::exchange_draft(DraftName draft, Path path) {
  auto change = [draft, path](LocalDisk& disk, int root) {
    return exchange_draft_at(disk, root, draft, path);
  };
  co_return co_await attached_on(&LocalCore::work, core_, path.str(), std::move(change));
}

task<result<WholeFile>> LocalVolume::digest_draft(DraftName draft, DigestAlgorithm algorithm) {
  auto work = [core = core_, draft, algorithm]() -> result<WholeFile> {
    return digest_files(core->disk, {path_of_draft(draft)}, algorithm, true).at(0);
  };
  co_return co_await offload(core_->work, std::move(work));
}

task<result<void>> LocalVolume::set_attributes(Path path, Attributes attributes) {
  auto change = [path, attributes](LocalDisk& disk, int root) -> result<void> {
    return set_attributes_at(disk, root, path, attributes);
  };
  co_return co_await attached_on(&LocalCore::writes, core_, path.str(), std::move(change));
}

task<std::vector<result<DiskChanged>>> LocalVolume::carry_out(std::vector<DiskChange> changes) {
  auto work = [core = core_, changes = std::move(changes)]() -> result<std::vector<result<DiskChanged>>> {
    return carry_out_all(core->disk, changes);
  };
  auto answers = co_await offload(core_->writes, std::move(work));
  if (!answers) co_return std::vector<result<DiskChanged>>(1, answers.error());
  co_return std::move(*answers);
}

task<result<void>> LocalVolume::make_power_safe(std::vector<DiskChanged> changes) {
  auto work = [core = core_, changes = std::move(changes)] { return make_changes_power_safe(core, changes); };
  co_return co_await offload(core_->syncs, std::move(work));
}

task<result<void>> LocalVolume::undo(DiskChanged change) {
  std::string subject = "/" + change.from;
  auto work = [change = std::move(change)](LocalDisk& disk, int root) {
    return undo_change(disk, root, change);
  };
  co_return co_await attached_on(&LocalCore::syncs, core_, std::move(subject), std::move(work));
}

task<result<std::vector<TrashDate>>> LocalVolume::trash_dates() {
  auto look = [](LocalDisk& disk, int root) { return find_trash_dates(disk, root); };
  co_return co_await attached_on(&LocalCore::work, core_, std::string(kTrashFolder), look);
}

task<result<std::vector<DiskEntry>>> LocalVolume::list_trash(std::string date, Path folder) {
  auto look = [date, folder](LocalDisk& disk, int root) -> result<std::vector<DiskEntry>> {
    GG_TRY(const Path path, path_in_trash(date, folder));
    return list_folder(disk.env(), root, path);
  };
  co_return co_await attached_on(&LocalCore::work, core_, "trash of " + date + ": " + folder.str(),
                                 std::move(look));
}

task<result<void>> LocalVolume::restore_from_trash(std::string date, Path path, Path to) {
  auto change = [date, path, to](LocalDisk& disk, int root) {
    return restore_at(disk, root, date, path, to);
  };
  co_return co_await attached_on(&LocalCore::syncs, core_, "trash of " + date + ": " + path.str(),
                                 std::move(change));
}

task<result<TrashPurge>> LocalVolume::purge_trash(std::string date, Path below, std::size_t limit) {
  auto change = [date, below, limit](LocalDisk& disk, int root) {
    return purge_at(disk, root, date, below, limit);
  };
  co_return co_await attached_on(&LocalCore::work, core_, "trash of " + date + ": " + below.str(),
                                 std::move(change));
}

}  // namespace geogrid
