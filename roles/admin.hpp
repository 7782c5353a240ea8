#pragma once
// The administration commands. Each opens what it needs, prints its answer to stdout, and returns an exit
// code.

#include "command_line.hpp"
#include "process.hpp"

namespace geogrid {

/// How to answer.
struct Output {
  bool json = false;
  bool dry_run = false;
  bool colour = false;  ///< stdout is a terminal, and NO_COLOR is not set

  /// Writes to stdout. REQUIRES: text ends in a newline.
  void print(const std::string& text) const;
};

int check_config(const std::string& file, const Output& output);
task<result<int>> init_cluster(const Process& process, Output output);
task<result<int>> node_add(const Process& process, NodeAdd request, Output output);
task<result<int>> node_list(const Process& process, Output output);
task<result<int>> node_set(const Process& process, NodeSetState request, Output output);
task<result<int>> show_status(const Process& process, Output output);
task<result<int>> show_locate(const Process& process, Locate request, Output output);
task<result<int>> show_queue(const Process& process, Queue request, Output output);
task<result<int>> classify(const Process& process, Output output);
task<result<int>> verify(const Process& process, Verify request, Output output);
task<result<int>> trash_list(const Process& process, TrashList request, Output output);
task<result<int>> trash_restore(const Process& process, TrashRestore request, Output output);
task<result<int>> trash_purge(const Process& process, TrashPurgeCommand request, Output output);

}  // namespace geogrid
