#pragma once
// A disk on which some names cannot be opened.

#include <map>
#include <mutex>
#include <string>

#include "support/forwarding_env.hpp"

namespace geogrid::test {

class FaultyEnv final : public ForwardingEnv {
 public:
  /// From now on, opening `path` ("a/b") fails so; 0 ends it.
  void refuse(const std::string& path, int error_number) {
    const std::scoped_lock lock(mutex_);
    refused_[path] = error_number;
  }
  result<UniqueFd> open(int folder, std::string_view path, int flags, mode_t mode) override {
    {
      const std::scoped_lock lock(mutex_);
      const auto found = refused_.find(std::string(path));
      if (found != refused_.end() && found->second != 0) return system_error(found->second, "open");
    }
    return ForwardingEnv::open(folder, path, flags, mode);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> refused_;  // guarded by mutex_
};

}  // namespace geogrid::test
