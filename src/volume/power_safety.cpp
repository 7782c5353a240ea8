#include <mutex>
#include <optional>
#include <set>

#include "async/parallel_for.hpp"
#include "volume/aside.hpp"
#include "volume/carrying_out.hpp"
#include "volume/naming.hpp"

namespace geogrid {
namespace {

bool is_at_or_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// Where `path` is after `moved`.
void follow(std::string& path, const DiskChanged& moved) {
  if (!moved.changed || moved.from.empty() || moved.to.empty()) return;
  if (is_at_or_below(path, moved.from))
    path.replace(0, moved.from.size(), moved.to);
  else if (moved.kind == DiskChange::Kind::exchange && is_at_or_below(path, moved.to))
    path.replace(0, moved.to.size(), moved.from);
}

// The folders that changes touched, by their present paths: those that got a name, and those that only lost
// one.
struct Touched {
  std::set<std::string> got;
  std::set<std::string> lost;
};

Touched folders_touched(const std::vector<DiskChanged>& changes) {
  std::vector<const DiskChanged*> moves;  // of folders, perhaps: what lies in trash is none
  for (const DiskChanged& change : changes)
    if (change.kind == DiskChange::Kind::rename || change.kind == DiskChange::Kind::exchange)
      moves.push_back(&change);
  Touched touched;
  const auto add = [&](std::set<std::string>& folders, const DiskChanged& change, const std::string& name) {
    if (name.empty()) return;
    std::string folder(parent_of(name));
    for (const DiskChanged* moved : moves)
      if (moved > &change) follow(folder, *moved);
    folders.insert(std::move(folder));
  };
  for (const DiskChanged& change : changes) {
    add(touched.got, change, change.to);
    add(change.kind == DiskChange::Kind::exchange ? touched.got : touched.lost, change, change.from);
  }
  std::erase_if(touched.lost, [&](const auto& folder) { return touched.got.contains(folder); });
  return touched;
}

class SyncAll {
 public:
  SyncAll(std::shared_ptr<LocalCore> core, int root) : core_(std::move(core)), root_(root) {}

  result<void> run(const std::set<std::string>& folders) {
    const std::vector<std::string> paths(folders.begin(), folders.end());
    parallel_for(core_->syncs, paths.size(), kParallelSyncs - 1, [&](std::size_t i) { sync(paths[i]); });
    if (failure_) return *failure_;
    return {};
  }

 private:
  void sync(const std::string& path) {
    const auto synced = core_->disk.sync_folder(root_, path);
    // Gone: whoever removed or moved it answers for its names.
    if (synced || is_no_such_path(synced.error())) return;
    const std::scoped_lock lock(mutex_);
    failure_ = core_->disk.explain(root_, path, synced.error());
  }

  const std::shared_ptr<LocalCore> core_;
  const int root_;
  std::mutex mutex_;
  std::optional<Error> failure_;  // guarded by mutex_
};

}  // namespace

result<void> make_changes_power_safe(const std::shared_ptr<LocalCore>& core,
                                     std::vector<DiskChanged> changes) {
  if (changes.empty()) return {};
  GG_TRY(const UniqueFd root, core->disk.attach());
  const Touched touched = folders_touched(changes);
  SyncAll all(core, root.get());
  // The new names first: a power loss in between leaves a file with two names, not with none.
  GG_CHECK(all.run(touched.got));
  GG_CHECK(all.run(touched.lost));
  return core->disk.prove_absence(root.get());
}

}  // namespace geogrid
