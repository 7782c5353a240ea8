// Power losses at every step of what a volume changes.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "support/wait.hpp"
#include "unit/volume/lossy_disk.hpp"

namespace geogrid {
namespace {

namespace fs = std::filesystem;

using test::at_every_step;
using test::bytes_of;
using test::content_of;
using test::kMarker;
using test::kMtime;
using test::path_of;
using test::prepare_volume;
using Disk = test::LossyDisk;

const std::map<std::string, std::string> kFiles = {{"/old/a", "the first"},
                                                   {"/new/deep/b", std::string(10000, 'b')},
                                                   {"/new/deep/c", ""},
                                                   {"/d", "at the top"}};

std::vector<std::string> publish_files(Disk& disk) {
  const auto volume = disk.volume();
  std::vector<PublishRequest> requests;
  std::vector<std::string> paths;
  for (const auto& [path, content] : kFiles) {
    const auto file = run_to_end(disk.loop, volume->receive_whole(bytes_of(content)));
    if (!file) continue;
    requests.push_back(
        {.file = *file,
         .path = path_of(path),
         .attributes = {.mode = 0640, .uid = 0, .gid = 0, .atime = {}, .mtime = kMtime, .ctime = {}}});
    paths.push_back(path);
  }
  const auto outcomes = run_to_end(disk.loop, volume->publish(std::move(requests)));
  std::vector<std::string> published;
  for (std::size_t i = 0; i < paths.size(); ++i)
    if (outcomes[i] && *outcomes[i] == PublishOutcome::published) published.push_back(paths[i]);
  return published;
}

TEST(Crash, APublishedFileIsWholeAndAnAcknowledgedOneIsThere) {
  const auto prepare = [](Disk& disk) {
    prepare_volume(disk);
    fs::create_directory(disk.root() / "old");
  };
  at_every_step(prepare, publish_files, [](Disk& disk, const std::vector<std::string>& published) {
    for (const auto& [path, content] : kFiles) {
      const fs::path place = disk.root() / path.substr(1);
      const bool is_there = fs::exists(place);
      const bool acknowledged = std::find(published.begin(), published.end(), path) != published.end();
      EXPECT_TRUE(is_there || !acknowledged) << path;
      if (!is_there) continue;
      EXPECT_EQ(content_of(place), content) << path;
      const auto entry = run_to_end(disk.loop, disk.volume()->stat(path_of(path)));
      ASSERT_TRUE(entry) << entry.error().message;
      EXPECT_EQ(entry->attributes.mtime, kMtime);
      EXPECT_EQ(entry->attributes.mode, 0640U);
    }
    // The threads of the volume before the loss may still hold theirs.
    EXPECT_TRUE(test::wait_until([&] {
      return run_to_end(disk.loop, disk.volume()->clean_temporary()) &&
             fs::is_empty(disk.root() / ".geogrid/tmp");
    }));
  });
}

TEST(Crash, AMarkerIsWholeOrNotThere) {
  const auto initialise = [](Disk& disk) {
    return initialise_volume_with(*disk.env, disk.root().string(), kMarker).has_value();
  };
  at_every_step([](Disk&) {}, initialise,
                [](Disk& disk, bool done) {
                  const auto marker = read_volume_marker(disk.root().string());
                  if (marker) {
                    EXPECT_EQ(marker->uuid, kMarker.uuid);
                  } else {
                    EXPECT_FALSE(done);
                    EXPECT_TRUE(marker.error().is(std::errc::no_such_file_or_directory))
                        << marker.error().message;
                    // It can be begun again.
                    EXPECT_TRUE(initialise_volume_with(*disk.env, disk.root().string(), kMarker));
                  }
                });
}

TEST(Crash, AFilePutAsideIsInOneOfItsPlaces) {
  const auto prepare = [](Disk& disk) {
    prepare_volume(disk);
    fs::create_directories(disk.root() / "photos");
    std::ofstream(disk.root() / "photos/a") << "other";
  };
  const auto put_aside = [](Disk& disk) {
    return run_to_end(disk.loop,
                      disk.volume()->put_aside(path_of("/photos/a"), AsideReason::conflict, kMtime))
        .has_value();
  };
  at_every_step(prepare, put_aside, [](Disk& disk, bool done) {
    const fs::path aside = disk.root() / ".geogrid/conflicts/2013-08-05/photos/a";
    const fs::path place = disk.root() / "photos/a";
    EXPECT_TRUE(fs::exists(aside) || fs::exists(place));
    EXPECT_EQ(content_of(fs::exists(aside) ? aside : place), "other");
    EXPECT_TRUE(!done || fs::exists(aside));
  });
}

TEST(Crash, FoldersAndSymlinksThatWereAcknowledgedAreThere) {
  const auto make = [](Disk& disk) {
    const auto volume = disk.volume();
    const Attributes attributes{.mode = 0750, .uid = 0, .gid = 0, .atime = {}, .mtime = kMtime, .ctime = {}};
    return std::pair(
        run_to_end(disk.loop, volume->make_folder(path_of("/x/y/z"), attributes)).has_value(),
        run_to_end(disk.loop, volume->make_symlink(path_of("/x/l"), "to", attributes)).has_value());
  };
  at_every_step(prepare_volume, make, [](Disk& disk, std::pair<bool, bool> done) {
    const fs::path folder = disk.root() / "x/y/z";
    EXPECT_TRUE(!done.first || fs::is_directory(folder));
    EXPECT_TRUE(!fs::exists(folder) || fs::status(folder).permissions() == fs::perms(0750));
    EXPECT_TRUE(!done.second || fs::is_symlink(disk.root() / "x/l"));
  });
}

TEST(Crash, WhatWasTakenBackStaysAway) {
  const auto prepare = [](Disk& disk) {
    prepare_volume(disk);
    std::ofstream(disk.root() / "a") << "unwanted";
  };
  const auto take_back = [](Disk& disk) {
    const auto volume = disk.volume();
    const auto entry = run_to_end(disk.loop, volume->stat(path_of("/a"))).value();
    return run_to_end(disk.loop, volume->take_back(path_of("/a"), entry)).has_value();
  };
  at_every_step(prepare, take_back, [](Disk& disk, bool done) {
    EXPECT_TRUE(!done || !fs::exists(disk.root() / "a"));
    if (fs::exists(disk.root() / "a")) {
      EXPECT_EQ(content_of(disk.root() / "a"), "unwanted");
    }
  });
}

}  // namespace
}  // namespace geogrid
