#pragma once
// A folder of this machine, local disk or network mount, as a volume.

#include <memory>
#include <string>
#include <vector>

#include "volume/local_core.hpp"

namespace geogrid {

/// Each call is one hop to a thread of the core; what it does there is in a file of its own.
class LocalVolume final : public Volume {
 public:
  explicit LocalVolume(std::shared_ptr<LocalCore> core) : core_(std::move(core)) {}

  const std::string& node() const override { return core_->disk.marker().node; }
  task<result<VolumeSpace>> probe() override;

  task<result<DiskEntry>> stat(Path path) override;
  task<result<std::vector<DiskEntry>>> list(Path folder) override;
  task<result<std::shared_ptr<OpenFile>>> open(Path path) override;
  task<result<WholeFile>> read_whole(Path path, std::size_t limit, DigestAlgorithm algorithm) override;
  task<std::vector<result<WholeFile>>> digest(std::vector<Path> paths, DigestAlgorithm algorithm,
                                              bool keep_cached) override;

  task<result<std::shared_ptr<IncomingFile>>> receive(std::uint64_t expected_size) override;
  task<result<std::shared_ptr<IncomingFile>>> receive_whole(
      std::shared_ptr<const std::vector<std::byte>> data) override;
  task<std::vector<result<PublishOutcome>>> publish(std::vector<PublishRequest> requests) override;
  task<result<std::string>> put_aside(Path path, AsideReason reason, Timestamp when) override;
  task<result<void>> take_back(Path path, const DiskEntry& published) override;
  task<result<void>> make_folder(Path path, Attributes attributes) override;
  task<result<void>> make_symlink(Path path, std::string target, Attributes attributes) override;
  task<result<void>> set_mtime(Path path, Timestamp mtime) override;
  task<result<std::size_t>> clean_temporary() override;

  task<result<std::shared_ptr<Draft>>> start_draft(DraftRequest request) override;
  task<result<std::vector<DraftFound>>> drafts() override;
  task<result<std::string>> salvage(DraftName draft, Path path, Timestamp when) override;
  task<result<void>> exchange_draft(DraftName draft, Path path) override;
  task<result<WholeFile>> digest_draft(DraftName draft, DigestAlgorithm algorithm) override;
  task<result<void>> set_attributes(Path path, Attributes attributes) override;

  task<std::vector<result<DiskChanged>>> carry_out(std::vector<DiskChange> changes) override;
  task<result<void>> make_power_safe(std::vector<DiskChanged> changes) override;
  task<result<void>> undo(DiskChanged change) override;

  task<result<std::vector<TrashDate>>> trash_dates() override;
  task<result<std::vector<DiskEntry>>> list_trash(std::string date, Path folder) override;
  task<result<void>> restore_from_trash(std::string date, Path path, Path to) override;
  task<result<TrashPurge>> purge_trash(std::string date, Path below, std::size_t limit) override;

  task<result<std::shared_ptr<void>>> lock(std::string name) override;

 private:
  const std::shared_ptr<LocalCore> core_;
};

/// As Volume::list(), of any folder beneath the root. Blocking.
result<std::vector<DiskEntry>> list_folder(Env& env, int root, const Path& path);

}  // namespace geogrid
