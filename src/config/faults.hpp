#pragma once
// Collects what is wrong with a configuration while the rest of it is read.

#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "config/reader.hpp"

namespace geogrid {

/// A place in the file; lines and columns count from 1.
struct Place {
  int line = 0;
  int column = 0;
};

class Faults {
 public:
  explicit Faults(std::string file) : file_(std::move(file)) {}

  void add(Place place, std::string message);
  std::size_t size() const { return faults_.size(); }
  /// Sorted by place, each once, at most kMaxConfigFaults and a word about the rest.
  std::vector<ConfigFault> take();

 private:
  std::string file_;
  std::vector<ConfigFault> faults_;
};

}  // namespace geogrid
