#pragma once
// What the command line asks for, as values. Parsing only: nothing is done here.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "config/reader.hpp"
#include "meta/records.hpp"

namespace geogrid {

enum class Action { loops, walk, replicate, scrub, check };

/// `geogridd --role=…`
struct RunRoles {
  std::vector<Role> roles;
  Action action = Action::loops;
  std::string path;     ///< --path
  std::string replica;  ///< --replica: a node's name, or "all"
  bool once = false;
  bool repair = false;
  bool accept_missing = false;
  std::optional<BackupMode> mode;
};
struct Init {};
struct CheckConfig {};
struct NodeAdd {
  std::string name;
  std::string path;
  std::string zone;
  double weight = 1.0;
};
struct NodeList {};
struct NodeSetState {
  std::string name;
  std::optional<NodeState> state;
  std::optional<std::string> zone;
  std::optional<double> weight;
};
struct NodeRetire {
  std::string name;
};
struct Status {};
struct Locate {
  std::string path;
};
struct Queue {
  std::size_t limit = 50;
};
struct Verify {
  std::string path = "/";
  bool deep = false;
};
struct Classify {};
struct TrashList {
  std::string path;
  std::string date;
};
struct TrashRestore {
  std::string path;
  std::string date;  ///< empty: the newest that has it
  std::string to;    ///< empty: where it was
};
struct TrashPurgeCommand {
  std::string path;
  std::string older_than;
};

using Command = std::variant<RunRoles, Init, CheckConfig, NodeAdd, NodeList, NodeSetState, NodeRetire, Status,
                             Locate, Queue, Verify, Classify, TrashList, TrashRestore, TrashPurgeCommand>;

struct CommandLine {
  std::string config = "/etc/geogrid/geogridd.yaml";
  bool json = false;
  bool dry_run = false;
  Command command;
};

/// Parses argv. Answers an exit code instead where there is nothing left to do: 0 after --help or --version
/// (printed to stdout), 2 after a usage error (printed to stderr).
std::variant<CommandLine, int> parse_command_line(int argc, const char* const* argv);

}  // namespace geogrid
