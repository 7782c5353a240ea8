// photo_workload ROOT LIST PHASE [--passes=2] [--seed=N]
// One thread does one phase of the photo workload over the tree at ROOT, whose files LIST names (see
// photo_tree), and prints a line for each pass: "PHASE PASS OPERATIONS SECONDS BYTES". The first pass after a
// fresh mount and dropped caches is the cold one. Phases: list (recursive, names only), stat and read (in
// random order), miss (names that are not there; others each pass).

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>

#include "photo_archive.hpp"

namespace {

struct Done {
  std::uint64_t operations = 0;
  std::uint64_t bytes = 0;
};

struct Workload {
  std::string root;
  std::vector<std::string> files;
  std::uint64_t pass = 0;
};

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw std::runtime_error(what + " " + path + ": " + std::generic_category().message(errno));
}

Done list_folder(const std::string& folder) {
  DIR* stream = ::opendir(folder.c_str());
  if (stream == nullptr) fail("opendir", folder);
  Done done;
  std::vector<std::string> below;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == ".geogrid") continue;
    ++done.operations;
    if (entry->d_type == DT_DIR) below.push_back(folder + "/" + name);
  }
  ::closedir(stream);
  for (const auto& path : below) done.operations += list_folder(path).operations;
  return done;
}

Done list(const Workload& work) {
  const Done done = list_folder(work.root);
  if (done.operations < work.files.size())
    throw std::runtime_error("listing found " + std::to_string(done.operations) +
                             " names, fewer than there are files");
  return done;
}

Done stat_all(const Workload& work) {
  struct stat found {};
  for (const auto& file : work.files)
    if (::stat(file.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) fail("stat", file);
  return {work.files.size(), 0};
}

Done miss(const Workload& work) {
  struct stat found {};
  const std::string suffix = ".missing" + std::to_string(work.pass);
  for (const auto& file : work.files) {
    const std::string path = file + suffix;
    if (::stat(path.c_str(), &found) == 0 || errno != ENOENT) fail("a name that is not there", path);
  }
  return {work.files.size(), 0};
}

Done read_all(const Workload& work) {
  std::vector<char> buffer(1U << 17);
  Done done;
  for (const auto& file : work.files) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail("open", file);
    ssize_t got = 0;
    while ((got = ::read(fd, buffer.data(), buffer.size())) > 0)
      done.bytes += static_cast<std::uint64_t>(got);
    if (got < 0) fail("read", file);
    ::close(fd);
    ++done.operations;
  }
  return done;
}

Workload read_list(const std::string& root, const std::string& list, std::uint64_t seed) {
  Workload work{root, {}, 0};
  std::ifstream names(list);
  for (std::string line; std::getline(names, line);) work.files.push_back(root + "/" + line);
  if (work.files.empty()) throw std::runtime_error("no names in " + list);
  geogrid::bench::shuffle(work.files, seed);
  return work;
}

int run(int argc, char** argv) {
  const std::map<std::string, std::function<Done(const Workload&)>> phases{
      {"list", list}, {"stat", stat_all}, {"miss", miss}, {"read", read_all}};
  if (argc < 4 || !phases.contains(argv[3]))
    throw std::runtime_error("usage: photo_workload ROOT LIST list|stat|miss|read [--passes=2] [--seed=N]");
  unsigned passes = 2;
  std::uint64_t seed = 7;
  for (int i = 4; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("--passes="))
      passes = static_cast<unsigned>(std::stoul(word.substr(9)));
    else if (word.starts_with("--seed="))
      seed = std::stoull(word.substr(7));
    else
      throw std::runtime_error("unknown argument " + word);
  }
  Workload work = read_list(argv[1], argv[2], seed);
  for (work.pass = 1; work.pass <= passes; ++work.pass) {
    const auto began = std::chrono::steady_clock::now();
    const Done done = phases.at(argv[3])(work);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::printf("%s %llu %llu %.6f %llu\n", argv[3], static_cast<unsigned long long>(work.pass),
                static_cast<unsigned long long>(done.operations), seconds,
                static_cast<unsigned long long>(done.bytes));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const std::exception& failure) {
  std::cerr << "photo_workload: " << failure.what() << '\n';
  return 1;
}
