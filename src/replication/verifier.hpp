#pragma once
// The verifier: metadata against the nodes, reading only.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/notifier.hpp"
#include "base/log.hpp"
#include "meta/metadata_store.hpp"
#include "replication/ignore_rules.hpp"
#include "volume/volume.hpp"

namespace geogrid {

enum class VerifyKind : std::uint8_t {
  missing,    ///< counted, and not on the node
  damaged,    ///< counted, and of another digest
  changed,    ///< counted, and of another size or mtime (with `deep`: and other bytes)
  unknown,    ///< on the node, and not in metadata
  uncounted,  ///< known, on the node, not counted there (yet)
  type_conflict,
  unreadable,
};
std::string_view name_of(VerifyKind kind);
inline constexpr std::size_t kVerifyKinds = 7;

struct VerifyProblem {
  VerifyKind kind = VerifyKind::missing;
  NodeIndex node;
  Path path;
  std::string detail;
};

struct VerifyOptions {
  Path start;         ///< a folder, or one file
  bool deep = false;  ///< digest every counted copy
  IgnoreRules ignore;
  std::size_t max_problems = 10'000;  ///< that are kept; all are counted
  std::size_t parallel_folders = 8;
  std::size_t parallel_digests = 4;
  std::function<void(std::uint64_t files, std::uint64_t digested_bytes)> on_progress;
};

/// Of one node.
struct VerifyNodeReport {
  NodeIndex node;
  std::string name;
  std::uint64_t folders = 0;
  std::uint64_t files = 0;  ///< counted copies that were looked at
  std::uint64_t bytes = 0;
  std::uint64_t right = 0;  ///< counted copies without fault
  std::uint64_t digested_bytes = 0;
  std::uint64_t counts[kVerifyKinds] = {};
  result<void> end;  ///< errc::volume_absent and others: the rest of this node was not looked at

  std::uint64_t count(VerifyKind kind) const { return counts[static_cast<std::size_t>(kind)]; }
};

struct VerifyReport {
  std::vector<VerifyNodeReport> nodes;
  std::vector<VerifyProblem> problems;
  result<void> end;  ///< errc::not_found (no such folder in metadata), errc::not_a_folder, errc::cancelled,
                     ///< errc::unavailable

  /// Whether every counted copy that was to be looked at was found right. What is merely not counted is no
  /// fault.
  bool good() const;
};

/// Compares what metadata records below `start` with what lies there on each of `volumes`, one after the
/// other. Changes nothing.
task<VerifyReport> verify(MetadataStore& store, std::vector<NodeVolume> volumes, VerifyOptions options,
                          std::shared_ptr<StopSignal> stop, Log log);

}  // namespace geogrid
