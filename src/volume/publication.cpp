#include "volume/publication.hpp"

#include <fcntl.h>

#include <map>

#include "async/parallel_for.hpp"
#include "volume/incoming.hpp"
#include "volume/marker.hpp"

namespace geogrid {
namespace {

// Two rounds, each of them parallel: the bytes of all files, then the names, folder by folder. Calls of one
// index touch only that index's entries, so that nothing here needs a lock.
//
// syncfs(2) in place of the first round was up to twice as fast on a disk that had nothing else to do, but it
// waits for whatever anybody has written to that disk, without bound, and its errors are not those of our
// files.
class Publication {
 public:
  Publication(std::shared_ptr<LocalCore> core, std::vector<PublishRequest> requests)
      : core_(std::move(core)), requests_(std::move(requests)) {
    outcomes_.assign(requests_.size(), fail(errc::internal, "not published"));
    files_.assign(requests_.size(), nullptr);
  }

  std::vector<result<PublishOutcome>> run();

 private:
  Env& env() const { return core_->disk.env(); }
  result<void> accept(std::size_t index);
  void save_bytes(std::size_t index);
  void name_files(const std::vector<std::size_t>& group);
  result<void> name_files_in(const Path& parent, const std::vector<std::size_t>& group);

  const std::shared_ptr<LocalCore> core_;
  const std::vector<PublishRequest> requests_;
  std::vector<result<PublishOutcome>> outcomes_;
  std::vector<LocalIncomingFile*> files_;  // those that are whole and power-safe
  UniqueFd root_;
};

std::vector<result<PublishOutcome>> Publication::run() {
  auto root = core_->disk.attach();
  if (!root) {
    outcomes_.assign(requests_.size(), root.error());
    return std::move(outcomes_);
  }
  root_ = std::move(*root);
  parallel_for(core_->syncs, requests_.size(), kParallelSyncs - 1,
               [this](std::size_t index) { save_bytes(index); });

  std::map<Path, std::vector<std::size_t>> by_parent;
  for (std::size_t i = 0; i < requests_.size(); ++i)
    if (files_[i] != nullptr) by_parent[requests_[i].path.parent()].push_back(i);
  std::vector<std::vector<std::size_t>> groups;
  for (auto& [parent, group] : by_parent) groups.push_back(std::move(group));
  parallel_for(core_->syncs, groups.size(), kParallelSyncs - 1,
               [this, &groups](std::size_t index) { name_files(groups[index]); });
  return std::move(outcomes_);
}

result<void> Publication::accept(std::size_t index) {
  const PublishRequest& request = requests_[index];
  if (request.path.is_root() || request.path.is_reserved())
    return fail(errc::invalid_argument, "{}: no file can be here", printable(request.path.str()));
  auto* file = dynamic_cast<LocalIncomingFile*>(request.file.get());
  if (file == nullptr || file->core() != core_ || file->settled())
    return fail(errc::invalid_argument, "{}: not a file that this volume is receiving",
                printable(request.path.str()));
  files_[index] = file;
  return {};
}

void Publication::save_bytes(std::size_t index) {
  auto done = accept(index);
  if (done) done = files_[index]->make_power_safe(requests_[index].attributes);
  if (done) return;
  files_[index] = nullptr;
  outcomes_[index] = core_->disk.explain(root_.get(), requests_[index].path.str(), done.error());
}

void Publication::name_files(const std::vector<std::size_t>& group) {
  const Path parent = requests_[group.front()].path.parent();
  auto done = name_files_in(parent, group);
  if (done) return;
  const Error error = core_->disk.explain(root_.get(), parent.str(), done.error());
  for (const std::size_t index : group) {
    auto& outcome = outcomes_[index];
    const bool untold = outcome ? *outcome == PublishOutcome::published : outcome.error().is(errc::internal);
    if (untold) outcome = error;
  }
}

result<void> Publication::name_files_in(const Path& parent, const std::vector<std::size_t>& group) {
  GG_TRY(const UniqueFd temporary, env().open(root_.get(), kTemporaryFolder, O_PATH | O_DIRECTORY));
  GG_TRY(const UniqueFd folder, core_->disk.open_or_make_folder(root_.get(), parent.relative()));
  GG_CHECK(core_->disk.sync_way_to(root_.get(), parent.relative()));
  bool changed = false;
  for (const std::size_t index : group) {
    const std::string name(requests_[index].path.filename());
    auto named =
        env().rename(temporary.get(), files_[index]->temporary_name(), folder.get(), name, IfTaken::fail);
    if (named) {
      outcomes_[index] = PublishOutcome::published;
      files_[index]->settle();
      changed = true;
    } else if (named.error().is(std::errc::file_exists)) {
      outcomes_[index] = PublishOutcome::occupied;
    } else {
      outcomes_[index] = core_->disk.explain(root_.get(), requests_[index].path.str(), named.error());
    }
  }
  if (!changed) return {};
  return env().sync(folder.get());
}

}  // namespace

std::vector<result<PublishOutcome>> publish_all(const std::shared_ptr<LocalCore>& core,
                                                std::vector<PublishRequest> requests) {
  return Publication(core, std::move(requests)).run();
}

}  // namespace geogrid
