#pragma once
// What a node does on its disk because metadata changed: the effects of intents, one by one.

#include <cstdint>
#include <string>

#include "base/attributes.hpp"
#include "base/path.hpp"

namespace geogrid {

struct DiskChange {
  enum class Kind {
    remove,         ///< what lies at `path`, unless it is a folder, goes to `.geogrid/trash/DATE/path`
    remove_folder,  ///< if it is there and empty; what it holds (foreign files) keeps it where it is
    rename,    ///< `path` becomes `new_path`, whose missing folders are made; what lies there is put aside
               ///< to `.geogrid/conflicts` before, but for an empty folder under a folder, which goes
    exchange,  ///< `path` and `new_path` change places; where only one is there, it moves to the other
    make_symlink,  ///< at `path`, to `target`; something else there is put aside before
  };
  Kind kind = Kind::remove;
  std::uint64_t id = 0;  ///< of the intent: exchange, which is not idempotent, keeps a note under it
  Path path;
  Path new_path;
  Timestamp when;  ///< names DATE
  std::string target;
  Attributes attributes;  ///< of the symlink
};

/// What came of a change. Nothing to do (it was done before, or the node never held it) is a success.
struct DiskChanged {
  bool changed = false;
  DiskChange::Kind kind = DiskChange::Kind::remove;
  std::string from;        ///< relative to the volume's root: what was there before …
  std::string to;          ///< … is here now; empty if it was nothing or is gone
  std::uint64_t note = 0;  ///< of an exchange: the id under which it is noted; else 0
};

}  // namespace geogrid
