#include "support/scratch.hpp"

#include <cstdlib>
#include <system_error>

namespace geogrid::test {

Scratch::Scratch(const std::string& name) {
  std::string pattern = (std::filesystem::temp_directory_path() / ("geogrid-" + name + "-XXXXXX")).string();
  if (!::mkdtemp(pattern.data())) throw std::system_error(errno, std::generic_category(), pattern);
  path_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace geogrid::test
