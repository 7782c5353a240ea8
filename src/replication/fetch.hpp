#pragma once
// One file read from one source, digested on the way, into an incoming file of the destination.

#include <memory>
#include <string>

#include "meta/copy_store.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// Files up to this size travel whole, in one piece of memory; larger ones in pieces of it.
inline constexpr std::size_t kWholeFileBytes = 1 << 20;

enum class FetchEnd {
  fetched,
  wrong_bytes,   ///< the source has other bytes than recorded
  source_error,  ///< this file could not be read there, or changed meanwhile
  source_gone,   ///< the source's volume failed as a whole
  destination_error,
};

struct Fetch {
  FetchEnd end = FetchEnd::fetched;
  Error error;                                ///< but for fetched and wrong_bytes
  FindingKind reason = FindingKind::damaged;  ///< of wrong_bytes: damaged or changed_outside
  std::string detail;                         ///< of wrong_bytes
  std::shared_ptr<IncomingFile> file;         ///< of fetched: whole, not published
  Digest digest;  ///< of fetched: the recorded one, or what was found where none is
};

/// `algorithm` is for files without a recorded digest. Reading and writing overlap for large files.
task<Fetch> fetch(std::shared_ptr<Volume> source, std::shared_ptr<Volume> destination, WorkItem item,
                  DigestAlgorithm algorithm);

}  // namespace geogrid
