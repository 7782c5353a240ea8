#include "contract/volume/volume_contract.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <iterator>

namespace geogrid::test {

namespace fs = std::filesystem;

Path path_of(std::string_view text) {
  return Path::parse(text).value();
}

std::shared_ptr<const std::vector<std::byte>> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
}

void VolumeContract::SetUp() {
  root = scratch.path() / "jam";
  fs::create_directory(root);
  ASSERT_TRUE(initialise_volume(root.string(), marker));
  volume = GetParam().open(root.string(), marker);
}

void VolumeContract::put(std::string_view path, std::string_view content) const {
  fs::create_directories(at(path).parent_path());
  std::ofstream file(at(path), std::ios::binary);
  file << content;
  ASSERT_TRUE(file.good());
}

std::string VolumeContract::content(std::string_view path) const {
  std::ifstream file(at(path), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool VolumeContract::exists(std::string_view path) const {
  return fs::exists(fs::symlink_status(at(path)));
}

std::vector<std::string> VolumeContract::temporaries() const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(root / ".geogrid/tmp"))
    found.push_back(entry.path().filename());
  return found;
}

Attributes VolumeContract::own() {
  return {.mode = 0644,
          .uid = getuid(),
          .gid = getgid(),
          .atime = {},
          .mtime = {1375696800, 123456789},
          .ctime = {}};
}

std::shared_ptr<IncomingFile> VolumeContract::receive(std::string_view content) {
  return run(volume->receive_whole(bytes_of(content))).value();
}

result<PublishOutcome> VolumeContract::publish(std::string_view path, std::string_view content,
                                               Attributes attributes) {
  std::vector<PublishRequest> requests;
  requests.push_back({.file = receive(content), .path = path_of(path), .attributes = attributes});
  return run(volume->publish(std::move(requests))).at(0);
}

result<std::string> VolumeContract::read(std::string_view path, std::size_t step) {
  GG_TRY(const std::shared_ptr<OpenFile> file, run(volume->open(path_of(path))));
  std::string text;
  for (;;) {
    std::promise<result<std::string>> got;
    file->read(text.size(), step, [&got](result<std::span<const std::byte>> bytes) {
      if (!bytes)
        got.set_value(bytes.error());
      else
        got.set_value(std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
    });
    GG_TRY(const std::string part, got.get_future().get());
    text += part;
    if (part.size() < step) return text;
  }
}

result<std::vector<std::string>> VolumeContract::names(std::string_view path) {
  GG_TRY(const std::vector<DiskEntry> entries, run(volume->list(path_of(path))));
  std::vector<std::string> found;
  std::transform(entries.begin(), entries.end(), std::back_inserter(found),
                 [](const DiskEntry& e) { return e.name; });
  return found;
}

std::shared_ptr<Draft> VolumeContract::start_draft() {
  return run(volume->start_draft({.name = draft_name(), .base = {}, .base_size = 0})).value();
}

std::shared_ptr<Draft> VolumeContract::draft_of(std::string_view content) {
  auto draft = start_draft();
  EXPECT_TRUE(write(*draft, 0, content));
  return draft;
}

result<void> VolumeContract::write(Draft& draft, std::uint64_t offset, std::string_view text) {
  std::promise<result<void>> written;
  draft.write(offset, std::as_bytes(std::span(text)),
              [&written](result<void> done) { written.set_value(done); });
  return written.get_future().get();
}

result<std::string> VolumeContract::read(Draft& draft, std::uint64_t offset, std::size_t size) {
  std::promise<result<std::string>> got;
  draft.read(offset, size, [&got](result<std::span<const std::byte>> bytes) {
    if (!bytes)
      got.set_value(bytes.error());
    else
      got.set_value(std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  });
  return got.get_future().get();
}

result<void> VolumeContract::place(Draft& draft, std::string_view path, bool replaces, bool power_safe) {
  DraftPlace where{
      .path = path_of(path), .attributes = own(), .power_safe = power_safe, .replaces = replaces};
  return run(draft.place(std::move(where)));
}

std::string name_of_maker(const testing::TestParamInfo<VolumeMaker>& info) {
  return info.param.name;
}

void PrintTo(const VolumeMaker& maker, std::ostream* out) {
  *out << maker.name;
}

const std::vector<VolumeMaker>& volume_makers() {
  static const std::vector<VolumeMaker> makers = {
      {.name = "local", .open = [](const std::string& root, const VolumeMarker& expected) {
         return open_local_volume({.root = root, .node = expected.node, .env = nullptr}, expected);
       }}};
  return makers;
}

INSTANTIATE_TEST_SUITE_P(All, VolumeContract, testing::ValuesIn(volume_makers()), name_of_maker);

}  // namespace geogrid::test
