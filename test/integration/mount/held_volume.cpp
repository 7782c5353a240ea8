#include "held_volume.hpp"

#include <atomic>
#include <mutex>

namespace geogrid::test {

struct HeldVolume::State {
  std::mutex mutex;
  bool held = false;  // guarded by mutex, as is waiting
  std::vector<std::function<void()>> waiting;
  std::atomic<int> reads{0};

  void pass(std::function<void()> read) {
    ++reads;
    {
      const std::scoped_lock lock(mutex);
      if (held) {
        waiting.push_back(std::move(read));
        return;
      }
    }
    read();
  }
};

namespace {

class SwitchedFile final : public OpenFile {
 public:
  SwitchedFile(std::shared_ptr<OpenFile> file, std::function<void(std::function<void()>)> pass)
      : file_(std::move(file)), pass_(std::move(pass)) {}
  const DiskEntry& entry() const override { return file_->entry(); }
  void read(std::uint64_t offset, std::size_t size,
            std::function<void(result<std::span<const std::byte>>)> done) override {
    pass_([file = file_, offset, size, done = std::move(done)] { file->read(offset, size, done); });
  }

 private:
  std::shared_ptr<OpenFile> file_;
  std::function<void(std::function<void()>)> pass_;
};

class SwitchedVolume final : public Volume {
 public:
  SwitchedVolume(std::shared_ptr<Volume> volume, std::function<void(std::function<void()>)> pass)
      : volume_(std::move(volume)), pass_(std::move(pass)) {}

  task<result<std::shared_ptr<OpenFile>>> open(Path path) override {
    GG_CO_TRY(auto file, co_await volume_->open(std::move(path)));
    co_return std::make_shared<SwitchedFile>(std::move(file), pass_);
  }

  const std::string& node() const override { return volume_->node(); }
  task<result<VolumeSpace>> probe() override { return volume_->probe(); }
  task<result<DiskEntry>> stat(Path path) override { return volume_->stat(std::move(path)); }
  task<result<std::vector<DiskEntry>>> list(Path folder) override { return volume_->list(std::move(folder)); }
  task<result<WholeFile>> read_whole(Path path, std::size_t limit, DigestAlgorithm algorithm) override {
    return volume_->read_whole(std::move(path), limit, algorithm);
  }
  task<std::vector<result<WholeFile>>> digest(std::vector<Path> paths, DigestAlgorithm algorithm,
                                              bool keep) override {
    return volume_->digest(std::move(paths), algorithm, keep);
  }
  task<result<std::shared_ptr<IncomingFile>>> receive(std::uint64_t size) override {
    return volume_->receive(size);
  }
  task<result<std::shared_ptr<IncomingFile>>> receive_whole(
      std::shared_ptr<const std::vector<std::byte>> data) override {
    return volume_->receive_whole(std::move(data));
  }
  task<std::vector<result<PublishOutcome>>> publish(std::vector<PublishRequest> requests) override {
    return volume_->publish(std::move(requests));
  }
  task<result<std::string>> put_aside(Path path, AsideReason reason, Timestamp when) override {
    return volume_->put_aside(std::move(path), reason, when);
  }
  task<result<void>> take_back(Path path, const DiskEntry& entry) override {
    return volume_->take_back(std::move(path), entry);
  }
  task<result<void>> make_folder(Path path, Attributes attributes) override {
    return volume_->make_folder(std::move(path), attributes);
  }
  task<result<void>> make_symlink(Path path, std::string target, Attributes attributes) override {
    return volume_->make_symlink(std::move(path), std::move(target), attributes);
  }
  task<result<void>> set_mtime(Path path, Timestamp mtime) override {
    return volume_->set_mtime(std::move(path), mtime);
  }
  task<result<std::size_t>> clean_temporary() override { return volume_->clean_temporary(); }
  task<result<std::shared_ptr<Draft>>> start_draft(DraftRequest request) override {
    return volume_->start_draft(std::move(request));
  }
  task<result<std::vector<DraftFound>>> drafts() override { return volume_->drafts(); }
  task<result<std::string>> salvage(DraftName draft, Path path, Timestamp when) override {
    return volume_->salvage(draft, std::move(path), when);
  }
  task<result<void>> exchange_draft(DraftName draft, Path path) override {
    return volume_->exchange_draft(draft, std::move(path));
  }
  task<result<WholeFile>> digest_draft(DraftName draft, DigestAlgorithm algorithm) override {
    return volume_->digest_draft(draft, algorithm);
  }
  task<result<void>> set_attributes(Path path, Attributes attributes) override {
    return volume_->set_attributes(std::move(path), attributes);
  }
  task<std::vector<result<DiskChanged>>> carry_out(std::vector<DiskChange> changes) override {
    return volume_->carry_out(std::move(changes));
  }
  task<result<void>> make_power_safe(std::vector<DiskChanged> changes) override {
    return volume_->make_power_safe(std::move(changes));
  }
  task<result<void>> undo(DiskChanged change) override { return volume_->undo(std::move(change)); }
  task<result<std::vector<TrashDate>>> trash_dates() override { return volume_->trash_dates(); }
  task<result<std::vector<DiskEntry>>> list_trash(std::string date, Path folder) override {
    return volume_->list_trash(std::move(date), std::move(folder));
  }
  task<result<void>> restore_from_trash(std::string date, Path path, Path to) override {
    return volume_->restore_from_trash(std::move(date), std::move(path), std::move(to));
  }
  task<result<TrashPurge>> purge_trash(std::string date, Path below, std::size_t limit) override {
    return volume_->purge_trash(std::move(date), std::move(below), limit);
  }
  task<result<std::shared_ptr<void>>> lock(std::string name) override {
    return volume_->lock(std::move(name));
  }

 private:
  std::shared_ptr<Volume> volume_;
  std::function<void(std::function<void()>)> pass_;
};

}  // namespace

HeldVolume::HeldVolume() : state_(std::make_shared<State>()) {}

std::shared_ptr<Volume> HeldVolume::wrap(std::shared_ptr<Volume> volume) {
  return std::make_shared<SwitchedVolume>(
      std::move(volume), [state = state_](std::function<void()> read) { state->pass(std::move(read)); });
}

void HeldVolume::hold() {
  const std::scoped_lock lock(state_->mutex);
  state_->held = true;
}

void HeldVolume::release() {
  std::vector<std::function<void()>> waiting;
  {
    const std::scoped_lock lock(state_->mutex);
    state_->held = false;
    waiting.swap(state_->waiting);
  }
  for (auto& read : waiting) read();
}

int HeldVolume::reads() const {
  return state_->reads;
}

}  // namespace geogrid::test
