#pragma once
// What every kind of volume owes. A test reaches the volume's tree from behind too, since the archive is
// ordinary files.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/scratch.hpp"
#include "volume/volume.hpp"

namespace geogrid::test {

/// One kind of volume.
struct VolumeMaker {
  std::string name;
  /// Opens the tree at `root`.
  std::function<std::shared_ptr<Volume>(const std::string& root, const VolumeMarker& expected)> open;
};

/// All kinds there are; a new one joins here.
const std::vector<VolumeMaker>& volume_makers();
std::string name_of_maker(const testing::TestParamInfo<VolumeMaker>& info);
void PrintTo(const VolumeMaker& maker, std::ostream* out);

/// The volume of the node "jam" in a scratch folder.
class VolumeContract : public testing::TestWithParam<VolumeMaker> {
 protected:
  void SetUp() override;

  template <typename T>
  T run(task<T> work) {
    return run_to_end(loop, std::move(work));
  }

  // ---- from behind ----
  std::filesystem::path at(std::string_view path) const { return root / std::filesystem::path(path); }
  void put(std::string_view path, std::string_view content) const;
  std::string content(std::string_view path) const;
  bool exists(std::string_view path) const;
  /// Names in `.geogrid/tmp`.
  std::vector<std::string> temporaries() const;

  // ---- through the volume ----
  std::shared_ptr<IncomingFile> receive(std::string_view content);
  result<PublishOutcome> publish(std::string_view path, std::string_view content,
                                 Attributes attributes = own());
  /// All of a file, read in steps of `step`.
  result<std::string> read(std::string_view path, std::size_t step = 65536);
  result<std::vector<std::string>> names(std::string_view path);

  // ---- drafts ----
  /// Of the file 7, of an owner 99; each has a number of its own.
  DraftName draft_name() { return {.file = InodeId(7), .owner = 99, .number = ++drafts_started}; }
  std::shared_ptr<Draft> start_draft();
  /// With these bytes.
  std::shared_ptr<Draft> draft_of(std::string_view content);
  static result<void> write(Draft& draft, std::uint64_t offset, std::string_view text);
  static result<std::string> read(Draft& draft, std::uint64_t offset = 0, std::size_t size = 65536);
  result<void> place(Draft& draft, std::string_view path, bool replaces = false, bool power_safe = false);

  /// mode 0644, owned by this process, last changed in 2013.
  static Attributes own();

  asio::io_context loop;
  Scratch scratch{"volume"};
  std::filesystem::path root;
  VolumeMarker marker{.cluster_uuid = "5f1c", .cluster_name = "geograph", .node = "jam", .uuid = "77aa"};
  std::shared_ptr<Volume> volume;
  std::uint64_t drafts_started = 0;
};

Path path_of(std::string_view text);
std::shared_ptr<const std::vector<std::byte>> bytes_of(std::string_view text);

}  // namespace geogrid::test
