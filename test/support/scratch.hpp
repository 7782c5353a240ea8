#pragma once
// A folder of its own for a test.

#include <filesystem>
#include <string>

namespace geogrid::test {

/// An empty folder under $TMPDIR (or /tmp), removed with all in it at the end.
class Scratch {
 public:
  explicit Scratch(const std::string& name = "test");
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The path of something in it, as text.
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace geogrid::test
