#pragma once
// An archive in a scratch folder that the real program serves: a process for each storage node and one for
// each mount.

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/child_process.hpp"
#include "support/scratch.hpp"

namespace geogrid::test {

struct ClusterSetup {
  std::size_t nodes = 3;    ///< "n0", "n1", …
  std::size_t clients = 2;  ///< processes with a mount each, "m0", "m1", …
  bool mariadb = false;     ///< a database of MariaDbServer::shared(); else SQLite
  /// YAML of the section `classes`, in one line.
  std::string classes = "[ { name: others, replicas: 2, backups: 0 } ]";
  std::string walk_cycle = "1h";
  std::string min_free = "1MiB";
  /// The process of the first mount is the first node's too: `--role=client,storage`.
  bool node_with_client = false;
  std::string mount_options = "";  ///< further YAML of each mount: ", read_only: true"
  std::vector<std::string> client_under =
      {};  ///< a command that runs the client: {"prlimit", "--nofile=100"}
  std::string client =
      "";                 ///< further YAML keys of the section `client`, each line with two spaces before it
  std::string more = "";  ///< further sections of YAML
  /// Folders of the first nodes, where they shall not be in the scratch folder.
  std::vector<std::string> roots = {};
};

/// What a command said.
struct CommandDone {
  int status = 0;  ///< exit code; 128 + signal if it was killed
  std::string out, err;
};

/// Made, initialised, with its nodes registered, but nothing runs yet. Throws std::runtime_error where
/// something fails that has to work. For one thread: the processes die with the thread that started them.
class Cluster {
 public:
  explicit Cluster(ClusterSetup setup = {});
  ~Cluster();  ///< SIGKILL to all, and the mounts taken away
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const ClusterSetup& setup() const { return setup_; }
  const Scratch& scratch() const { return scratch_; }
  static std::string name(std::size_t node) { return "n" + std::to_string(node); }
  const std::string& root(std::size_t node) const { return roots_.at(node); }        ///< a node's folder
  const std::string& mount(std::size_t client) const { return mounts_.at(client); }  ///< a mount point
  std::string metadata_url() const { return url_; }  ///< "sqlite:…" or "mariadb://…"
  std::string password_file() const { return scratch_.file("password"); }  ///< MariaDB only

  // ---- the processes; starting one that runs, or stopping one that does not, is an error ----
  void start();                           ///< all
  void stop();                            ///< all, clients first, in good order: throws unless each exits 0
  void start_client(std::size_t client);  ///< and waits until it is mounted
  void start_storage(std::size_t node);
  void stop_client(std::size_t client);     ///< SIGTERM: throws unless it exits 0
  void unmount_client(std::size_t client);  ///< as a user does: throws unless the process then exits 0
  void stop_storage(std::size_t node);
  void kill_client(std::size_t client);  ///< SIGKILL; the dead mount stays, as it would
  void kill_storage(std::size_t node);
  bool client_runs(std::size_t client);
  bool storage_runs(std::size_t node);
  pid_t client_pid(std::size_t client) const;
  pid_t storage_pid(std::size_t node) const;
  /// Throws, with the end of its log, if a process that was started and not stopped has ended.
  void expect_alive();

  // ---- commands ----
  /// `geogridd --config … ARGUMENTS`, with the configuration of the first mount.
  CommandDone run(const std::vector<std::string>& arguments,
                  std::chrono::milliseconds deadline = std::chrono::seconds(60)) const;
  std::string ok(const std::vector<std::string>& arguments) const;  ///< its output; throws unless it exits 0
  /// What it says with --json, whatever the exit code. Throws if that is no JSON.
  nlohmann::json json(std::vector<std::string> arguments) const;
  /// Waits until no file is under its target: false if that takes longer. Throws if a process ended
  /// meanwhile.
  bool wait_replicated(std::chrono::milliseconds deadline = std::chrono::seconds(60));

  /// The last lines of the logs of all processes, to be shown where a test fails.
  std::string logs(std::size_t bytes_each = 4000) const;

 private:
  using Processes = std::map<std::size_t, std::unique_ptr<ChildProcess>>;
  void write_config(std::size_t client) const;
  std::string config(std::size_t client) const;
  void launch(Processes& among, std::size_t index, const char* role);
  void end(Processes& among, std::size_t index, const char* role, int signal);

  ClusterSetup setup_;
  Scratch scratch_;
  std::string url_;
  std::vector<std::string> roots_, mounts_;
  Processes clients_, storages_;
};

/// The program under test: $GEOGRIDD, or the one of this build.
std::string program_under_test();
/// Whether something is mounted there now.
bool is_mounted(const std::string& path);

}  // namespace geogrid::test
