#include "volume/exchange.hpp"

#include <fcntl.h>

#include <charconv>

#include "os/clock.hpp"
#include "os/publish.hpp"
#include "volume/marker.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kMaxNoteBytes = 100;
constexpr std::int64_t kNoteSeconds = 2 * 24 * 3600;
constexpr std::uint64_t kTidyEvery = 256;  // exchanges

// The inode numbers of what was at the two names before; 0: nothing.
struct Note {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

std::string note_name(std::uint64_t id) {
  return std::to_string(id);
}

NameIn spare_of(int intents, std::uint64_t id) {
  return {.folder = intents, .name = note_name(id) + ".moving"};
}

result<std::uint64_t> inode_at(Env& env, const NameIn& place) {
  const auto found = env.status_at(place.folder, place.name);
  if (!found && is_missing(found.error())) return std::uint64_t{0};
  if (!found) return found.error();
  return std::uint64_t{found->st_ino};
}

result<Note> look(Env& env, const NameIn& a, const NameIn& b) {
  Note note;
  GG_TRY(note.a, inode_at(env, a));
  GG_TRY(note.b, inode_at(env, b));
  return note;
}

// Damaged or missing: nullopt, as if nothing had been done; it is written before anything is.
std::optional<Note> read_note(Env& env, int intents, std::uint64_t id) {
  const auto text = read_small_file(env, intents, note_name(id), kMaxNoteBytes);
  if (!text) return std::nullopt;
  Note note;
  const char* const end = text->data() + text->size();
  const auto first = std::from_chars(text->data(), end, note.a);
  if (first.ec != std::errc() || first.ptr == end) return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, note.b);
  if (second.ec != std::errc()) return std::nullopt;
  return note;
}

result<void> write_note(LocalDisk& disk, int root, int intents, std::uint64_t id, const Note& note) {
  const std::string text = fmt::format("{} {}\n", note.a, note.b);
  GG_TRY(const UniqueFd temporary, disk.open_or_make_folder(root, kTemporaryFolder));
  GG_CHECK(publish_bytes(disk.env(), temporary.get(), intents, note_name(id), std::as_bytes(std::span(text)),
                         0600, IfTaken::replace));
  return disk.sync_way_to(root, kIntentsFolder);
}

Exchanged::Moved moved_by(const Note& note) {
  if (note.a != 0 && note.b != 0) return Exchanged::Moved::both;
  if (note.a != 0) return Exchanged::Moved::first;
  return note.b != 0 ? Exchanged::Moved::second : Exchanged::Moved::nothing;
}

// A crash between the three steps of exchange_names() on a filesystem that cannot exchange at once.
result<bool> finish_steps(Env& env, const NameIn& a, const NameIn& b, const NameIn& spare) {
  GG_TRY(const std::uint64_t waiting, inode_at(env, spare));
  if (waiting == 0) return false;
  GG_TRY(const Note now, look(env, a, b));
  if (now.a == 0 && now.b != 0) GG_CHECK(env.rename(b.folder, b.name, a.folder, a.name, IfTaken::fail));
  GG_CHECK(env.rename(spare.folder, spare.name, b.folder, b.name, IfTaken::fail));
  return true;
}

result<void> move_both(Env& env, const Note& now, const NameIn& a, const NameIn& b, const NameIn& spare) {
  switch (moved_by(now)) {
    case Exchanged::Moved::both:
      return exchange_names(env, a, b, spare);
    case Exchanged::Moved::first:
      return env.rename(a.folder, a.name, b.folder, b.name, IfTaken::fail);
    case Exchanged::Moved::second:
      return env.rename(b.folder, b.name, a.folder, a.name, IfTaken::fail);
    case Exchanged::Moved::nothing:
      break;
  }
  return {};
}

}  // namespace

result<Exchanged> exchange_once(LocalDisk& disk, int root, std::uint64_t id, const NameIn& a,
                                const NameIn& b) {
  Env& env = disk.env();
  GG_TRY(const UniqueFd intents, disk.open_or_make_folder(root, kIntentsFolder));
  const NameIn spare = spare_of(intents.get(), id);
  const auto note = read_note(env, intents.get(), id);
  if (note) {
    GG_TRY(const bool finished, finish_steps(env, a, b, spare));
    if (finished) return Exchanged{.moved = moved_by(*note), .changed = true};
    // One of them may have been replaced since; the other tells.
    GG_TRY(const Note now, look(env, a, b));
    const bool done = (note->a != 0 && now.b == note->a) || (note->b != 0 && now.a == note->b);
    if (done) {
      // Whoever did it may not have come to that.
      GG_CHECK(env.sync(b.folder));
      GG_CHECK(env.sync(a.folder));
      return Exchanged{.moved = moved_by(*note), .changed = false};
    }
  }
  GG_TRY(const Note now, look(env, a, b));
  const Exchanged outcome{.moved = moved_by(now), .changed = moved_by(now) != Exchanged::Moved::nothing};
  if (!outcome.changed) return outcome;
  if (id % kTidyEvery == 0) remove_old_notes(disk, root);
  GG_CHECK(write_note(disk, root, intents.get(), id, now));
  GG_CHECK(move_both(env, now, a, b, spare));
  return outcome;
}

result<void> exchange_back(LocalDisk& disk, int root, std::uint64_t id, const NameIn& a, const NameIn& b) {
  Env& env = disk.env();
  GG_TRY(const UniqueFd intents, disk.open_or_make_folder(root, kIntentsFolder));
  GG_TRY(const Note now, look(env, a, b));
  GG_CHECK(move_both(env, now, a, b, spare_of(intents.get(), id)));
  forget_exchange(disk, root, id);
  return {};
}

void forget_exchange(LocalDisk& disk, int root, std::uint64_t id) {
  const auto intents = disk.env().open(root, kIntentsFolder, O_PATH | O_DIRECTORY);
  if (intents) (void)disk.env().remove_file(intents->get(), note_name(id));
}

void remove_old_notes(LocalDisk& disk, int root) {
  const auto intents = disk.env().open(root, kIntentsFolder, O_RDONLY | O_DIRECTORY);
  if (!intents) return;
  const auto entries = disk.env().list(intents->get());
  if (!entries) return;
  const std::int64_t now = system_clock().wall().seconds;
  for (const FolderEntry& entry : *entries) {
    const bool is_note = S_ISREG(entry.status.st_mode) && entry.name.find('.') == std::string::npos;
    if (is_note && now - entry.status.st_mtim.tv_sec > kNoteSeconds)
      (void)disk.env().remove_file(intents->get(), entry.name);
  }
}

}  // namespace geogrid
