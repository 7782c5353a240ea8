#include "support/mariadb_server.hpp"

#include <arpa/inet.h>
#include <mysql.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "base/unique_fd.hpp"
#include "support/wait.hpp"

namespace geogrid::test {
namespace {

constexpr std::chrono::seconds kStartDeadline{60};
constexpr std::chrono::seconds kStopDeadline{60};
constexpr int kStartTries = 3;  // another program may take the free port first

std::uint16_t free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

std::string tail_of(const std::string& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  const std::string all = text.str();
  return all.size() <= 2000 ? all : all.substr(all.size() - 2000);
}

// Debian keeps servers in /usr/sbin, which ordinary users lack in PATH.
std::string server_program() {
  return ::access("/usr/sbin/mariadbd", X_OK) == 0 ? "/usr/sbin/mariadbd" : "mariadbd";
}

struct CloseClient {
  void operator()(MYSQL* client) const { mysql_close(client); }
};
using Client = std::unique_ptr<MYSQL, CloseClient>;

Client connect_as_root(const std::string& socket) {
  Client client(mysql_init(nullptr));
  const bool yes = mysql_real_connect(client.get(), nullptr, "root", "", nullptr, 0, socket.c_str(), 0);
  return yes ? std::move(client) : nullptr;
}

}  // namespace

MariaDbServer::MariaDbServer(std::vector<std::string> more_options) : more_options_(std::move(more_options)) {
  install();
  start();
  std::string quoted;
  for (const char c : std::string_view(kPassword))
    quoted += c == '\'' ? std::string("''") : std::string(1, c);
  execute(std::string("CREATE USER '") + kUser + "'@'127.0.0.1' IDENTIFIED BY '" + quoted + "'");
  execute(std::string("GRANT ALL ON `geogrid\\_%`.* TO '") + kUser + "'@'127.0.0.1'");
}

MariaDbServer& MariaDbServer::shared() {
  static MariaDbServer server;
  return server;
}

void MariaDbServer::install() {
  std::vector<std::string> command{"mariadb-install-db",
                                   "--no-defaults",
                                   "--auth-root-authentication-method=normal",
                                   "--skip-test-db",
                                   "--skip-name-resolve",
                                   "--innodb-log-file-size=16M",
                                   "--datadir=" + scratch_.file("data")};
  if (::geteuid() == 0) command.push_back("--user=root");
  ChildProcess install(command, scratch_.file("install.log"));
  if (install.wait(kStartDeadline) != 0)
    throw std::runtime_error("mariadb-install-db failed:\n" + tail_of(scratch_.file("install.log")));
}

void MariaDbServer::launch() {
  std::vector<std::string> command{server_program(),
                                   "--no-defaults",
                                   "--datadir=" + scratch_.file("data"),
                                   "--socket=" + scratch_.file("s"),
                                   "--pid-file=" + scratch_.file("pid"),
                                   "--port=" + std::to_string(port_),
                                   "--bind-address=127.0.0.1",
                                   "--skip-name-resolve",
                                   "--innodb-buffer-pool-size=48M",
                                   "--innodb-log-file-size=16M",
                                   "--innodb-flush-log-at-trx-commit=0",
                                   "--innodb-doublewrite=0",
                                   "--innodb-flush-method=nosync",
                                   "--innodb-fast-shutdown=2",
                                   "--innodb-lock-wait-timeout=5",
                                   "--key-buffer-size=1M",
                                   "--aria-pagecache-buffer-size=2M",
                                   "--max-connections=100",
                                   "--max-allowed-packet=64M",
                                   "--performance-schema=0"};
  if (::geteuid() == 0) command.push_back("--user=root");
  command.insert(command.end(), more_options_.begin(), more_options_.end());
  process_ = std::make_unique<ChildProcess>(command, scratch_.file("server.log"));
}

void MariaDbServer::start() {
  const bool first = port_ == 0;
  for (int i = 0; i < kStartTries; ++i) {
    if (first) port_ = free_port();
    launch();
    wait_until([this] { return process_->ended() || answers(); }, kStartDeadline);
    if (answers()) return;
  }
  throw std::runtime_error("mariadbd does not start:\n" + tail_of(scratch_.file("server.log")));
}

bool MariaDbServer::answers() const {
  return connect_as_root(scratch_.file("s")) != nullptr;
}

bool MariaDbServer::running() {
  return process_ && !process_->ended();
}

void MariaDbServer::stop() {
  process_->signal(SIGTERM);
  process_->wait(kStopDeadline);
}

void MariaDbServer::kill() {
  process_->signal(SIGKILL);
  process_->wait(kStopDeadline);
}

// The signal is sent at once, but threads go on until each of them has seen it.
void MariaDbServer::pause() {
  process_->signal(SIGSTOP);
  const std::string tasks = "/proc/" + std::to_string(process_->pid()) + "/task";
  const auto stopped = [](const std::filesystem::path& task) {
    std::ifstream file(task / "stat");
    std::string line;
    std::getline(file, line);
    return line.find(") T ") != std::string::npos;  // the state follows the name (proc(5))
  };
  wait_until([&] {
    for (const auto& task : std::filesystem::directory_iterator(tasks))
      if (!stopped(task.path())) return false;
    return true;
  });
}

void MariaDbServer::resume() {
  process_->signal(SIGCONT);
}

std::string MariaDbServer::create_database() {
  const std::string name = "geogrid_" + std::to_string(++databases_);
  execute("CREATE DATABASE " + name);
  return name;
}

std::vector<std::string> MariaDbServer::execute(const std::string& sql) const {
  const Client client = connect_as_root(scratch_.file("s"));
  if (!client) throw std::runtime_error("the test's MariaDB server does not answer");
  if (mysql_real_query(client.get(), sql.data(), sql.size()) != 0)
    throw std::runtime_error(sql + ": " + mysql_error(client.get()));
  std::vector<std::string> values;
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> rows(mysql_store_result(client.get()),
                                                                      &mysql_free_result);
  if (!rows) return values;
  while (const MYSQL_ROW row = mysql_fetch_row(rows.get()))
    values.emplace_back(row[0] ? row[0] : "", row[0] ? mysql_fetch_lengths(rows.get())[0] : 0);
  return values;
}

}  // namespace geogrid::test
