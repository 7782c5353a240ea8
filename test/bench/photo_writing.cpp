// photo_writing ROOT [--files=N] [--threads=T] [--size=BYTES] [--big=MIB]
// T threads write the photo workload into the empty folder ROOT, each its share of the folders, phase by
// phase: create (O_CREAT | O_EXCL, write, close), overwrite (5 % in place, without truncation), rename (5 %,
// within the folder), delete (all); then one thread writes a file of MIB in steps of 1 MiB. Prints a line for
// each phase: "PHASE OPERATIONS SECONDS BYTES". Folders are made before the clock starts, bytes are at hand.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "photo_archive.hpp"

namespace {

using geogrid::bench::PhotoFile;
constexpr std::size_t kOneIn = 20;  // overwritten, renamed: 5 %

struct Options {
  std::string root;
  std::uint64_t files = 5000;
  std::uint64_t threads = 1;
  std::uint64_t size = 0;
  std::uint64_t big_mib = 1024;
};

struct Photo {
  std::string path;
  std::string bytes;
};

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw std::runtime_error(what + " " + path + ": " + std::generic_category().message(errno));
}

void write_file(const std::string& path, int flags, const char* data, std::size_t size) {
  const int file = ::open(path.c_str(), flags, 0644);
  if (file < 0) fail("open", path);
  if (::write(file, data, size) != static_cast<ssize_t>(size)) fail("write", path);
  if (::close(file) != 0) fail("close", path);
}

/// Runs `body` with each thread's number, and prints what it took.
void phase(const std::string& name, const Options& options,
           const std::function<std::pair<std::uint64_t, std::uint64_t>(std::size_t)>& body) {
  std::mutex mutex;
  std::uint64_t operations = 0;
  std::uint64_t bytes = 0;
  std::exception_ptr failure;
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < options.threads; ++t)
    threads.emplace_back([&, t] {
      try {
        const auto done = body(t);
        const std::scoped_lock lock(mutex);
        operations += done.first;
        bytes += done.second;
      } catch (...) {
        const std::scoped_lock lock(mutex);
        failure = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%s %llu %.6f %llu\n", name.c_str(), static_cast<unsigned long long>(operations), took.count(),
              static_cast<unsigned long long>(bytes));
  std::fflush(stdout);
}

void run(const Options& options) {
  // Whole folders go to one thread: 100 photos and their thumbnails lie together.
  std::vector<std::vector<Photo>> shares(options.threads);
  std::string folder;
  std::size_t share = 0;
  for (const PhotoFile& file : geogrid::bench::photo_archive({options.files, options.size})) {
    const std::string path = options.root + "/" + file.path;
    const std::string parent = std::filesystem::path(path).parent_path();
    if (parent != folder) {
      folder = parent;
      share = (share + 1) % options.threads;
      std::filesystem::create_directories(folder);
    }
    shares[share].push_back({path, geogrid::bench::photo_bytes(file)});
  }
  using Done = std::pair<std::uint64_t, std::uint64_t>;
  phase("create", options, [&](std::size_t t) {
    Done done;
    for (const Photo& photo : shares[t]) {
      write_file(photo.path, O_WRONLY | O_CREAT | O_EXCL, photo.bytes.data(), photo.bytes.size());
      ++done.first;
      done.second += photo.bytes.size();
    }
    return done;
  });
  phase("overwrite", options, [&](std::size_t t) {
    Done done;
    for (std::size_t i = 0; i < shares[t].size(); i += kOneIn) {
      Photo& photo = shares[t][i];
      photo.bytes.back() = static_cast<char>(photo.bytes.back() ^ 1);
      write_file(photo.path, O_WRONLY, photo.bytes.data(), photo.bytes.size());
      ++done.first;
      done.second += photo.bytes.size();
    }
    return done;
  });
  phase("rename", options, [&](std::size_t t) {
    Done done;
    for (std::size_t i = 1; i < shares[t].size(); i += kOneIn) {
      Photo& photo = shares[t][i];
      if (::rename(photo.path.c_str(), (photo.path + ".new").c_str()) != 0) fail("rename", photo.path);
      photo.path += ".new";
      ++done.first;
    }
    return done;
  });
  phase("delete", options, [&](std::size_t t) {
    Done done;
    for (const Photo& photo : shares[t]) {
      if (::unlink(photo.path.c_str()) != 0) fail("unlink", photo.path);
      ++done.first;
    }
    return done;
  });
  if (options.big_mib == 0) return;
  Options one = options;
  one.threads = 1;
  const std::string mib(1 << 20, 'x');
  phase("sequential", one, [&](std::size_t) {
    const std::string path = options.root + "/big";
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (file < 0) fail("open", path);
    for (std::uint64_t i = 0; i < options.big_mib; ++i)
      if (::write(file, mib.data(), mib.size()) != static_cast<ssize_t>(mib.size())) fail("write", path);
    if (::close(file) != 0) fail("close", path);
    return Done{options.big_mib, options.big_mib << 20};
  });
}

bool number(const char* text, const char* name, std::uint64_t& value) {
  const std::size_t length = std::strlen(name);
  if (std::strncmp(text, name, length) != 0) return false;
  value = std::stoull(text + length);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    for (int i = 1; i < argc; ++i) {
      if (number(argv[i], "--files=", options.files) || number(argv[i], "--threads=", options.threads) ||
          number(argv[i], "--size=", options.size) || number(argv[i], "--big=", options.big_mib))
        continue;
      if (argv[i][0] == '-' || !options.root.empty())
        throw std::runtime_error(std::string("what is ") + argv[i]);
      options.root = argv[i];
    }
    if (options.root.empty() || options.threads == 0) throw std::runtime_error("name an empty folder");
    run(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "photo_writing: " << error.what() << "\n";
    return 1;
  }
}
