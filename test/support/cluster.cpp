#include "support/cluster.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/mariadb_server.hpp"
#include "support/unmounter.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

constexpr auto kStartDeadline = std::chrono::seconds(60);
constexpr auto kStopDeadline = std::chrono::seconds(60);

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::string tail_of(const std::string& path, std::size_t bytes) {
  const std::string text = content_of(path);
  return text.size() > bytes ? "…" + text.substr(text.size() - bytes) : text;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string text_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void write_secret(const std::string& path, const std::string& secret) {
  std::ofstream(path) << secret << "\n";
  ::chmod(path.c_str(), 0600);
}

}  // namespace

std::string program_under_test() {
  const char* const given = ::getenv("GEOGRIDD");
  return given ? given : GEOGRID_PROGRAM;
}

bool is_mounted(const std::string& path) {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);)
    if (line.find(" " + path + " ") != std::string::npos) return true;
  return false;
}

Cluster::Cluster(ClusterSetup setup) : setup_(std::move(setup)), scratch_("cluster") {
  unmounter().watch(scratch_.path().string());
  if (setup_.mariadb) {
    MariaDbServer& server = MariaDbServer::shared();
    url_ = fmt::format("mariadb://{}@127.0.0.1:{}/{}", MariaDbServer::kUser, server.port(),
                       server.create_database());
    write_secret(password_file(), MariaDbServer::kPassword);
  } else {
    url_ = "sqlite:" + scratch_.file("metadata.db");
  }
  for (std::size_t node = 0; node < setup_.nodes; ++node) {
    roots_.push_back(node < setup_.roots.size() ? setup_.roots[node] : scratch_.file(name(node)));
    std::filesystem::create_directories(roots_.back());
  }
  for (std::size_t client = 0; client < setup_.clients; ++client) {
    mounts_.push_back(scratch_.file("m" + std::to_string(client)));
    std::filesystem::create_directory(mounts_.back());
    write_config(client);
  }
  if (setup_.clients == 0) write_config(0);
  ok({"init"});
  for (std::size_t node = 0; node < setup_.nodes; ++node) ok({"node", "add", name(node)});
}

Cluster::~Cluster() {
  clients_.clear();
  storages_.clear();
  for (const std::string& mount : mounts_)
    while (is_mounted(mount) && ::umount2(mount.c_str(), MNT_DETACH) == 0) {
    }
}

std::string Cluster::config(std::size_t client) const {
  return scratch_.file(fmt::format("client{}.yaml", client));
}

void Cluster::write_config(std::size_t client) const {
  std::string text = fmt::format("cluster: testing\nmetadata:\n  url: '{}'\n", url_);
  if (setup_.mariadb) text += fmt::format("  password_file: '{}'\n", password_file());
  text += "nodes:\n";
  for (std::size_t node = 0; node < setup_.nodes; ++node)
    text += fmt::format("  {}: {{ path: '{}' }}\n", name(node), roots_[node]);
  text += fmt::format("classes: {}\nstorage:\n  min_free: {}\n  walk: {{ cycle: {} }}\n", setup_.classes,
                      setup_.min_free, setup_.walk_cycle);
  if (client < mounts_.size())
    text += fmt::format("client:\n  mounts: [ {{ mountpoint: '{}'{} }} ]\n{}", mounts_[client],
                        setup_.mount_options, setup_.client);
  text += setup_.more;
  std::ofstream(config(client)) << text;
}

void Cluster::launch(Processes& among, std::size_t index, const char* role) {
  if (among.count(index)) throw std::runtime_error(fmt::format("{}{} runs already", role, index));
  const bool client = &among == &clients_;
  const bool both = client && index == 0 && setup_.node_with_client;
  std::vector<std::string> command;
  if (client) command = setup_.client_under;
  for (const std::string& word :
       {program_under_test(), fmt::format("--role={}{}", role, both ? ",storage" : ""),
        std::string("--config"), config(client ? index : 0)})
    command.push_back(word);
  if (!client || both) command.push_back("--replica=" + name(index));
  among[index] = std::make_unique<ChildProcess>(command, scratch_.file(fmt::format("{}{}.log", role, index)));
}

void Cluster::end(Processes& among, std::size_t index, const char* role, int signal) {
  const auto found = among.find(index);
  if (found == among.end()) throw std::runtime_error(fmt::format("{}{} does not run", role, index));
  found->second->signal(signal);
  const int status = found->second->wait(kStopDeadline);
  among.erase(found);
  if (signal != SIGKILL && exit_code(status) != 0)
    throw std::runtime_error(fmt::format("{}{} ended with {} after signal {}:\n{}", role, index,
                                         exit_code(status), signal, logs()));
}

void Cluster::start() {
  for (std::size_t node = setup_.node_with_client ? 1 : 0; node < setup_.nodes; ++node) start_storage(node);
  for (std::size_t client = 0; client < setup_.clients; ++client) start_client(client);
}

void Cluster::stop() {
  while (!clients_.empty()) stop_client(clients_.begin()->first);
  while (!storages_.empty()) stop_storage(storages_.begin()->first);
}

