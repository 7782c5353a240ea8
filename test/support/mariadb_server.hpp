#pragma once
// A real MariaDB server for tests: its own data folder, port and process.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/child_process.hpp"
#include "support/scratch.hpp"

namespace geogrid::test {

/// Does not survive the test program, even when that is killed. Listens on 127.0.0.1 only. Not power-safe: it
/// skips fsync.
class MariaDbServer {
 public:
  static constexpr const char* kUser = "geogrid";
  static constexpr const char* kPassword = "let's see: \"pass\"";

  /// Makes the data folder, starts the server, waits until it answers, creates kUser. Throws if any of it
  /// fails.
  explicit MariaDbServer(std::vector<std::string> more_options = {});
  /// The one server of a test program, started when first asked for. Call it from the main thread.
  static MariaDbServer& shared();

  std::uint16_t port() const { return port_; }
  /// Creates an empty database, whose name no other test has, and returns the name.
  std::string create_database();
  /// Runs a statement as root; returns the first column of each row. Throws on an error.
  std::vector<std::string> execute(const std::string& sql) const;

  void stop();    ///< SIGTERM, and waits
  void kill();    ///< SIGKILL, and waits
  void start();   ///< again, on the same port and data; waits until it answers
  void pause();   ///< SIGSTOP: connections stay, nothing answers
  void resume();  ///< SIGCONT
  bool running();

 private:
  void install();
  void launch();
  bool answers() const;

  Scratch scratch_{"mariadb"};
  std::vector<std::string> more_options_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ChildProcess> process_;
  int databases_ = 0;
};

}  // namespace geogrid::test
