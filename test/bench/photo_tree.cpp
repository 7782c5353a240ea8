// photo_tree FOLDER [--files=20000] [--size=BYTES] [--spread=FOLDER,FOLDER,…] [--list=FILE]
// Makes the photo workload's tree in FOLDER, or spread evenly over several. --list writes the paths, one a
// line.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "photo_archive.hpp"

namespace {

using geogrid::bench::ArchiveShape;
using geogrid::bench::PhotoFile;

struct Options {
  std::vector<std::string> folders;
  std::string list;
  ArchiveShape shape;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
    end = text.find(',', at);
    parts.push_back(text.substr(at, end - at));
  }
  return parts;
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = word.substr(word.find('=') + 1);
    if (word.starts_with("--files="))
      options.shape.files = std::stoull(value);
    else if (word.starts_with("--size="))
      options.shape.fixed_size = std::stoull(value);
    else if (word.starts_with("--spread="))
      options.folders = split(value);
    else if (word.starts_with("--list="))
      options.list = value;
    else if (!word.starts_with("-"))
      options.folders = {word};
    else
      throw std::runtime_error("unknown argument " + word);
  }
  if (options.folders.empty())
    throw std::runtime_error("usage: photo_tree FOLDER [--files=N] [--size=BYTES] [--list=FILE]");
  return options;
}

void write_file(const std::string& path, const PhotoFile& file) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  const std::string bytes = photo_bytes(file);
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0 || ::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("writing " + path + " failed");
  const timespec times[2] = {{file.mtime, 0}, {file.mtime, 0}};
  ::futimens(fd, times);
  ::close(fd);
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = read_options(argc, argv);
  std::ofstream list;
  if (!options.list.empty()) list.open(options.list);
  std::uint64_t bytes = 0, count = 0;
  for (const auto& file : geogrid::bench::photo_archive(options.shape)) {
    write_file(options.folders[count++ % options.folders.size()] + "/" + file.path, file);
    bytes += file.size;
    if (list.is_open()) list << file.path << '\n';
  }
  std::cout << count << " files, " << bytes << " bytes\n";
  return 0;
} catch (const std::exception& failure) {
  std::cerr << "photo_tree: " << failure.what() << '\n';
  return 1;
}
