// geogridd: reads the command line, and starts what it asks for.

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "admin.hpp"
#include "command_line.hpp"
#include "serve.hpp"

namespace geogrid {
namespace {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

task<result<int>> command_task(const Process& process, const CommandLine& line, Output output) {
  return std::visit(
      Overloaded{
          [&](const RunRoles& run) { return run_roles(process, run, output); },
          [&](const Init&) { return init_cluster(process, output); },
          [&](const CheckConfig&) -> task<result<int>> {
            throw std::logic_error("check-config needs no process");
          },
          [&](const NodeAdd& request) { return node_add(process, request, output); },
          [&](const NodeList&) { return node_list(process, output); },
          [&](const NodeSetState& request) { return node_set(process, request, output); },
          [&](const NodeRetire& request) {
            return node_set(
                process, NodeSetState{request.name, NodeState::retired, std::nullopt, std::nullopt}, output);
          },
          [&](const Status&) { return show_status(process, output); },
          [&](const Locate& request) { return show_locate(process, request, output); },
          [&](const Queue& request) { return show_queue(process, request, output); },
          [&](const Verify& request) { return verify(process, request, output); },
          [&](const Classify&) { return classify(process, output); },
          [&](const TrashList& request) { return trash_list(process, request, output); },
          [&](const TrashRestore& request) { return trash_restore(process, request, output); },
          [&](const TrashPurgeCommand& request) { return trash_purge(process, request, output); },
      },
      line.command);
}

int report(const Error& error) {
  std::cerr << "geogridd: " << error.message << "\n";
  return exit_code(error);
}

int run(const CommandLine& line) {
  const Output output{line.json, line.dry_run,
                      isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr};
  if (std::holds_alternative<CheckConfig>(line.command)) return check_config(line.config, output);
  const auto process = load_process(line.config);
  if (!process) return report(process.error());
  asio::io_context loop(1);
  const auto code = run_to_end(loop, command_task(*process, line, output));
  return code ? *code : report(code.error());
}

}  // namespace
}  // namespace geogrid

int main(int argc, char** argv) {
  std::signal(SIGPIPE,
              SIG_IGN);  // a peer that went away is an error of that write, not the end of the process
  try {
    const auto parsed = geogrid::parse_command_line(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    return geogrid::run(std::get<geogrid::CommandLine>(parsed));
  } catch (const std::exception& e) {
    std::cerr << "geogridd: " << e.what() << "\n";
    return 1;
  }
}