// Until it says that it runs, a signal would just kill it.
void Cluster::start_storage(std::size_t node) {
  const std::string log = scratch_.file(fmt::format("storage{}.log", node));
  const std::size_t skip = content_of(log).size();
  launch(storages_, node, "storage");
  const bool up = wait_until(
      [&] {
        return storages_.at(node)->ended() ||
               content_of(log).find("running: storage", skip) != std::string::npos;
      },
      kStartDeadline);
  if (!up || storages_.at(node)->ended())
    throw std::runtime_error(fmt::format("storage{} does not start:\n{}", node, logs()));
}

// A mount whose process died may still lie there: what counts is that this process says it serves, and that
// the mount answers.
void Cluster::start_client(std::size_t client) {
  const std::string log = scratch_.file(fmt::format("client{}.log", client));
  std::error_code none;
  const auto before = std::filesystem::file_size(log, none);
  const std::size_t skip = none ? 0 : static_cast<std::size_t>(before);
  launch(clients_, client, "client");
  const bool up = wait_until(
      [&] {
        if (clients_.at(client)->ended()) return true;
        struct stat root {};
        const std::string said = content_of(log);
        return said.size() > skip && said.find("running: client", skip) != std::string::npos &&
               is_mounted(mounts_[client]) && ::stat(mounts_[client].c_str(), &root) == 0;
      },
      kStartDeadline);
  if (!up || clients_.at(client)->ended())
    throw std::runtime_error(fmt::format("client{} does not mount:\n{}", client, logs()));
}

void Cluster::stop_client(std::size_t client) {
  end(clients_, client, "client", SIGTERM);
}
void Cluster::unmount_client(std::size_t client) {
  ChildProcess fusermount({"fusermount3", "-u", mounts_.at(client)}, scratch_.file("fusermount.log"));
  if (exit_code(fusermount.wait(kStopDeadline)) != 0)
    throw std::runtime_error(fmt::format("client{} cannot be unmounted:\n{}", client, logs()));
  end(clients_, client, "client", 0);
}
void Cluster::stop_storage(std::size_t node) {
  end(storages_, node, "storage", SIGTERM);
}
void Cluster::kill_client(std::size_t client) {
  end(clients_, client, "client", SIGKILL);
}
void Cluster::kill_storage(std::size_t node) {
  end(storages_, node, "storage", SIGKILL);
}
bool Cluster::client_runs(std::size_t client) {
  const auto found = clients_.find(client);
  return found != clients_.end() && !found->second->ended();
}
bool Cluster::storage_runs(std::size_t node) {
  const auto found = storages_.find(node);
  return found != storages_.end() && !found->second->ended();
}
pid_t Cluster::client_pid(std::size_t client) const {
  return clients_.at(client)->pid();
}
pid_t Cluster::storage_pid(std::size_t node) const {
  return storages_.at(node)->pid();
}

void Cluster::expect_alive() {
  const auto check = [this](Processes& among, const char* role) {
    for (auto& [index, process] : among)
      if (const auto status = process->ended())
        throw std::runtime_error(
            fmt::format("{}{} ended by itself with {}:\n{}", role, index, exit_code(*status), logs()));
  };
  check(clients_, "client");
  check(storages_, "storage");
}

CommandDone Cluster::run(const std::vector<std::string>& arguments,
                         std::chrono::milliseconds deadline) const {
  static std::atomic<int> count{0};
  const std::string files = scratch_.file(fmt::format("command{}", ++count));
  std::vector<std::string> command{"/bin/sh",  "-c",           "err=$1; shift; exec \"$@\" 2>\"$err\"",
                                   "sh",       files + ".err", program_under_test(),
                                   "--config", config(0)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ChildProcess process(command, files + ".out");
  CommandDone done;
  done.status = exit_code(process.wait(deadline));
  done.out = content_of(files + ".out");
  done.err = content_of(files + ".err");
  ::unlink((files + ".out").c_str());
  ::unlink((files + ".err").c_str());
  return done;
}

std::string Cluster::ok(const std::vector<std::string>& arguments) const {
  CommandDone done = run(arguments);
  if (done.status != 0)
    throw std::runtime_error(
        fmt::format("geogridd {}: exit code {}\n{}{}", text_of(arguments), done.status, done.out, done.err));
  return std::move(done.out);
}

nlohmann::json Cluster::json(std::vector<std::string> arguments) const {
  arguments.push_back("--json");
  const CommandDone done = run(arguments);
  auto parsed = nlohmann::json::parse(done.out, nullptr, false);
  if (parsed.is_discarded())
    throw std::runtime_error(fmt::format("geogridd {}: no JSON, exit code {}\n{}{}", text_of(arguments),
                                         done.status, done.out, done.err));
  return parsed;
}

bool Cluster::wait_replicated(std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (json({"queue"}).at("files") != 0) {
    expect_alive();
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::string Cluster::logs(std::size_t bytes_each) const {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(scratch_.path()))
    if (entry.path().extension() == ".log")
      text += fmt::format("--- {}\n{}\n", entry.path().filename().string(),
                          tail_of(entry.path().string(), bytes_each));
  return text;
}

}  // namespace geogrid::test
