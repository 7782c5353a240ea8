#include "volume/aside.hpp"

#include <fcntl.h>

#include <cerrno>

#include "volume/marker.hpp"

namespace geogrid {
namespace {

constexpr int kMaxAside = 1 << 20;  // things put aside from one path on one day
constexpr int kMaxRaces =
    64;  // places that others took a moment before, until the first free one is looked for again
constexpr int kMaxRounds = 1000;

bool is_no_folder(const Error& error) {
  return error.is(std::errc::not_a_directory) || error.is(std::errc::too_many_symbolic_link_levels);
}

class Aside {
 public:
  Aside(LocalDisk& disk, int root, const MoveAside& move)
      : disk_(disk), root_(root), move_(move), date_(move.when.str().substr(0, 10)) {}

  result<std::string> move();

 private:
  std::string place(int number) const {
    return number == 0 ? fmt::format("{}/{}{}", move_.aside, date_, move_.path.str())
                       : fmt::format("{}/{}.{}{}", move_.aside, date_, number, move_.path.str());
  }
  // False: taken.
  result<bool> move_to(int number);
  result<bool> is_taken(int number);
  result<int> first_free();

  LocalDisk& disk_;
  const int root_;
  const MoveAside& move_;
  const std::string date_;
};

result<bool> Aside::move_to(int number) {
  const std::string to = place(number);
  const auto folder = disk_.open_or_make_folder(root_, parent_of(to));
  // A file or a symlink may lie where this path needs a folder.
  if (!folder && is_no_folder(folder.error())) return false;
  if (!folder) return folder.error();
  if (move_.safe_way) GG_CHECK(disk_.sync_way_to(root_, parent_of(to)));
  auto moved =
      disk_.env().rename(move_.from, move_.name, folder->get(), std::string(filename_of(to)), IfTaken::fail);
  if (!moved && moved.error().is(std::errc::file_exists)) return false;
  if (!moved) return moved.error();
  return true;
}

result<bool> Aside::is_taken(int number) {
  const auto found = disk_.env().open(root_, place(number), O_PATH);
  if (found || is_no_folder(found.error())) return true;
  if (found.error().is(std::errc::no_such_file_or_directory)) return false;
  return found.error();
}

// A file that is overwritten all day has thousands of these: they are taken from the first on.
result<int> Aside::first_free() {
  int taken = 0;
  int free = 1;
  for (;; taken = free, free *= 2) {
    if (free >= kMaxAside) return kMaxAside;
    GG_TRY(const bool is_it, is_taken(free));
    if (!is_it) break;
  }
  while (free - taken > 1) {
    const int middle = taken + (free - taken) / 2;
    GG_TRY(const bool is_it, is_taken(middle));
    (is_it ? taken : free) = middle;
  }
  return free;
}

result<std::string> Aside::move() {
  GG_TRY(const bool moved, move_to(0));
  if (moved) return place(0);
  // Hundreds may be on their way at once: a file that was overwritten all the time.
  for (int round = 0; round < kMaxRounds; ++round) {
    GG_TRY(const int first, first_free());
    if (first >= kMaxAside) break;
    for (int number = first; number < first + kMaxRaces && number < kMaxAside; ++number) {
      GG_TRY(const bool done, move_to(number));
      if (done) return place(number);
    }
  }
  return fail(errc::refused, "{} things of this path lie in {}/{} already: look there first", kMaxAside,
              move_.aside, date_);
}

}  // namespace

result<std::string> move_aside(LocalDisk& disk, int root, const MoveAside& move) {
  // Nothing is made for what is not there.
  GG_TRY(const struct stat there, disk.env().status_at(move.from, move.name));
  (void)there;
  return Aside(disk, root, move).move();
}

std::string_view folder_of(AsideReason reason) {
  switch (reason) {
    case AsideReason::stale_version:
      return kTrashFolder;
    case AsideReason::lost:
      return kLostFolder;
    case AsideReason::conflict:
    case AsideReason::damaged:
      break;
  }
  return kConflictsFolder;
}

std::string_view parent_of(std::string_view relative) {
  const std::size_t slash = relative.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : relative.substr(0, slash);
}

std::string_view filename_of(std::string_view relative) {
  return relative.substr(relative.rfind('/') + 1);
}

}  // namespace geogrid
