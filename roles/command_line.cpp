#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>

#include "base/version.hpp"

namespace geogrid {
namespace {

constexpr const char* kDescription =
    "geogridd: one tree and counted copies over ordinary servers, for photo archives.\n"
    "Runs the loops of a role (--role), one action of it (--action), or an administration command.";
constexpr const char* kFooter =
    "Exit codes: 0 done; 1 failed, or not healthy; 2 usage or configuration; 3 refused for safety.\n"
    "See geogridd(8).";

/// Strings as they are typed, until the end of parsing.
struct Raw {
  std::string roles, action, path, replica, mode, state;
  bool once = false, repair = false, accept_missing = false;
};

Command& start(CommandLine& line, Command command) {
  return line.command = std::move(command);
}

void add_role_options(CLI::App& app, Raw& raw) {
  app.add_option("--role", raw.roles, "client, storage, api or backup, or several: client,storage")
      ->type_name("ROLE[,ROLE…]");
  app.add_option("-a,--action", raw.action,
                 "One action instead of the role's loops: walk, replicate, scrub, check")
      ->type_name("ACTION");
  app.add_option("-p,--path", raw.path, "Only this folder of the archive")->type_name("PATH");
  app.add_option("-r,--replica", raw.replica,
                 "The storage node to act for, or all; by default the configuration's node")
      ->type_name("NODE");
  app.add_option("-m,--mode", raw.mode, "What a backup node fetches: partial or full")->type_name("MODE");
  app.add_flag("--once", raw.once, "replicate, scrub: until nothing is left to do, then end");
  app.add_flag("--accept-missing", raw.accept_missing,
               "walk: stop counting what is missing, however much it is");
  app.add_flag("--repair", raw.repair, "scrub, verify: mend what is found");
}

void add_node_commands(CLI::App& app, CommandLine& line, Raw& raw) {
  CLI::App* node =
      app.add_subcommand("node", "Add, list and change storage nodes")->require_subcommand(1)->fallthrough();
  const auto named = [&](const char* verb, const char* what) {
    CLI::App* sub = node->add_subcommand(verb, what)->fallthrough();
    return sub;
  };
  auto add = std::make_shared<NodeAdd>();
  CLI::App* sub = named("add", "Mark a folder as this node's volume and register it");
  sub->add_option("NAME", add->name, "The node's name, as in `nodes:`")->required();
  // --path is the role option of the same name: it falls through.
  sub->add_option("--zone", add->zone, "Where it stands: copies are spread over zones");
  sub->add_option("--weight", add->weight, "How much it should take, relative to others")
      ->check(CLI::Range(0.0, 1e6));
  sub->final_callback([&line, &raw, add] {
    add->path = raw.path;
    start(line, *add);
  });

  named("list", "The registered nodes")->final_callback([&line] { start(line, NodeList{}); });

  auto set = std::make_shared<NodeSetState>();
  sub = named("set", "Change a node's state, zone or weight");
  sub->add_option("NAME", set->name)->required();
  sub->add_option("--state", raw.state, "joining, active, readonly, draining or down");
  sub->add_option("--zone", set->zone);
  sub->add_option("--weight", set->weight)->check(CLI::Range(0.0, 1e6));
  sub->final_callback([&line, &raw, set] {
    if (!raw.state.empty()) {
      auto state = parse_node_state(raw.state);
      if (!state) throw CLI::ValidationError("--state", state.error().message);
      set->state = *state;
    }
    if (!set->state && !set->zone && !set->weight)
      throw CLI::ValidationError("node set", "nothing to change: give --state, --zone or --weight");
    start(line, *set);
  });

  auto retire = std::make_shared<NodeRetire>();
  sub = named("retire", "Take a node out of use for good");
  sub->add_option("NAME", retire->name)->required();
  sub->final_callback([&line, retire] { start(line, *retire); });
}

void add_trash_commands(CLI::App& app, CommandLine& line) {
  CLI::App* trash = app.add_subcommand("trash", "What was deleted or replaced: list, restore, purge")
                        ->require_subcommand(1)
                        ->fallthrough();
  const auto named = [&](const char* verb, const char* what) {
    return trash->add_subcommand(verb, what)->fallthrough();
  };
  auto list = std::make_shared<TrashList>();
  CLI::App* sub = named("list", "What lies in the trash of the nodes");
  sub->add_option("PATH", list->path, "Only this file, or what was in this folder");
  sub->add_option("--date", list->date, "Only what was deleted on this day: 2026-11-22")->type_name("DATE");
  sub->final_callback([&line, list] { start(line, *list); });

  auto restore = std::make_shared<TrashRestore>();
  sub = named("restore", "Move a file, or all that was in a folder, back into the archive");
  sub->add_option("PATH", restore->path, "Its path when it was deleted")->required();
  sub->add_option("--date", restore->date, "Deleted on this day; by default the newest that has it")
      ->type_name("DATE");
  sub->add_option("--to", restore->to, "Restore it to this path instead")->type_name("PATH");
  sub->final_callback([&line, restore] { start(line, *restore); });

  auto purge = std::make_shared<TrashPurgeCommand>();
  sub = named("purge", "Remove from the trash for good");
  sub->add_option("PATH", purge->path,
                  "Only this file or folder, of whatever age; by default what is older than trash.keep");
  sub->add_option("--older-than", purge->older_than, "Only what was deleted so long ago: 7d")
      ->type_name("DURATION");
  sub->final_callback([&line, purge] { start(line, *purge); });
}

void add_commands(CLI::App& app, CommandLine& line, Raw& raw) {
  const auto plain = [&](const char* name, const char* what, Command command) {
    app.add_subcommand(name, what)->fallthrough()->final_callback([&line, command] { start(line, command); });
  };
  plain("init", "Create the metadata store and the cluster id", Init{});
  plain("check-config", "Check the configuration: every fault with its line and column", CheckConfig{});
  plain("status", "Health at a glance; exit code 0 if healthy, 1 if not", Status{});
  plain("classify", "Re-apply the class rules to existing files", Classify{});
  add_node_commands(app, line, raw);
  add_trash_commands(app, line);

  auto locate = std::make_shared<Locate>();
  CLI::App* sub = app.add_subcommand("locate", "Everything known of one file")->fallthrough();
  sub->add_option("PATH", locate->path, "Its path in the archive")->required();
  sub->final_callback([&line, locate] { start(line, *locate); });

  auto queue = std::make_shared<Queue>();
  sub = app.add_subcommand("queue", "What is under its target, most endangered first")->fallthrough();
  sub->add_option("--limit", queue->limit, "How many files to list")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  sub->final_callback([&line, queue] { start(line, *queue); });

  auto verify = std::make_shared<Verify>();
  sub = app.add_subcommand("verify", "Compare metadata with the nodes")->fallthrough();
  sub->add_option("PATH", verify->path, "Only this folder or file")->capture_default_str();
  sub->add_flag("--deep", verify->deep, "Read and digest every copy");
  sub->final_callback([&line, verify] { start(line, *verify); });
}

result<RunRoles> roles_of(const Raw& raw) {
  RunRoles run;
  GG_TRY(run.roles, parse_roles(raw.roles));
  if (raw.action == "walk")
    run.action = Action::walk;
  else if (raw.action == "replicate")
    run.action = Action::replicate;
  else if (raw.action == "scrub")
    run.action = Action::scrub;
  else if (raw.action == "check")
    run.action = Action::check;
  else if (!raw.action.empty())
    return fail(errc::invalid_argument, "--action: '{}' is no action; use walk, replicate, scrub or check",
                raw.action);
  if (raw.mode == "partial")
    run.mode = BackupMode::partial;
  else if (raw.mode == "full")
    run.mode = BackupMode::full;
  else if (!raw.mode.empty())
    return fail(errc::invalid_argument, "--mode: '{}' is no mode; use partial or full", raw.mode);
  if (run.action != Action::loops && run.roles.size() != 1)
    return fail(errc::invalid_argument, "--action goes with one role, not several");
  run.path = raw.path;
  run.replica = raw.replica;
  run.once = raw.once;
  run.repair = raw.repair;
  run.accept_missing = raw.accept_missing;
  return run;
}

}  // namespace

std::variant<CommandLine, int> parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  Raw raw;
  CLI::App app(kDescription, "geogridd");
  app.footer(kFooter);
  app.set_version_flag("--version,-V", std::string("geogridd ") + kVersion);
  app.add_option("-c,--config", line.config, "The configuration file")
      ->capture_default_str()
      ->type_name("FILE");
  app.add_flag("--json", line.json, "Answer as JSON");
  app.add_flag("--dry-run", line.dry_run, "Say what would be done, and do nothing");
  app.require_subcommand(0, 1);
  add_role_options(app, raw);
  add_commands(app, line, raw);
  try {
    app.parse(argc, argv);
    const bool has_command = !app.get_subcommands().empty();
    if (has_command == !raw.roles.empty())
      throw CLI::RequiredError(has_command ? "either --role or a command, not both" : "--role or a command");
    if (!has_command) {
      auto run = roles_of(raw);
      if (!run) throw CLI::ValidationError(run.error().message);
      line.command = std::move(*run);
    }
  } catch (const CLI::ParseError& e) {
    // CLI11 gives --help and --version code 0, and usage errors codes of its own.
    return app.exit(e, std::cout, std::cerr) == 0 ? 0 : 2;
  }
  return line;
}

}  // namespace geogrid
