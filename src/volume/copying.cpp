#include "volume/copying.hpp"

#include <unistd.h>

#include <algorithm>

namespace geogrid {
namespace {

struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// The next bytes at or after `from` that are no hole; empty: there are none.
result<Extent> next_data(Env& env, int fd, std::uint64_t from, std::uint64_t size) {
  const auto begin = env.seek(fd, from, SEEK_DATA);
  if (!begin && begin.error().is(std::errc::no_such_device_or_address)) return Extent{size, size};
  if (!begin && begin.error().is(std::errc::invalid_argument)) return Extent{from, size};  // cannot tell
  if (!begin) return begin.error();
  GG_TRY(const std::uint64_t end, env.seek(fd, *begin, SEEK_HOLE));
  return Extent{std::min(*begin, size), std::min(end, size)};
}

}  // namespace

result<void> copy_bytes(Env& env, int from, int to, std::uint64_t size) {
  if (size == 0) return {};
  auto cloned = env.clone(from, to);
  if (cloned || !cloned.error().is(std::errc::operation_not_supported)) return cloned;
  GG_CHECK(env.truncate(to, size));
  for (std::uint64_t at = 0; at < size;) {
    GG_TRY(const Extent data, next_data(env, from, at, size));
    if (data.begin < data.end) {
      GG_TRY(const std::uint64_t copied, env.copy(from, to, data.begin, data.end - data.begin));
      if (copied < data.end - data.begin) return {};  // it shrank: whoever asked looks at it once more
    }
    at = data.end;
  }
  return {};
}

}  // namespace geogrid
