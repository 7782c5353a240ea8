#pragma once
// Exchanges of two names that can be carried out again after a crash without changing back. Blocking.

#include "volume/local_disk.hpp"
#include "volume/naming.hpp"

namespace geogrid {

struct Exchanged {
  enum class Moved { nothing, both, first, second } moved = Moved::nothing;
  bool changed = false;  ///< false: it had been done before
};

/// What is at `a` and `b` changes places; where only one is there, it moves. Which two they were is noted
/// under `.geogrid/intents/ID`, power-safe, before. The note outlives the change: whoever was slow, and comes
/// with it once more, must find it.
result<Exchanged> exchange_once(LocalDisk& disk, int root, std::uint64_t id, const NameIn& a,
                                const NameIn& b);
/// Undoes it, and removes the note.
result<void> exchange_back(LocalDisk& disk, int root, std::uint64_t id, const NameIn& a, const NameIn& b);
void forget_exchange(LocalDisk& disk, int root, std::uint64_t id);
/// Removes notes that are days old. One that stays is harmless: it names two files, and ids are not used
/// again.
void remove_old_notes(LocalDisk& disk, int root);

}  // namespace geogrid
