// Power losses at every step of what clients write, and of what a node owes.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include "unit/volume/lossy_disk.hpp"
#include "volume/carrying_out.hpp"

namespace geogrid {
namespace {

namespace fs = std::filesystem;
using test::at_every_step;
using test::content_of;
using test::kMarker;
using test::kMtime;
using test::LossyDisk;
using test::path_of;
using test::prepare_volume;

const DraftName kName{.file = InodeId(7), .owner = 99, .number = 1};
const std::string kNew(5000, 'n');
const std::string kOld(3000, 'o');

void put(const LossyDisk& disk, const std::string& path, const std::string& content) {
  fs::create_directories((disk.root() / path).parent_path());
  std::ofstream(disk.root() / path) << content;
}

// Where in the tree and in .geogrid a file with this content lies.
std::vector<std::string> places_of(const LossyDisk& disk, const std::string& content) {
  std::vector<std::string> places;
  for (const auto& entry : fs::recursive_directory_iterator(disk.root()))
    if (entry.is_regular_file() && content_of(entry.path()) == content)
      places.push_back(fs::relative(entry.path(), disk.root()));
  return places;
}

result<std::shared_ptr<Draft>> write_draft(LossyDisk& disk, Volume& volume) {
  GG_TRY(auto draft, run_to_end(disk.loop, volume.start_draft({.name = kName, .base = {}, .base_size = 0})));
  std::promise<result<void>> written;
  draft->write(0, std::as_bytes(std::span(kNew)), [&](result<void> done) { written.set_value(done); });
  GG_CHECK(written.get_future().get());
  return draft;
}

DraftPlace place(bool power_safe) {
  return {.path = path_of("/photos/a"),
          .attributes = {.mode = 0640, .uid = 0, .gid = 0, .atime = {}, .mtime = kMtime, .ctime = {}},
          .power_safe = power_safe,
          .replaces = true};
}

struct Done {
  bool synced = false;
  bool placed = false;
  bool settled = false;
};

// Sync (if wanted), place, settle.
Done write_file(LossyDisk& disk, bool sync, bool power_safe) {
  const auto volume = disk.volume();
  Done done;
  const auto draft = write_draft(disk, *volume);
  if (!draft) return done;
  (*draft)->keep();
  done.synced = sync && run_to_end(disk.loop, (*draft)->sync()).has_value();
  done.placed = run_to_end(disk.loop, (*draft)->place(place(power_safe))).has_value();
  done.settled = done.placed && run_to_end(disk.loop, (*draft)->settle(kMtime)).has_value();
  return done;
}

TEST(WriteCrash, ADurablePlaceIsKeptAndWhatItDisplacedIsNeverNowhere) {
  const auto prepare = [](LossyDisk& disk) {
    prepare_volume(disk);
    put(disk, "photos/a", kOld);
  };
  at_every_step(
      prepare, [](LossyDisk& disk) { return write_file(disk, false, true); },
      [](LossyDisk& disk, Done done) {
        const fs::path path = disk.root() / "photos/a";
        EXPECT_FALSE(places_of(disk, kOld).empty());
        if (!done.placed) return;
        EXPECT_EQ(content_of(path), kNew);
        EXPECT_EQ(fs::status(path).permissions(), fs::perms(0640));
      });
}

TEST(WriteCrash, ADurablePlaceInANewFolderIsKept) {
  at_every_step(
      prepare_volume, [](LossyDisk& disk) { return write_file(disk, false, true); },
      [](LossyDisk& disk, Done done) {
        const fs::path path = disk.root() / "photos/a";
        EXPECT_TRUE(!done.placed || content_of(path) == kNew);
        EXPECT_TRUE(!fs::exists(path) || content_of(path) == kNew) << "whole, or not there";
      });
}

TEST(WriteCrash, AFolderThatWasMadeInPassingIsSafeOnceSomebodyReliesOnIt) {
  const auto change = [](LossyDisk& disk) {
    const auto volume = disk.volume();
    const auto first = write_draft(disk, *volume);
    if (!first || !run_to_end(disk.loop, (*first)->place(place(false)))) return false;
    const auto second = write_draft(disk, *volume);
    if (!second) return false;
    DraftPlace where = place(true);
    where.path = path_of("/photos/b");
    return run_to_end(disk.loop, (*second)->place(where)).has_value();
  };
  at_every_step(prepare_volume, change, [](LossyDisk& disk, bool done) {
    EXPECT_TRUE(!done || content_of(disk.root() / "photos/b") == kNew);
  });
}

TEST(WriteCrash, WhatWasSyncedIsSomewhere) {
  const auto change = [](LossyDisk& disk) {
    const auto volume = disk.volume();
    const auto draft = write_draft(disk, *volume);
    if (!draft) return false;
    (*draft)->keep();
    return run_to_end(disk.loop, (*draft)->sync()).has_value();
  };
  at_every_step(prepare_volume, change, [](LossyDisk& disk, bool done) {
    EXPECT_TRUE(!done || places_of(disk, kNew) == std::vector<std::string>{".geogrid/tmp/" + kName.str()});
  });
}

TEST(WriteCrash, AnOrdinaryPlaceLosesNoOldVersion) {
  const auto prepare = [](LossyDisk& disk) {
    prepare_volume(disk);
    put(disk, "photos/a", kOld);
    fs::create_directories(disk.root() / ".geogrid/trash/2013-08-05/photos");
  };
  at_every_step(
      prepare, [](LossyDisk& disk) { return write_file(disk, false, false); },
      [](LossyDisk& disk, Done) { EXPECT_FALSE(places_of(disk, kOld).empty()); });
}

// What a node does of what it owes, as the intents' runner has it.
bool carry_out(LossyDisk& disk, const std::vector<DiskChange>& owed) {
  const auto volume = disk.volume();
  const auto answers = run_to_end(disk.loop, volume->carry_out(owed));
  std::vector<DiskChanged> done;
  for (const auto& answer : answers)
    if (answer) done.push_back(*answer);
  if (done.size() < owed.size()) return false;
  return run_to_end(disk.loop, volume->make_power_safe(std::move(done))).has_value();
}

using Kind = DiskChange::Kind;
DiskChange owed(Kind kind, std::string_view path, std::string_view new_path = "/") {
  return {.kind = kind,
          .id = 1,
          .path = path_of(path),
          .new_path = path_of(new_path),
          .when = kMtime,
          .target = "to",
          .attributes = {}};
}

TEST(WriteCrash, WhatIsOwedIsCarriedOutAgainAfterALoss) {
  const auto prepare = [](LossyDisk& disk) {
    prepare_volume(disk);
    put(disk, "photos/a", kOld);
    put(disk, "photos/b", kNew);
    put(disk, "in/the/way", "foreign");
  };
  const std::vector<DiskChange> changes = {
      owed(Kind::rename, "/photos/b", "/new/deep/b"), owed(Kind::rename, "/photos/a", "/in/the/way"),
      owed(Kind::make_symlink, "/photos/link"), owed(Kind::remove_folder, "/empty")};
  at_every_step(
      prepare, [&](LossyDisk& disk) { return carry_out(disk, changes); },
      [&](LossyDisk& disk, bool done) {
        EXPECT_FALSE(places_of(disk, kOld).empty());
        EXPECT_FALSE(places_of(disk, kNew).empty());
        EXPECT_FALSE(places_of(disk, "foreign").empty());
        EXPECT_TRUE(done || carry_out(disk, changes));
        EXPECT_EQ(content_of(disk.root() / "new/deep/b"), kNew);
        EXPECT_EQ(content_of(disk.root() / "in/the/way"), kOld);
        EXPECT_TRUE(fs::is_symlink(disk.root() / "photos/link"));
      });
}

TEST(WriteCrash, WhatIsRemovedStaysAway) {
  const auto prepare = [](LossyDisk& disk) {
    prepare_volume(disk);
    put(disk, "photos/a", kOld);
    fs::create_directories(disk.root() / ".geogrid/trash/2013-08-05/photos");
  };
  const std::vector<DiskChange> changes = {owed(Kind::remove, "/photos/a")};
  at_every_step(
      prepare, [&](LossyDisk& disk) { return carry_out(disk, changes); },
      [&](LossyDisk& disk, bool done) {
        EXPECT_FALSE(places_of(disk, kOld).empty());
        EXPECT_TRUE(done || carry_out(disk, changes));
        EXPECT_FALSE(fs::exists(disk.root() / "photos/a"));
        EXPECT_EQ(content_of(disk.root() / ".geogrid/trash/2013-08-05/photos/a"), kOld);
      });
}

TEST(WriteCrash, AnExchangeEndsTheSameHoweverOftenItWasBegun) {
  const auto prepare = [](LossyDisk& disk) {
    prepare_volume(disk);
    put(disk, "photos/a", kOld);
    put(disk, "photos/b", kNew);
  };
  const std::vector<DiskChange> changes = {owed(Kind::exchange, "/photos/a", "/photos/b")};
  at_every_step(
      prepare, [&](LossyDisk& disk) { return carry_out(disk, changes); },
      [&](LossyDisk& disk, bool done) {
        EXPECT_TRUE(!done || content_of(disk.root() / "photos/a") == kNew);
        EXPECT_TRUE(carry_out(disk, changes));
        EXPECT_EQ(content_of(disk.root() / "photos/a"), kNew);
        EXPECT_EQ(content_of(disk.root() / "photos/b"), kOld);
      });
}

TEST(WriteCrash, WhatIsRestoredIsNeverNowhere) {
  const auto prepare = [](LossyDisk& disk) {
    prepare_volume(disk);
    put(disk, ".geogrid/trash/2013-08-05/photos/a", kOld);
  };
  const auto change = [](LossyDisk& disk) {
    return run_to_end(disk.loop,
                      disk.volume()->restore_from_trash("2013-08-05", path_of("/photos/a"), path_of("/x/a")))
        .has_value();
  };
  at_every_step(prepare, change, [](LossyDisk& disk, bool done) {
    EXPECT_FALSE(places_of(disk, kOld).empty());
    EXPECT_TRUE(!done || content_of(disk.root() / "x/a") == kOld);
  });
}

}  // namespace
}  // namespace geogrid
