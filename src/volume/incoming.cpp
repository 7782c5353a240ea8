#include "volume/incoming.hpp"

#include <fcntl.h>

#include "volume/marker.hpp"

namespace geogrid {

LocalIncomingFile::LocalIncomingFile(std::shared_ptr<LocalCore> core, TemporaryFile temporary)
    : core_(std::move(core)), temporary_(std::move(temporary)) {}

LocalIncomingFile::~LocalIncomingFile() {
  if (settled()) return;
  const auto file = std::make_shared<TemporaryFile>(std::move(temporary_));
  // Where this fails, a later clean_temporary() does it.
  (void)core_->work.post([disk = &core_->disk, core = core_, file] {
    if (const auto root = disk->attach(); root)
      if (const auto folder = disk->env().open(root->get(), kTemporaryFolder, O_PATH | O_DIRECTORY); folder)
        (void)disk->env().remove_file(folder->get(), file->name);
    file->file.reset();
  });
}

task<result<void>> LocalIncomingFile::append(std::shared_ptr<const std::vector<std::byte>> data) {
  auto work = [this, data] { return append_now(*data); };
  co_return co_await offload(core_->work, std::move(work));
}

result<void> LocalIncomingFile::append_now(std::span<const std::byte> data) {
  auto written = core_->disk.env().write(temporary_.file.get(), size_, data);
  if (!written)
    return written.error().within(fmt::format("node {}: a copy being made", core_->disk.marker().node));
  size_ += data.size();
  return {};
}

result<void> LocalIncomingFile::reserve(std::uint64_t size) {
  GG_CHECK(core_->disk.env().reserve(temporary_.file.get(), size));
  reserved_ = size;
  return {};
}

result<void> LocalIncomingFile::make_power_safe(const Attributes& attributes) {
  Env& env = core_->disk.env();
  const int file = temporary_.file.get();
  if (reserved_ > size_) GG_CHECK(env.truncate(file, size_));  // gives back what was reserved beyond the end
  GG_TRY(const struct stat now, env.status(file));
  identity_.disk_inode = now.st_ino;
  identity_.disk_device = now.st_dev;
  if (now.st_uid != attributes.uid || now.st_gid != attributes.gid) {
    auto owned = env.set_owner(file, attributes.uid, attributes.gid);
    // An ordinary user cannot give files away: the copy then belongs to that user, which metadata knows
    // better.
    if (!owned && !owned.error().is(std::errc::operation_not_permitted)) return owned;
  }
  GG_CHECK(env.set_mode(file, attributes.mode & 01777U));
  GG_CHECK(env.set_mtime(file, attributes.mtime));
  return env.sync(file);
}

void LocalIncomingFile::settle() {
  temporary_.file.reset();
}

}  // namespace geogrid
