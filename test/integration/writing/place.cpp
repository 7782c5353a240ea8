#include "place.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <map>
#include <stdexcept>
#include <system_error>

#include "at_rest.hpp"

namespace geogrid::test {
namespace {

std::map<PlaceKind, std::unique_ptr<Place>>& places() {
  static std::map<PlaceKind, std::unique_ptr<Place>> all;
  return all;
}

[[noreturn]] void complain(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

ClusterSetup setup_of(PlaceKind kind) {
  ClusterSetup setup;
  setup.clients = 1;
  setup.node_with_client = kind == PlaceKind::client_storage;
  if (setup.node_with_client) setup.nodes = 2;
  return setup;
}

}  // namespace

Place::Place(PlaceKind kind) : kind_(kind) {
  if (kind == PlaceKind::plain) {
    scratch_ = std::make_unique<Scratch>("plain");
    ::chmod(folder().c_str(), 0755);
    return;
  }
  archive_ = std::make_unique<Cluster>(setup_of(kind));
  ::chmod(archive_->scratch().path().c_str(), 0755);
  if (kind == PlaceKind::client)
    archive_->start_client(0);
  else
    archive_->start();
}

Place::~Place() = default;

std::string Place::folder() const {
  return archive_ ? archive_->mount(0) : scratch_->path().string();
}

void Place::check_at_rest() try {
  if (!archive_) return;
  archive_->expect_alive();
  const TreePicture picture = picture_of(folder());
  if (kind_ == PlaceKind::client_storage) {
    EXPECT_TRUE(archive_->wait_replicated()) << archive_->ok({"queue"});
  }
  // A storage node in the same process goes on without its mount.
  if (kind_ == PlaceKind::client) archive_->unmount_client(0);
  archive_->stop();
  expect_at_rest(*archive_, picture, kind_ == PlaceKind::client_storage ? 2 : 1);
  if (testing::Test::HasFailure()) std::cerr << archive_->logs();
} catch (const std::exception& wrong) {
  ADD_FAILURE() << wrong.what();
}

void Posix::TearDownTestSuite() {
  for (auto& [kind, place] : places()) {
    SCOPED_TRACE(name_of_place({kind, 0}));
    place->check_at_rest();
  }
  places().clear();
}

void Posix::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "becomes other users, and mounts for them";
  ::umask(022);
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string name = test->name();
  folder_ = place().folder() + "/" + name.substr(0, name.find('/'));
  make_folder(folder_);
}

Place& Posix::place() {
  auto& place = places()[GetParam()];
  if (!place) place = std::make_unique<Place>(GetParam());
  return *place;
}

std::string name_of_place(const testing::TestParamInfo<PlaceKind>& info) {
  switch (info.param) {
    case PlaceKind::plain:
      return "plain";
    case PlaceKind::client:
      return "client";
    case PlaceKind::client_storage:
      return "client_storage";
  }
  return "";
}

int errno_of(long returned) {
  return returned == -1 ? errno : 0;
}

int open_errno(const std::string& path, int flags, mode_t mode) {
  const UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC, mode));
  return file ? 0 : errno;
}

UniqueFd open_file(const std::string& path, int flags, mode_t mode) {
  UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!file) complain("opening " + path);
  return file;
}

std::string get(const std::string& path) {
  return get(open_file(path, O_RDONLY));
}

std::string get(const UniqueFd& file) {
  std::string content;
  std::vector<char> buffer(256 << 10);
  for (ssize_t got = 0;
       (got = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(content.size()))) != 0;) {
    if (got < 0) complain("reading");
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return content;
}

void put(const std::string& path, const std::string& content, mode_t mode) {
  UniqueFd file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  say(file, content);
  if (::close(file.release()) != 0) complain("closing " + path);
}

void say(const UniqueFd& file, const std::string& content) {
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t wrote = ::write(file.get(), content.data() + done, content.size() - done);
    if (wrote < 0) complain("writing");
    done += static_cast<std::size_t>(wrote);
  }
}

std::string content_for(const std::string& name, std::size_t size) {
  std::string content(size + sizeof(std::uint64_t), '\0');
  std::uint64_t state = std::hash<std::string>{}(name) | 1U;
  for (std::size_t at = 0; at < size; at += sizeof state) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    std::memcpy(content.data() + at, &state, sizeof state);
  }
  content.resize(size);
  return content;
}

struct stat stat_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) complain("looking at " + path);
  return status;
}

struct stat stat_of(const UniqueFd& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) complain("looking at a descriptor");
  return status;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

std::vector<std::string> names_in_folder(const std::string& folder) {
  DIR* const open = ::opendir(folder.c_str());
  if (!open) complain("listing " + folder);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(open)) names.emplace_back(entry->d_name);
  ::closedir(open);
  std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
  std::sort(names.begin(), names.end());
  return names;
}

void make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 || ::chmod(path.c_str(), mode) != 0) complain("making " + path);
}

int in_child(const std::function<int()>& what) {
  const pid_t child = ::fork();
  if (child < 0) complain("fork");
  if (child == 0) {
    int code = 97;
    try {
      code = what();
    } catch (...) {
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

int as_user(uid_t user, const std::function<int()>& what) {
  return in_child([&] {
    if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) return 98;
    return what();
  });
}

double seconds_of(const struct timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace geogrid::test
