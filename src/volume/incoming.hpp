#pragma once
// A copy being made on a local volume.

#include <memory>
#include <string>

#include "volume/local_core.hpp"
#include "volume/temporary.hpp"

namespace geogrid {

/// Appends, the publication and the destructor never overlap: the caller awaits each.
class LocalIncomingFile final : public IncomingFile {
 public:
  LocalIncomingFile(std::shared_ptr<LocalCore> core, TemporaryFile temporary);
  ~LocalIncomingFile() override;

  task<result<void>> append(std::shared_ptr<const std::vector<std::byte>> data) override;
  DiskEntry identity() const override { return identity_; }

  // ---- on the volume's threads ----
  result<void> append_now(std::span<const std::byte> data);
  result<void> reserve(std::uint64_t size);
  /// Attributes, then fsync.
  result<void> make_power_safe(const Attributes& attributes);
  /// To be called once it is published: the descriptor is closed, and nothing is left to be dropped.
  void settle();

  const std::shared_ptr<LocalCore>& core() const { return core_; }
  const std::string& temporary_name() const { return temporary_.name; }
  bool settled() const { return !temporary_.file; }

 private:
  std::shared_ptr<LocalCore> core_;
  TemporaryFile temporary_;
  DiskEntry identity_;
  std::uint64_t size_ = 0;
  std::uint64_t reserved_ = 0;
};

}  // namespace geogrid
