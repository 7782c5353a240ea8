#include "volume/reading.hpp"

#include <vector>

namespace geogrid {

void read_on_thread(const std::shared_ptr<LocalCore>& core, std::shared_ptr<const void> owner, int fd,
                    std::uint64_t offset, std::size_t size,
                    std::function<void(result<std::span<const std::byte>>)> done) {
  // Shared, so that a full queue leaves something to call.
  const auto answer = std::make_shared<decltype(done)>(std::move(done));
  const bool accepted = core->reads.post([core, owner = std::move(owner), fd, answer, offset, size] {
    thread_local std::vector<std::byte> buffer;  // a FUSE read is at most 1 MiB; as many as threads
    if (buffer.size() < size) buffer.resize(size);
    const auto got = core->disk.env().read(fd, offset, std::span(buffer).first(size));
    if (got)
      (*answer)(std::span<const std::byte>(buffer).first(*got));
    else
      (*answer)(got.error());
  });
  if (!accepted) (*answer)(Error(errc::busy, "too many reads wait for this volume"));
}

}  // namespace geogrid
